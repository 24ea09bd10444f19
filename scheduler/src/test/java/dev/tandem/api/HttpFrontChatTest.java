package dev.tandem.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tandem.api.GenerationService.GenerationRequest;
import dev.tandem.core.SamplingParameters;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

class HttpFrontChatTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

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
    }

    @Test
    void answersAChat() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("grüß 🙂 dich");

        JsonNode answer =
                fixture.answer(CHAT, "{\"model\":\"" + FrontFixture.MODEL + "\"," + HI + "}");

        assertThat(answer.at("/id").asText()).startsWith("chatcmpl-").hasSize(41);
        assertThat(answer.at("/object").asText()).isEqualTo("chat.completion");
        assertThat(answer.at("/created").isIntegralNumber()).isTrue();
        assertThat(answer.at("/model").asText()).isEqualTo(FrontFixture.MODEL);
        assertThat(answer.at("/system_fingerprint").asText()).isEqualTo("fp_0123456789ab");
        assertThat(answer.at("/choices").size()).isEqualTo(1);
        JsonNode choice = answer.at("/choices/0");
        assertThat(choice.at("/index").asInt(-1)).isEqualTo(0);
        assertThat(choice.at("/message").toString())
                .isEqualTo(
                        "{\"role\":\"assistant\",\"content\":\"grüß 🙂 dich\",\"refusal\":null}");
        assertThat(choice.get("logprobs").isNull()).isTrue();
        assertThat(choice.at("/finish_reason").asText()).isEqualTo("stop");
        assertThat(choice.has("token_ids")).isFalse();
        int promptTokens = "u:hi\na:".length();
        int completionTokens = "grüß 🙂 dich".getBytes(StandardCharsets.UTF_8).length + 1;
        assertThat(answer.at("/usage").toString())
                .isEqualTo(
                        "{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d,\"prompt_tokens_details\":{\"cached_tokens\":3}}"
                                .formatted(
                                        promptTokens,
                                        completionTokens,
                                        promptTokens + completionTokens));
    }

    @Test
    void streamsAChatInOpenAisChunks() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("grüß 🙂");

        var response =
                fixture.post(
                        CHAT,
                        "{" + HI + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");

        assertThat(response.headers().firstValue("content-type"))
                .hasValue("text/event-stream; charset=utf-8");
        assertThat(response.headers().firstValue("cache-control")).hasValue("no-cache");
        assertThat(response.headers().firstValue("x-accel-buffering")).hasValue("no");
        List<String> events = FrontFixture.events(response.body());
        assertThat(events.getLast()).isEqualTo("[DONE]");
        List<JsonNode> chunks = parse(events.subList(0, events.size() - 1));
        assertThat(chunks)
                .extracting(c -> c.at("/id").asText())
                .containsOnly(chunks.get(0).at("/id").asText());
        assertThat(chunks)
                .extracting(c -> c.at("/object").asText())
                .containsOnly("chat.completion.chunk");
        assertThat(chunks.getFirst().at("/choices/0/delta").toString())
                .isEqualTo("{\"role\":\"assistant\",\"content\":\"\"}");
        assertThat(contentOf(chunks)).isEqualTo("grüß 🙂");
        JsonNode ending = chunks.get(chunks.size() - 2);
        assertThat(ending.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
        assertThat(ending.at("/choices/0/delta").toString()).isEqualTo("{}");
        JsonNode usage = chunks.getLast();
        assertThat(usage.at("/choices").toString()).isEqualTo("[]");
        assertThat(usage.at("/usage/completion_tokens").asInt()).isEqualTo(12);
        assertThat(chunks.subList(0, chunks.size() - 1))
                .allMatch(c -> c.has("usage") && c.get("usage").isNull());
    }

    @Test
    void aStreamWithoutUsageDoesNotMentionIt() throws Exception {
        List<JsonNode> chunks = fixture.chunks(CHAT, "{" + HI + ",\"stream\":true}");

        assertThat(chunks).noneMatch(chunk -> chunk.has("usage"));
        assertThat(contentOf(chunks)).isEqualTo("ok");
    }

    @Test
    void tokensThatWaitLeaveInOneChunk() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("many tokens at once");

        List<JsonNode> chunks =
                fixture.chunks(CHAT, "{" + HI + ",\"stream\":true,\"return_token_ids\":true}");

        assertThat(chunks.getFirst().at("/prompt_token_ids").size()).isEqualTo(7);
        int ids = 0;
        var text = new StringBuilder();
        for (JsonNode chunk : chunks) {
            ids += chunk.at("/choices/0/token_ids").size();
            text.append(chunk.at("/choices/0/delta/content").asText());
        }
        assertThat(text.toString()).isEqualTo("many tokens at once");
        assertThat(ids).isEqualTo(20);
    }

    @Test
    void returnsTokenIds() throws Exception {
        JsonNode answer = fixture.answer(CHAT, "{" + HI + ",\"return_token_ids\":true}");

        assertThat(answer.at("/choices/0/token_ids").toString()).isEqualTo("[111,107,257]");
        assertThat(answer.at("/prompt_token_ids").toString())
                .isEqualTo("[117,58,104,105,10,97,58]");
    }

    @Test
    void cutsAtAStopStringAndTellsTheService() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("one two three four");

        JsonNode answer =
                fixture.answer(
                        CHAT,
                        "{" + HI + ",\"stop\":[\"zzz\",\" three\"],\"return_token_ids\":true}");

        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo("one two");
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
        assertThat(answer.at("/choices/0/stop_reason").asText()).isEqualTo(" three");
        assertThat(answer.at("/choices/0/token_ids").size()).isEqualTo(13);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(13);
        assertThat(answer.at("/usage/prompt_tokens_details/cached_tokens").asInt()).isEqualTo(3);
        fixture.service.submitted.take().stopped.await();
    }

    @Test
    void neverStreamsAPartOfAStopString() throws Exception {
        fixture.service.paced = true;
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("a<b<stop>c");
        fixture.service.pace.release(100);

        List<JsonNode> chunks =
                fixture.chunks(CHAT, "{" + HI + ",\"stop\":\"<stop>\",\"stream\":true}");

        assertThat(contentOf(chunks)).isEqualTo("a<b");
        assertThat(chunks.getLast().at("/choices/0/finish_reason").asText()).isEqualTo("stop");
    }

    @Test
    void includesTheStopStringWhenAsked() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("one two three");

        JsonNode answer =
                fixture.answer(
                        CHAT, "{" + HI + ",\"stop\":\"two\",\"include_stop_str_in_output\":true}");

        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo("one two");
    }

    @Test
    void aStopTokenLeavesNoText() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("abcd");

        JsonNode answer = fixture.answer(CHAT, "{" + HI + ",\"stop_token_ids\":[99]}");

        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo("ab");
        assertThat(answer.at("/choices/0/stop_reason").asInt()).isEqualTo(99);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(3);
    }

    @Test
    void ignoresTheEndOfTheSequenceWhenAsked() throws Exception {
        JsonNode answer =
                fixture.answer(
                        CHAT,
                        "{"
                                + HI
                                + ",\"ignore_eos\":true,\"max_tokens\":5,\"skip_special_tokens\":false}");

        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo("ok</s></s></s>");
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("length");
    }

    @Test
    void anIncompleteCharacterAtTheEndIsReplaced() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("a🙂");

        JsonNode answer = fixture.answer(CHAT, "{" + HI + ",\"max_tokens\":3}");

        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo("a\uFFFD");
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("length");
    }

    @Test
    void reportsLogprobs() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("é");

        JsonNode answer =
                fixture.answer(
                        CHAT, "{" + HI + ",\"logprobs\":true,\"top_logprobs\":2,\"max_tokens\":2}");

        JsonNode content = answer.at("/choices/0/logprobs/content");
        assertThat(content.size()).isEqualTo(2);
        assertThat(content.at("/0").toString())
                .isEqualTo(
                        "{\"token\":\"\uFFFD\",\"logprob\":-0.25,\"bytes\":[195],\"top_logprobs\":["
                                + "{\"token\":\"\uFFFD\",\"logprob\":-0.25,\"bytes\":[195]},"
                                + "{\"token\":\"\uFFFD\",\"logprob\":-9999.0,\"bytes\":[196]}]}");
    }

    @Test
    void streamsLogprobsOfEveryToken() throws Exception {
        List<JsonNode> chunks =
                fixture.chunks(CHAT, "{" + HI + ",\"logprobs\":true,\"stream\":true}");

        var tokens = new StringBuilder();
        for (JsonNode chunk : chunks) {
            for (JsonNode token : chunk.at("/choices/0/logprobs/content")) {
                tokens.append(token.at("/token").asText()).append('|');
            }
        }
        assertThat(tokens.toString()).isEqualTo("o|k|</s>|");
    }

    @Test
    void givesManyChoicesSeedsOfTheirOwn() throws Exception {
        fixture.service.scripts =
                request -> ByteTokenizer.bytesOf(Long.toHexString(request.sampling().seed()));

        JsonNode three = fixture.answer(CHAT, "{" + HI + ",\"n\":3,\"seed\":42}");
        JsonNode again = fixture.answer(CHAT, "{" + HI + ",\"n\":3,\"seed\":42}");

        assertThat(three.at("/choices").size()).isEqualTo(3);
        assertThat(three.at("/choices/0/message/content").asText()).isEqualTo("2a");
        assertThat(three.at("/choices").findValuesAsText("content")).doesNotHaveDuplicates();
        assertThat(again.at("/choices")).isEqualTo(three.at("/choices"));
        assertThat(three.at("/usage/prompt_tokens").asInt()).isEqualTo(7);
    }

    @Test
    void handsAllParametersToTheService() throws Exception {
        fixture.answer(
                CHAT,
                "{"
                        + HI
                        + """
                        ,"max_completion_tokens":9,"temperature":0.25,"top_p":0.5,"top_k":-1,"min_p":0.125,
                        "repetition_penalty":1.5,"presence_penalty":-1,"frequency_penalty":2,"seed":-7,
                        "logit_bias":{"5":-100,"6":1.5},"logprobs":true,"top_logprobs":4,
                        "stop_token_ids":[1,2],"cache_salt":"salt","user":"ignored","nonsense":{"a":[1]}}
                        """);

        GenerationRequest request = fixture.service.submitted.take().request;
        assertThat(request.promptTokens()).isEqualTo(ByteTokenizer.bytesOf("u:hi\na:"));
        assertThat(request.maxTokens()).isEqualTo(9);
        assertThat(request.stopTokenIds()).containsExactlyInAnyOrder(1, 2, ByteTokenizer.END);
        assertThat(request.cacheSalt()).isEqualTo("salt");
        assertThat(request.sampling())
                .isEqualTo(
                        new SamplingParameters(
                                0.25f,
                                0,
                                0.5f,
                                0.125f,
                                1.5f,
                                -1,
                                2,
                                -7,
                                Map.of(5, -100f, 6, 1.5f),
                                true,
                                4));
    }

    @Test
    void takesWhatIsLeftOpenFromTheModelFolder() throws Exception {
        fixture.answer(CHAT, "{" + HI + "}");

        GenerationRequest request = fixture.service.submitted.take().request;
        assertThat(request.maxTokens()).isEqualTo(FrontFixture.CONTEXT_TOKENS - 7);
        assertThat(request.sampling().temperature()).isEqualTo(0.5f);
        assertThat(request.sampling().topK()).isEqualTo(50);
        assertThat(request.sampling().topP()).isEqualTo(1f);
    }

    @Test
    void rendersWithoutGenerationPromptWhenAsked() throws Exception {
        fixture.answer(CHAT, "{" + HI + ",\"add_generation_prompt\":false}");

        assertThat(fixture.service.submitted.take().request.promptTokens())
                .isEqualTo(ByteTokenizer.bytesOf("u:hi\n"));
    }

    private static List<JsonNode> parse(List<String> events) throws Exception {
        var chunks = new java.util.ArrayList<JsonNode>();
        for (String event : events) {
            chunks.add(FrontFixture.JSON.readTree(event));
        }
        return chunks;
    }

    private static String contentOf(List<JsonNode> chunks) {
        var text = new StringBuilder();
        for (JsonNode chunk : chunks) {
            text.append(chunk.at("/choices/0/delta/content").asText());
        }
        return text.toString();
    }
}
