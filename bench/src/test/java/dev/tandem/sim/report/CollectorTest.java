package dev.tandem.sim.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.Prompt;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cluster.ClusterFile;
import dev.tandem.sim.engine.Simulation;
import dev.tandem.sim.engine.SimulationResult;
import dev.tandem.sim.fault.FaultPlan;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.TenantMix;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Figures by hand, and of a small run.
final class CollectorTest {
    private static final long MILLI = 1_000_000L;

    @TempDir Path folder;

    private static Arrival arrival(long millis, String tenant) {
        Terms terms = new Terms(tenant, "", Lane.BATCH, "", "", 0, 0);
        return new Arrival(millis * MILLI, Prompt.of(1, 2, 3), 3, terms, 0);
    }

    @Test
    void countsByHand() {
        var collector = new Collector(List.of(new Objective(50, 20), new Objective(50, 10)), true);
        collector.arrived(1, arrival(0, "a"), 0);
        collector.arrived(2, arrival(100, "b"), 100 * MILLI);
        collector.arrived(3, arrival(200, "b"), 200 * MILLI);
        collector.arrived(4, arrival(1000, "a"), 1000 * MILLI);
        // TTFT 40, gaps 10 and 20: TPOT 15.
        collector.token(1, 40 * MILLI);
        collector.token(1, 50 * MILLI);
        collector.token(1, 70 * MILLI);
        collector.finished(1, 70 * MILLI);
        // TTFT 60: too late for either.
        collector.token(2, 160 * MILLI);
        collector.finished(2, 160 * MILLI);
        collector.failed(3, ErrorCategory.CAPACITY, "overloaded", 100, 200 * MILLI);
        collector.cancelled(4, 1001 * MILLI);
        Group all = collector.all();
        assertThat(all.arrived()).isEqualTo(4);
        assertThat(all.completed()).isEqualTo(2);
        assertThat(all.refused()).isEqualTo(1);
        assertThat(all.cancelled()).isEqualTo(1);
        assertThat(all.promptTokens()).isEqualTo(12);
        assertThat(all.outputTokens()).isEqualTo(4);
        assertThat(all.met(0)).isEqualTo(1);
        assertThat(all.met(1)).as("TPOT 15 is over 10").isZero();
        assertThat(all.shareMet(0)).as("of three that were not cancelled").isEqualTo(1.0 / 3);
        assertThat(collector.goodput(0)).isCloseTo(1, within(1e-9));
        assertThat(all.ttftMicros().getMaxValue() / 1e3).isCloseTo(60, within(0.1));
        assertThat(all.tpotMicros().getMaxValue() / 1e3).isCloseTo(15, within(0.1));
        assertThat(all.gapMaxMicros().getMaxValue() / 1e3).isCloseTo(20, within(0.1));
        assertThat(collector.errors()).containsEntry("overloaded", 1L);
        assertThat(Objects.requireNonNull(collector.tenants().get("b")).refused()).isEqualTo(1);
        assertThat(collector.lanes()).containsOnlyKeys("batch");
        assertThat(collector.open()).isZero();
    }

    @Test
    void keepsAnOldRequestWhileThousandsPass() {
        var collector = new Collector(List.of(new Objective(1e9, 1e9)), false);
        collector.arrived(1, arrival(0, ""), 0);
        collector.token(1, MILLI);
        for (long s = 2; s < 10_000; s++) {
            collector.arrived(s, arrival(s, ""), s * MILLI);
            collector.token(s, (s + 1) * MILLI);
            collector.finished(s, (s + 1) * MILLI);
        }
        collector.token(1, 20_001 * MILLI);
        collector.finished(1, 20_001 * MILLI);
        assertThat(collector.all().completed()).isEqualTo(9_999);
        assertThat(collector.all().gapMaxMicros().getMaxValue() / 1e3)
                .isCloseTo(20_000, within(20.0));
    }

    @Test
    void aRunTellsItsFiguresAsJsonWithStableKeys() throws IOException {
        SimulationReport report = run();
        JsonNode json = report.toJson();
        assertThat(json.fieldNames())
                .toIterable()
                .containsExactly(
                        "seed",
                        "commit",
                        "jvm",
                        "cores",
                        "simulated",
                        "cost_model",
                        "trace",
                        "cluster",
                        "changed_options",
                        "requests",
                        "completed",
                        "refused",
                        "failed",
                        "cancelled",
                        "unfinished",
                        "errors",
                        "decision_hash",
                        "arrival_seconds",
                        "busy_seconds",
                        "requests_per_second",
                        "prompt_tokens",
                        "output_tokens",
                        "output_tokens_per_second",
                        "goodput",
                        "ttft_ms",
                        "tpot_ms",
                        "gap_max_ms",
                        "end_to_end_ms",
                        "core",
                        "replicas",
                        "tenants",
                        "lanes",
                        "classes",
                        "simulation");
        assertThat(json.path("completed").asLong()).isEqualTo(100);
        assertThat(json.path("output_tokens").asLong()).isEqualTo(2000);
        assertThat(json.path("prompt_tokens").asLong()).isEqualTo(10_000);
        assertThat(json.path("decision_hash").asText()).matches("[0-9a-f]{16}");
        assertThat(json.path("decision_hash")).isEqualTo(run().toJson().path("decision_hash"));
        assertThat(json.path("cost_model").asText()).startsWith("simulated: ");
        assertThat(json.path("tenants").size()).isEqualTo(2);
        assertThat(report.table()).contains("100 completed", "TTFT", "decision hash");
        List<Path> plots = Plots.write(folder.resolve("plots"), report);
        assertThat(plots).hasSize(3);
        for (Path plot : plots) {
            assertThat(Svg.parse(Files.readString(plot)).polylines()).isNotEmpty();
        }
    }

    private static SimulationReport run() {
        Cluster cluster = ClusterFile.standard(1, 1, 16);
        var collector = new Collector(List.of(new Objective(500, 50)), true);
        TenantMix tenants = TenantMix.parse("a:1,b:1");
        var options = new WorkloadOptions(0, 0, 0, 1, 1, 0, false, tenants, 0, 16, 1);
        String spec = "requests=100,rate=20,input=fixed:100,output=fixed:20";
        SimulationResult result;
        try (var workload = new TraceWorkload(SyntheticSpec.parse(spec, 1), options)) {
            result =
                    new Simulation(
                                    cluster.spec(),
                                    cluster.options(),
                                    workload,
                                    List.of(collector),
                                    FaultPlan.none(),
                                    1)
                            .sampleEvery(100 * MILLI)
                            .run();
        }
        return new SimulationReport(
                new RunFacts(1, "none", "jvm", 1),
                "synthetic",
                cluster.name(),
                cluster.costModel(),
                Map.of(),
                collector,
                result);
    }
}
