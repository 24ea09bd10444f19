package dev.tandem.sim.cost;

/// What one step of one worker computes, reduced to the sums on which its time depends.
///
/// A row is one sequence in the step. A decode is a row of one token; longer rows are (chunks of) prompts. The sums hold
/// what the linear layers see (tokens), what attention computes (pairs of a new token and a token it looks at) and what it
/// reads (context). Reused: [#clear], add the rows, hand it to [StepCost#nanos]. Owned by one engine, not thread-safe.
public final class StepShape {
    private int prefillRows;
    private long prefillTokens;
    private long prefillPairs;
    private long prefillContext;
    private int decodeRows;
    private long decodeContext;
    private int samples;

    /// Makes the step empty.
    public void clear() {
        prefillRows = 0;
        prefillTokens = 0;
        prefillPairs = 0;
        prefillContext = 0;
        decodeRows = 0;
        decodeContext = 0;
        samples = 0;
    }

    /// Adds a chunk of a prompt.
    ///
    /// @param before  tokens of the sequence computed before this step (cached ones too), 0 or more
    /// @param count   tokens computed in this step, 1 or more
    /// @param sampled whether the step also samples the token that follows (the chunk ends the prompt)
    public void addPrefill(int before, int count, boolean sampled) {
        prefillRows++;
        prefillTokens += count;
        prefillPairs += (long) count * before + (long) count * (count + 1) / 2;
        prefillContext += before + count;
        if (sampled) {
            samples++;
        }
    }

    /// Adds a running sequence that gets one token, sampled.
    ///
    /// @param context tokens attended to, the new one included, 1 or more
    public void addDecode(int context) {
        decodeRows++;
        decodeContext += context;
        samples++;
    }

    /// Adds `rows` running sequences at once, each of which gets one token, sampled.
    ///
    /// @param context the sum of their contexts, new tokens included
    public void addDecodes(int rows, long context) {
        decodeRows += rows;
        decodeContext += context;
        samples += rows;
    }

    /// @return the sequences with a chunk of prompt
    public int prefillRows() {
        return prefillRows;
    }

    /// @return the prompt tokens computed
    public long prefillTokens() {
        return prefillTokens;
    }

    /// @return the sum over chunks of `count x before + count (count + 1) / 2`: causal attention's pairs
    public long prefillPairs() {
        return prefillPairs;
    }

    /// @return the sum over chunks of `before + count`: KV entries that attention reads at least once
    public long prefillContext() {
        return prefillContext;
    }

    /// @return the running sequences that get one token
    public int decodeRows() {
        return decodeRows;
    }

    /// @return the sum of the decode rows' contexts, new token included
    public long decodeContext() {
        return decodeContext;
    }

    /// @return the rows for which logits are computed and a token is sampled
    public int samples() {
        return samples;
    }

    /// @return the rows that the linear layers see: `prefillTokens + decodeRows`
    public long tokens() {
        return prefillTokens + decodeRows;
    }

    @Override
    public String toString() {
        return "prefill "
                + prefillRows
                + " rows, "
                + prefillTokens
                + " tokens, "
                + prefillPairs
                + " pairs; decode "
                + decodeRows
                + " rows, "
                + decodeContext
                + " context; "
                + samples
                + " sampled";
    }
}
