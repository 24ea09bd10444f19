package dev.tandem.batching;

/// So many tokens a step, whatever they cost: vLLM's `max_num_batched_tokens`, Sarathi-Serve's token budget.
public final class FixedBudget implements StepBudget {
    private final int stepTokensMax;

    public FixedBudget(int stepTokensMax) {
        this.stepTokensMax = stepTokensMax;
    }

    @Override
    public int chunk(StepMake step, int before, int pending) {
        return Math.max(0, Math.min(pending, stepTokensMax - step.tokens()));
    }
}
