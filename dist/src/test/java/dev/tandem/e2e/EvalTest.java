package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// The default model's golden answers, made with transformers in fp32, from the whole system: prompts rendered and
/// tokenized at the front, computed on the prefill worker, moved, and continued on the decode worker. Every token has
/// to be the same: kernels that sum in another order could flip one only where the two best logits are closer than
/// [#MARGIN_MIN], and no golden answer comes near that.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@Timeout(300)
class EvalTest {
    private static final int REQUESTS_AT_ONCE = 8;
    private static final double MARGIN_MIN = 1e-3;

    private static ServeProcess serve;
    private static ApiClient client;

    @BeforeAll
    static void start() throws Exception {
        serve = ServeProcess.start("--local-prefill-tokens-max", "0", "--predict-local", "false");
        client = new ApiClient(serve.url());
    }

    @AfterAll
    static void stop() throws Exception {
        if (serve != null) {
            serve.close();
        }
    }

    @Test
    void chatAnswersAreTheGoldenOnes() throws Exception {
        List<JsonNode> golden = new ArrayList<>();
        for (String line : Files.readAllLines(file("eval.jsonl"))) {
            golden.add(ApiClient.JSON.readTree(line));
        }
        assertThat(golden).hasSize(208);
        double handoffs = client.metric("tandem_kv_handoffs_total");
        List<JsonNode> answers = askAll("/v1/chat/completions", golden, EvalTest::chat);
        for (int i = 0; i < golden.size(); i++) {
            JsonNode expected = golden.get(i);
            JsonNode choice = answers.get(i).path("choices").path(0);
            String which = "line " + (i + 1) + ", " + expected.path("task").asText();
            assertThat(margin(expected)).as("margin of " + which).isGreaterThan(MARGIN_MIN);
            assertThat(answers.get(i).path("prompt_token_ids"))
                    .as("prompt of " + which)
                    .isEqualTo(expected.path("prompt_ids"));
            assertThat(choice.path("token_ids"))
                    .as("answer of " + which)
                    .isEqualTo(expected.path("output_ids"));
            assertThat(choice.path("message").path("content").asText())
                    .as("text of " + which)
                    .isEqualTo(expected.path("model_output").asText());
            assertThat(choice.path("finish_reason").asText())
                    .as("end of " + which)
                    .isEqualTo(expected.path("finish").asText());
        }
        client.awaitIdle();
        assertThat(client.metric("tandem_kv_handoffs_total") - handoffs)
                .as("answers begun on one worker and continued on another")
                .isEqualTo(golden.size());
        assertThat(client.metric("tandem_kv_transferred_bytes_total")).isPositive();
        assertThat(client.metric("tandem_kv_handoffs_failed_total")).isZero();
    }

    @Test
    void completionsOfTokenIdsAreTheGoldenOnes() throws Exception {
        List<JsonNode> golden = new ArrayList<>();
        ApiClient.JSON.readTree(file("expected_greedy.json").toFile()).forEach(golden::add);
        assertThat(golden).hasSize(8);
        List<JsonNode> answers = askAll("/v1/completions", golden, EvalTest::completion);
        for (int i = 0; i < golden.size(); i++) {
            JsonNode choice = answers.get(i).path("choices").path(0);
            assertThat(margin(golden.get(i)))
                    .as("margin of prompt %d", i)
                    .isGreaterThan(MARGIN_MIN);
            assertThat(choice.path("token_ids"))
                    .as("tokens of prompt %d", i)
                    .hasSize(64)
                    .isEqualTo(golden.get(i).path("output_ids"));
            assertThat(choice.path("finish_reason").asText()).isEqualTo("length");
        }
        client.awaitIdle();
    }

    private interface Question {
        ObjectNode body(JsonNode golden);
    }

    private static ObjectNode chat(JsonNode golden) {
        ObjectNode body =
                ApiClient.body(
                        Map.of("temperature", 0, "max_tokens", 512, "return_token_ids", true));
        body.set("messages", golden.path("messages"));
        return body;
    }

    private static ObjectNode completion(JsonNode golden) {
        ObjectNode body =
                ApiClient.body(
                        Map.of(
                                "temperature",
                                0,
                                "max_tokens",
                                64,
                                "ignore_eos",
                                true,
                                "return_token_ids",
                                true));
        body.set("prompt", golden.path("prompt_ids"));
        return body;
    }

    private static List<JsonNode> askAll(String path, List<JsonNode> golden, Question question)
            throws Exception {
        List<Callable<JsonNode>> calls = new ArrayList<>();
        for (JsonNode each : golden) {
            calls.add(() -> client.ask(path, question.body(each)));
        }
        List<JsonNode> answers = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(REQUESTS_AT_ONCE)) {
            for (Future<JsonNode> answer : threads.invokeAll(calls)) {
                answers.add(answer.get());
            }
        }
        return answers;
    }

    private static double margin(JsonNode golden) {
        return golden.path("min_top1_top2_margin").asDouble();
    }

    private static Path file(String name) throws IOException {
        return TestCluster.defaultModel().resolve(name);
    }
}
