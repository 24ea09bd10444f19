package dev.tandem.sim.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tandem.sim.fault.Fault;
import dev.tandem.sim.fault.FaultKind;

import org.junit.jupiter.api.Test;

import java.util.EnumSet;
import java.util.Set;

/// The core's promises under faults, over a few hundred seeds. `-Dtandem.seed=N` runs one.
class FaultCampaignTest {
    private static final Set<FaultKind> ALL = EnumSet.allOf(FaultKind.class);
    private static final int SEEDS = 400;

    private static FaultCampaign.Report run(long from, long to, int threads) {
        return FaultCampaign.run(from, to, threads, ALL, done -> {});
    }

    @Test
    void promisesHold() {
        Long seed = Long.getLong("tandem.seed");
        FaultCampaign.Report report = seed == null ? run(0, SEEDS - 1, 1) : run(seed, seed, 1);
        for (Failure failure : report.failures()) {
            throw new AssertionError(
                    failure.text(ALL)
                            + "\nas a test: -Dtest=FaultCampaignTest -Dtandem.seed="
                            + failure.seed(),
                    failure.problem());
        }
        assertThat(report.seeds()).isEqualTo(seed == null ? SEEDS : 1);
    }

    @Test
    void theFaultsBite() {
        FaultCampaign.Report report = run(0, 199, 1);
        assertThat(report.faults()).isPositive();
        assertThat(report.cancelled()).isPositive();
        assertThat(report.refused()).isPositive();
        assertThat(report.preemptions()).isPositive();
        assertThat(report.recomputes()).isPositive();
        assertThat(report.hedges()).isPositive();
        assertThat(report.handoffsFailed()).isPositive();
        assertThat(report.handoffsFailed()).isLessThan(report.handoffs());
        assertThat(report.prefixHitTokens()).isPositive();
    }

    @Test
    void everyKindOfFaultIsDrawnAndCanBeSwitchedOff() {
        Set<FaultKind> drawn = EnumSet.noneOf(FaultKind.class);
        for (long seed = 0; seed < 300; seed++) {
            for (Fault fault : Scenario.of(seed, ALL).faults().faults()) {
                drawn.add(fault.kind());
            }
            Set<FaultKind> some = FaultKind.parse("crash,clock-step");
            for (Fault fault : Scenario.of(seed, some).faults().faults()) {
                assertThat(some).contains(fault.kind());
            }
            Scenario calm = Scenario.of(seed, FaultKind.parse("none"));
            assertThat(calm.faults().faults()).isEmpty();
            assertThat(calm.arrivals()).allMatch(arrival -> arrival.cancelAfterNanos() == 0);
        }
        drawn.add(FaultKind.CANCEL); // is part of the arrivals
        assertThat(drawn).isEqualTo(ALL);
    }

    @Test
    void namesOfFaultsAreRead() {
        assertThat(FaultKind.parse("all")).isEqualTo(ALL);
        assertThat(FaultKind.parse("crash, pause"))
                .containsExactlyInAnyOrder(FaultKind.CRASH, FaultKind.PAUSE);
        assertThat(FaultKind.parse("-crash")).hasSize(ALL.size() - 1);
        assertThat(FaultKind.parse("-crash")).doesNotContain(FaultKind.CRASH);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FaultKind.parse("fire"))
                .withMessageContaining("'fire'")
                .withMessageContaining("worker-partition");
    }

    @Test
    void theSameSeedsDecideTheSameOnAnyNumberOfThreads() {
        FaultCampaign.Report once = run(1000, 1099, 1);
        FaultCampaign.Report again = run(1000, 1099, 2);
        FaultCampaign.Report others = run(1100, 1199, 1);
        assertThat(again.decisionHash()).isEqualTo(once.decisionHash());
        assertThat(others.decisionHash()).isNotEqualTo(once.decisionHash());
    }
}
