package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

/// `tandem simulate` as a process.
@Timeout(300)
class SimulateCommandTest {
    @Test
    void writesItsFiguresAsJson(@TempDir Path folder) throws Exception {
        Path json = folder.resolve("out.json");
        ToolProcess.Result result =
                ToolProcess.run(
                        "",
                        "simulate",
                        "--synthetic",
                        "requests=50,rate=10",
                        "--seed",
                        "7",
                        "--options",
                        "step-tokens-max=256",
                        "--json",
                        json.toString());
        assertThat(result.code()).as(result.errors()).isZero();
        assertThat(result.output()).contains("50 completed", "simulated");
        JsonNode read = ApiClient.JSON.readTree(json.toFile());
        assertThat(read.path("completed").asInt()).isEqualTo(50);
        assertThat(read.path("seed").asInt()).isEqualTo(7);
        assertThat(read.path("decision_hash").asText()).matches("[0-9a-f]{16}");
        assertThat(read.at("/changed_options/step-tokens-max").asText()).isEqualTo("256");
    }

    @Test
    void aWrongFileOrOptionIsOneLineAndCodeTwo() throws Exception {
        for (String[] wrong :
                new String[][] {
                    {"--options", "batching.cap=x", "batching.cap must be one of"},
                    {"--faults", "flood", "no fault is named 'flood'"},
                    {"--seeds", "9", "--seeds must be FIRST..LAST"},
                    {"--synthetic", "rate=0", "rate must be more than 0"},
                    {"--ttft-millis", "0", "an objective needs TTFT"}
                }) {
            ToolProcess.Result result = ToolProcess.run("", "simulate", wrong[0], wrong[1]);
            assertThat(result.code()).as(wrong[0]).isEqualTo(2);
            assertThat(result.errors()).contains(wrong[2]);
            assertThat(result.errors().strip().lines()).hasSize(1);
        }
    }
}
