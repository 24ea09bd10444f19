package dev.tandem.batching;

/// How the steps of a replica are filled.
///
/// @param budget what bounds the prompt tokens of a step
/// @param cap what bounds the running sequences
/// @param order which prompt goes first
/// @param tpotMillis objective for the time from one token to the next, where no workload class has a stricter one
/// @param tpotShare part of the objective that a step may take: the rest covers the result's way and surprises
/// @param stretch of [SizeAwareOrder]
/// @param capWindowSteps of [AdaptiveCap]
public record BatchingOptions(
        Budget budget,
        Cap cap,
        Order order,
        int tpotMillis,
        double tpotShare,
        double stretch,
        int capWindowSteps) {

    /// What bounds the prompt tokens of a step.
    public enum Budget {
        FIXED,
        LATENCY
    }

    /// What bounds the running sequences.
    public enum Cap {
        FIXED,
        ADAPTIVE
    }

    /// Which prompt goes first.
    public enum Order {
        FIRST_COME,
        SIZE_AWARE
    }

    /// The cap is fixed: whether a device can hold an objective at all is for its owner to say. Where it can't, an adaptive
    /// cap would give throughput away for nothing.
    public static BatchingOptions defaults() {
        return new BatchingOptions(Budget.LATENCY, Cap.FIXED, Order.SIZE_AWARE, 100, 0.9, 12, 16);
    }

    public BatchingOptions {
        if (tpotMillis < 1) {
            throw new IllegalArgumentException("tpotMillis must be at least 1, is " + tpotMillis);
        }
        if (!(tpotShare > 0 && tpotShare <= 1)) {
            throw new IllegalArgumentException(
                    "tpotShare must be above 0 and at most 1, is " + tpotShare);
        }
        if (!(stretch >= 0 && stretch < 1e6)) {
            throw new IllegalArgumentException("stretch must be from 0 to 1e6, is " + stretch);
        }
        if (capWindowSteps < 1) {
            throw new IllegalArgumentException(
                    "capWindowSteps must be at least 1, is " + capWindowSteps);
        }
    }

    /// @param objectiveMillis time from one token to the next
    public StepBudget stepBudget(StepEstimator estimator, int stepTokensMax, int objectiveMillis) {
        return switch (budget) {
            case FIXED -> new FixedBudget(stepTokensMax);
            case LATENCY ->
                    new LatencyBudget(estimator, stepTokensMax, objectiveMillis * 1e6 * tpotShare);
        };
    }

    /// @param objectiveMillis time from one token to the next
    public ConcurrencyCap concurrencyCap(int sequencesMax, int objectiveMillis) {
        return switch (cap) {
            case FIXED -> new FixedCap(sequencesMax);
            case ADAPTIVE ->
                    new AdaptiveCap(4, sequencesMax, objectiveMillis * 1e6, capWindowSteps);
        };
    }

    public PrefillOrder prefillOrder() {
        return switch (order) {
            case FIRST_COME -> new FirstComeOrder();
            case SIZE_AWARE -> new SizeAwareOrder(stretch);
        };
    }
}
