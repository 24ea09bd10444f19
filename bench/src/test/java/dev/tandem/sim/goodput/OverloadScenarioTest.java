package dev.tandem.sim.goodput;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.sim.cluster.ClusterFile;
import dev.tandem.sim.report.Objective;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;

/// A short form of the overload study: two replicas, half a minute.
final class OverloadScenarioTest {
    private static final long SEED = Long.getLong("tandem.seed", 1);
    private static final int SECONDS = 30;
    private static final Objective OBJECTIVE = new Objective(500, 50);

    @ParameterizedTest
    @ValueSource(strings = {OverloadScenario.EQUAL, OverloadScenario.MIXED})
    void whatCanNotBeServedDoesNotCostWhatCanBe(String lengths) {
        Choice choice =
                Choice.of(
                        "adaptive",
                        true,
                        0,
                        ClusterFile.standard(0, 2, 16),
                        Map.of(
                                "step-tokens-max", "8192",
                                "sequences-max", "1024",
                                "batching.cap", "adaptive",
                                "admission.shedding-factor", "1"));
        var scenario =
                new OverloadScenario(choice.holding(OBJECTIVE).cluster(), OBJECTIVE, SECONDS, SEED);
        List<OverloadScenario.Point> points = scenario.points(lengths);
        for (OverloadScenario.Point point : points) {
            if (point.times() >= 2) {
                assertThat(point.refused()).as("%s", point).isPositive();
                assertThat(point.shareOfBest())
                        .as("repeat with -Dtandem.seed=%d: %s", SEED, points)
                        .isGreaterThanOrEqualTo(0.95);
            }
        }
    }
}
