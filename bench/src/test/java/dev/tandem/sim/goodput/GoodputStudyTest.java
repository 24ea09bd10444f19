package dev.tandem.sim.goodput;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cluster.ClusterFile;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.workload.LoadedTrace;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.Trace;
import dev.tandem.sim.workload.WorkloadOptions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A study over a small cluster: what it tells, and that threads change nothing.
final class GoodputStudyTest {
    private static final List<Objective> CELLS =
            List.of(new Objective(500, 50), new Objective(2000, 100));

    @TempDir Path folder;

    @Test
    void answersDoNotDependOnThreadsAndLooserObjectivesAllowMore()
            throws InterruptedException, IOException {
        Cluster base = ClusterFile.standard(0, 2, 64);
        Map<String, String> fixed =
                Map.of(
                        "step-tokens-max", "512",
                        "batching.budget", "fixed",
                        "batching.cap", "fixed");
        List<Choice> choices =
                List.of(
                        Choice.of("adaptive", true, 0, base, Map.of()),
                        Choice.of("mixed", false, 0, base, fixed),
                        Choice.of("split", false, 1, base, fixed));
        List<GoodputStudy.Row> one = study().run(choices, 1, silent());
        List<GoodputStudy.Row> two = study().run(choices, 2, silent());
        for (int i = 0; i < choices.size(); i++) {
            assertThat(two.get(i).answers()).isEqualTo(one.get(i).answers());
            double tight = one.get(i).answers().get(0).ratePerSecond();
            double loose = one.get(i).answers().get(1).ratePerSecond();
            assertThat(tight).as(choices.get(i).name()).isPositive();
            assertThat(loose).as(choices.get(i).name()).isGreaterThanOrEqualTo(tight);
        }
        assertThat(choices.get(2).split()).isEqualTo("1:1");
        var table = new GoodputTable(CELLS, one);
        assertThat(table.markdown()).contains("| 500 | 50 |", "| adaptive |", "500/50");
        GoodputPlots.write(folder, table, CELLS, new RateGrid(1, 0.1, 63));
        assertThat(folder.resolve("goodput-500-50.svg")).content().contains("adaptive", "offered");
    }

    private static PrintStream silent() {
        return new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    }

    private static GoodputStudy study() {
        Trace trace =
                LoadedTrace.of(
                        SyntheticSpec.parse(
                                "requests=150,input=lognormal:800:0.5,output=fixed:60", 1),
                        0);
        return new GoodputStudy(
                trace,
                WorkloadOptions.all(64, 1),
                CELLS,
                new RateGrid(1, 0.1, 63),
                0.9,
                new TrialStore(null));
    }
}
