package dev.tandem.batching;

/// How many prompt tokens a step still takes. One per replica; not thread-safe, owned by the core.
public interface StepBudget {
    /// @param step what the step computes so far: running sequences first, then chunks
    /// @param before tokens of the prompt in question that are computed already
    /// @param pending its tokens that are not
    /// @return how many of `pending` to compute now; 0 = the step is full
    int chunk(StepMake step, int before, int pending);
}
