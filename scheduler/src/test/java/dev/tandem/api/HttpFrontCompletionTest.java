package dev.tandem.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;

class HttpFrontCompletionTest {
    private static final String COMPLETIONS = "/v1/completions";

    private static FrontFixture fixture;

    @BeforeAll
    static void start() {
        fixture = new FrontFixture();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        fixture.close();
    }

    @BeforeEach
    void reset() {
        fixture.service.reset();
        fixture.service.scripts = GenerationService.GenerationRequest::promptTokens; // an echo
    }

    @Test
    void completesAPrompt() throws Exception {
        JsonNode answer = fixture.answer(COMPLETIONS, "{\"prompt\":\"abc\"}");

        assertThat(answer.at("/id").asText()).startsWith("cmpl-");
        assertThat(answer.at("/object").asText()).isEqualTo("text_completion");
        assertThat(answer.at("/choices/0").toString())
                .isEqualTo(
                        "{\"index\":0,\"text\":\"abc\",\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":null}");
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(4);
        assertThat(fixture.service.submitted.take().request.maxTokens()).isEqualTo(16);
    }

    @Test
    void takesTokenIdsAsTheyAre() throws Exception {
        JsonNode answer =
                fixture.answer(
                        COMPLETIONS,
                        "{\"prompt\":[104,105],\"return_token_ids\":true,\"max_tokens\":2}");

        assertThat(answer.at("/choices/0/text").asText()).isEqualTo("hi");
        assertThat(answer.at("/choices/0/token_ids").toString()).isEqualTo("[104,105]");
        assertThat(answer.at("/choices/0/prompt_token_ids").toString()).isEqualTo("[104,105]");
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("length");
    }

    @Test
    void answersManyPromptsInOrder() throws Exception {
        JsonNode answer =
                fixture.answer(COMPLETIONS, "{\"prompt\":[\"one\",[116,119,111]],\"n\":2}");

        assertThat(answer.at("/choices").findValuesAsText("text"))
                .containsExactly("one", "one", "two", "two");
        assertThat(answer.at("/choices").findValuesAsText("index"))
                .containsExactly("0", "1", "2", "3");
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(4 + 3);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(5 + 5 + 4 + 4);
        assertThat(answer.at("/usage/prompt_tokens_details/cached_tokens").asInt()).isEqualTo(6);
    }

    @Test
    void streamsManyPrompts() throws Exception {
        List<JsonNode> chunks =
                fixture.chunks(
                        COMPLETIONS,
                        "{\"prompt\":[\"one\",\"two\"],\"stream\":true,\"return_token_ids\":true}");

        assertThat(textOf(chunks, 0)).isEqualTo("one");
        assertThat(textOf(chunks, 1)).isEqualTo("two");
        for (int index = 0; index < 2; index++) {
            int choice = index;
            List<JsonNode> own =
                    chunks.stream()
                            .filter(c -> c.at("/choices/0/index").asInt(-1) == choice)
                            .toList();
            assertThat(own.getFirst().at("/choices/0/prompt_token_ids").size()).isEqualTo(4);
            assertThat(own.getLast().at("/choices/0/finish_reason").asText()).isEqualTo("stop");
            assertThat(own.stream().mapToInt(c -> c.at("/choices/0/token_ids").size()).sum())
                    .isEqualTo(5);
        }
    }

    @Test
    void reportsLogprobs() throws Exception {
        JsonNode answer =
                fixture.answer(COMPLETIONS, "{\"prompt\":[97,98],\"logprobs\":2,\"max_tokens\":2}");

        assertThat(answer.at("/choices/0/logprobs").toString())
                .isEqualTo(
                        "{\"text_offset\":[0,1],\"token_logprobs\":[-0.25,-0.25],\"tokens\":[\"a\",\"b\"],"
                            + "\"top_logprobs\":[{\"a\":-0.25,\"b\":-9999.0},{\"b\":-0.25,\"c\":-9999.0}]}");
    }

    @Test
    void textOffsetsGoOnThroughAStream() throws Exception {
        fixture.service.paced = true;
        fixture.service.pace.release(10);

        List<JsonNode> chunks =
                fixture.chunks(
                        COMPLETIONS,
                        "{\"prompt\":[97,98,99],\"logprobs\":0,\"max_tokens\":3,\"stream\":true}");

        var offsets = new StringBuilder();
        for (JsonNode chunk : chunks) {
            chunk.at("/choices/0/logprobs/text_offset").forEach(o -> offsets.append(o).append(' '));
        }
        assertThat(offsets.toString()).isEqualTo("0 1 2 ");
    }

    @Test
    void theDefaultLimitYieldsToTheContext() throws Exception {
        String prompt = "x".repeat(FrontFixture.CONTEXT_TOKENS - 1 - 5); // a BOS comes before it

        fixture.answer(COMPLETIONS, "{\"prompt\":\"" + prompt + "\"}");

        assertThat(fixture.service.submitted.take().request.maxTokens()).isEqualTo(5);
    }

    private static String textOf(List<JsonNode> chunks, int index) {
        var text = new StringBuilder();
        for (JsonNode chunk : chunks) {
            if (chunk.at("/choices/0/index").asInt(-1) == index) {
                text.append(chunk.at("/choices/0/text").asText());
            }
        }
        return text.toString();
    }
}
