package dev.tandem.batching;

/// As many prompt tokens as keep the predicted step within the time that running sequences may wait for their next
/// token, in whole tiles, at most `stepTokensMax`. A step without running sequences takes all it can. Where the running
/// sequences alone take longer than allowed, one tile still goes in: prompts always move on (bounded alternation).
public final class LatencyBudget implements StepBudget {
    /// Products on tensor cores work in tiles; a chunk of 257 tokens costs like one of 384.
    public static final int TILE_TOKENS = 128;

    private final StepEstimator estimator;
    private final int stepTokensMax;
    private final double stepNanosMax;

    /// @param stepNanosMax longest step while sequences are running
    public LatencyBudget(StepEstimator estimator, int stepTokensMax, double stepNanosMax) {
        this.estimator = estimator;
        this.stepTokensMax = stepTokensMax;
        this.stepNanosMax = stepNanosMax;
    }

    @Override
    public int chunk(StepMake step, int before, int pending) {
        int most = Math.min(pending, stepTokensMax - step.tokens());
        if (most <= 0 || step.decodeRows() == 0) {
            return Math.max(0, most);
        }
        if (step.nanosWith(estimator, before, most) <= stepNanosMax) {
            return most;
        }
        int low = 0; // whole tiles known to fit
        int high = Math.ceilDiv(most, TILE_TOKENS); // known not to
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (step.nanosWith(estimator, before, middle * TILE_TOKENS) <= stepNanosMax) {
                low = middle;
            } else {
                high = middle;
            }
        }
        boolean first = step.promptTokens() == 0;
        return Math.min(most, Math.max(low, first ? 1 : 0) * TILE_TOKENS);
    }
}
