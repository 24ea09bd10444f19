package dev.tandem.sim.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.report.Objective;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/// The command from its options to its files and exit codes.
final class SimulateCommandTest {
    private static final String SPEC = "requests=200,rate=20,input=fixed:300,output=fixed:30";

    @TempDir Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    private int run(SimulateOptions options) throws IOException {
        return SimulateCommand.run(
                options,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    private SimulateOptions options(
            @Nullable Path trace,
            Map<String, String> changes,
            Set<FaultKind> faults,
            String seeds,
            @Nullable Path json) {
        return new SimulateOptions(
                trace,
                trace == null ? SPEC : "",
                null,
                changes,
                "",
                1,
                1,
                0,
                false,
                0,
                1,
                0,
                new Objective(2000, 100),
                json,
                folder.resolve("plots"),
                faults,
                seeds,
                1,
                false);
    }

    @Test
    void theSameSeedGivesTheSameDecisionsAndOtherOptionsOthers() throws IOException {
        JsonNode one = json("one.json", Map.of());
        JsonNode again = json("again.json", Map.of());
        JsonNode other = json("other.json", Map.of("step-tokens-max", "64"));
        assertThat(one.path("completed").asLong()).isEqualTo(200);
        assertThat(one.path("output_tokens").asLong()).isEqualTo(6000);
        assertThat(again.path("decision_hash")).isEqualTo(one.path("decision_hash"));
        assertThat(other.path("decision_hash")).isNotEqualTo(one.path("decision_hash"));
        assertThat(other.path("changed_options").path("step-tokens-max").asText()).isEqualTo("64");
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("200 completed", "ttft.svg");
        assertThat(folder.resolve("plots/queue.svg")).exists();
    }

    private JsonNode json(String name, Map<String, String> changes) throws IOException {
        Path file = folder.resolve(name);
        int code = run(options(null, changes, Set.of(), "", file));
        assertThat(code).as(errors.toString(StandardCharsets.UTF_8)).isZero();
        return new ObjectMapper().readTree(file.toFile());
    }

    @Test
    void everyRequestHasItsAnswerWhenWorkersBreak() throws IOException {
        Path file = folder.resolve("faults.json");
        Set<FaultKind> kinds = EnumSet.of(FaultKind.CRASH, FaultKind.CANCEL);
        assertThat(run(options(null, Map.of(), kinds, "", file)))
                .as(errors.toString(StandardCharsets.UTF_8))
                .isZero();
        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertThat(json.path("cancelled").asLong()).isPositive();
        long ended =
                json.path("completed").asLong()
                        + json.path("refused").asLong()
                        + json.path("failed").asLong()
                        + json.path("cancelled").asLong();
        assertThat(ended).isEqualTo(200);
        assertThat(json.path("unfinished").asLong()).isZero();
    }

    @Test
    void runsTheScenariosOfSeeds() throws IOException {
        Path file = folder.resolve("seeds.json");
        Set<FaultKind> all = EnumSet.allOf(FaultKind.class);
        int code = run(options(null, Map.of(), all, "1..20", file));
        assertThat(code).as(out.toString(StandardCharsets.UTF_8)).isZero();
        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertThat(json.path("seeds").asLong()).isEqualTo(20);
        assertThat(json.path("faults").asLong()).isPositive();
        assertThat(json.path("failures").size()).isZero();
    }

    @Test
    void whatIsWrongIsOneLineAndCodeTwo() throws IOException {
        Path trace = Files.writeString(folder.resolve("t.csv"), "TIMESTAMP\n1,2\n");
        wrong(options(trace, Map.of(), Set.of(), "", null), "line 1: no known trace format");
        wrong(
                options(null, Map.of("batching.cap", "x"), Set.of(), "", null),
                "batching.cap must be one of fixed, adaptive");
        wrong(options(null, Map.of(), Set.of(), "1-3", null), "--seeds must be FIRST..LAST");
        wrong(options(null, Map.of(), Set.of(), "3..1", null), "seeds 3..1");
    }

    private void wrong(SimulateOptions options, String reason) throws IOException {
        errors.reset();
        assertThat(run(options)).isEqualTo(2);
        String text = errors.toString(StandardCharsets.UTF_8);
        assertThat(text).contains(reason);
        assertThat(text.lines()).hasSize(1);
    }
}
