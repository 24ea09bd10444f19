package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

/// `tandem load` as a process against the real server.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@Timeout(300)
class LoadCommandTest {
    private static final int REQUESTS = 20;
    private static final int OUTPUT_TOKENS = 12;

    @Test
    void reportsWhatTheServerDid(@TempDir Path folder) throws Exception {
        Path report = folder.resolve("report.json");
        try (ServeProcess serve = ServeProcess.start()) {
            ApiClient client = new ApiClient(serve.url());
            ToolProcess.Result result =
                    ToolProcess.run(
                            "",
                            "load",
                            "--url",
                            serve.url().toString(),
                            "--requests",
                            Integer.toString(REQUESTS),
                            "--concurrency",
                            "4",
                            "--max-tokens",
                            Integer.toString(OUTPUT_TOKENS),
                            "--ignore-eos",
                            "true",
                            "--json",
                            report.toString());
            assertThat(result.code()).as(result.errors()).isZero();
            assertThat(result.output()).contains("20 completed, 0 failed", "TTFT", "output");
            JsonNode json = ApiClient.JSON.readTree(report.toFile());
            assertThat(json.at("/requests/completed").asInt()).isEqualTo(REQUESTS);
            assertThat(json.at("/requests/failed").asInt()).isZero();
            assertThat(json.at("/model").asText()).isEqualTo("tandem-tiny");
            assertThat(json.at("/ttft_ms/count").asInt()).isEqualTo(REQUESTS);
            assertThat(json.at("/output_tokens").asInt()).isEqualTo(REQUESTS * OUTPUT_TOKENS);
            client.awaitIdle();
            assertThat(client.metric("vllm:prompt_tokens_total{model_name=\"tandem-tiny\"}"))
                    .isEqualTo(json.at("/prompt_tokens").asDouble());
        }
    }

    @Test
    void failsWhereNobodyAnswers() throws Exception {
        ToolProcess.Result result =
                ToolProcess.run("", "load", "--url", "http://127.0.0.1:1", "--requests", "2");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.errors()).contains("127.0.0.1:1");
    }
}
