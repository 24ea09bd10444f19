package dev.tandem.batching;

/// What one step computes, as sums. Reused; not thread-safe.
public final class StepMake {
    private int promptTokens;
    private double promptPairs;
    private int decodeRows;
    private long context;

    public void clear() {
        promptTokens = 0;
        promptPairs = 0;
        decodeRows = 0;
        context = 0;
    }

    /// @param rows sequences with one token each
    /// @param contextTokens tokens that they attend to, the new ones included
    public void addDecodes(int rows, long contextTokens) {
        decodeRows += rows;
        context += contextTokens;
    }

    /// @param before tokens of the sequence computed before
    /// @param count tokens of the chunk
    public void addChunk(int before, int count) {
        promptTokens += count;
        promptPairs += StepEstimator.pairs(before, count);
        context += before + count;
    }

    public int promptTokens() {
        return promptTokens;
    }

    public double promptPairs() {
        return promptPairs;
    }

    public int decodeRows() {
        return decodeRows;
    }

    /// Tokens that attention reads.
    public long context() {
        return context;
    }

    public int tokens() {
        return promptTokens + decodeRows;
    }

    public double nanos(StepEstimator estimator) {
        return estimator.nanos(promptTokens, promptPairs, decodeRows, context);
    }

    /// Of this step with one more chunk.
    double nanosWith(StepEstimator estimator, int before, int count) {
        return estimator.nanos(
                promptTokens + count,
                promptPairs + StepEstimator.pairs(before, count),
                decodeRows,
                context + before + count);
    }
}
