package dev.tandem.batching;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StepBudgetTest {
    /// An H100 with Llama-3.1-8B in bfloat16.
    private static final DeviceFacts DEVICE =
            new DeviceFacts("h100", 600e12, 2.8e12, 50e9, 14e9, 524_288, 15e9, 131_072);

    private final StepEstimator estimator = new StepEstimator(DEVICE);
    private final StepMake step = new StepMake();

    @Test
    void aRooflineTakesTheLargerOfComputeAndMemory() {
        double weights = 15e9 / 2.8e12 * 1e9;
        assertThat(estimator.nanos(0, 0, 1, 1000))
                .isCloseTo(weights + 1000 * 131_072 / 2.8e12 * 1e9, within(1e-9));
        double compute = (4096 * 14e9 + StepEstimator.pairs(0, 4096) * 524_288) / 600e12 * 1e9;
        assertThat(estimator.nanos(4096, StepEstimator.pairs(0, 4096), 0, 4096))
                .isCloseTo(compute, within(1e-9));
    }

    @Test
    void learnsWhatStepsOfAMakeReallyTake() {
        for (int i = 0; i < 100; i++) {
            estimator.observe(0, 0, 32, 32_000, 20_000_000);
            estimator.observe(2048, StepEstimator.pairs(0, 2048), 0, 2048, 90_000_000);
        }
        assertThat(estimator.nanos(0, 0, 32, 32_000)).isCloseTo(20e6, within(0.01));
        assertThat(estimator.nanos(2048, StepEstimator.pairs(0, 2048), 0, 2048))
                .isCloseTo(90e6, within(0.01));
        // Another number of rows with as many prompt tokens borrows what was learned for those.
        assertThat(estimator.nanos(2048, StepEstimator.pairs(0, 2048), 8, 2048))
                .isCloseTo(90e6, within(0.05));
    }

    @Test
    void anUnknownDeviceLearnsToo() {
        StepEstimator unknown = new StepEstimator(DeviceFacts.unknown());
        assertThat(unknown.nanos(1, 0.5, 0, 1)).isPositive();
        for (int i = 0; i < 10; i++) {
            unknown.observe(16, 100, 2, 40, 7_000_000);
        }
        assertThat(unknown.nanos(16, 100, 2, 40)).isCloseTo(7e6, within(0.01));
    }

    @Test
    void theLatencyBudgetFillsAStepUpToItsTime() {
        double most = 20e6;
        LatencyBudget budget = new LatencyBudget(estimator, 8192, most);
        step.addDecodes(64, 64_000);
        int chunk = budget.chunk(step, 0, 32_000);
        assertThat(chunk % LatencyBudget.TILE_TOKENS).isZero();
        assertThat(step.nanosWith(estimator, 0, chunk)).isLessThanOrEqualTo(most);
        assertThat(step.nanosWith(estimator, 0, chunk + LatencyBudget.TILE_TOKENS))
                .isGreaterThan(most);
        assertThat(budget.chunk(step, 100_000, 32_000))
                .as("late chunks of a long prompt cost more attention")
                .isLessThan(chunk);
    }

    @Test
    void withoutRunningSequencesAStepTakesAllItCan() {
        LatencyBudget budget = new LatencyBudget(estimator, 8192, 1);
        assertThat(budget.chunk(step, 0, 32_000)).isEqualTo(8192);
        assertThat(budget.chunk(step, 0, 100)).isEqualTo(100);
    }

    @Test
    void promptsMoveOnWhenRunningSequencesTakeTooLongAlready() {
        LatencyBudget budget = new LatencyBudget(estimator, 8192, 1);
        step.addDecodes(64, 64_000);
        assertThat(budget.chunk(step, 0, 32_000)).isEqualTo(LatencyBudget.TILE_TOKENS);
        step.addChunk(0, LatencyBudget.TILE_TOKENS);
        assertThat(budget.chunk(step, 0, 32_000)).as("one tile a step").isZero();
    }

    @Test
    void theFixedBudgetCountsTokensOnly() {
        FixedBudget budget = new FixedBudget(512);
        step.addDecodes(12, 1);
        assertThat(budget.chunk(step, 0, 10_000)).isEqualTo(500);
        step.addChunk(0, 500);
        assertThat(budget.chunk(step, 0, 10_000)).isZero();
    }

    @Test
    void aLongPromptIsOvertakenOnlyWithinItsWindow() {
        SizeAwareOrder order = new SizeAwareOrder(4);
        long second = 1_000_000_000;
        long longOne = order.rankNanos(0, 2.0 * second);
        assertThat(order.rankNanos(7 * second, 0.1 * second)).isLessThan(longOne);
        assertThat(order.rankNanos(8 * second, 0)).isGreaterThanOrEqualTo(longOne);
    }

    private static org.assertj.core.data.Percentage within(double share) {
        return org.assertj.core.data.Percentage.withPercentage(share * 100);
    }
}
