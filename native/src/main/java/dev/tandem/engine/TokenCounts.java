package dev.tandem.engine;

import org.agrona.collections.Int2IntHashMap;

import java.util.Arrays;

/// The distinct ids of one sequence with how often each was generated, kept up to date token by token, so that
/// penalties cost O(distinct ids) and not O(context). Ids that only stand in the prompt count 0.
final class TokenCounts {
    private final Int2IntHashMap slotOfToken = new Int2IntHashMap(-1);
    private int[] tokens = new int[64];
    private int[] outputCounts = new int[64];
    private int distinct;

    void addPrompt(int token) {
        slot(token);
    }

    void addOutput(int token) {
        int slot = slot(token); // first: it may replace the array
        outputCounts[slot]++;
    }

    int distinct() {
        return distinct;
    }

    /// @param slot below [#distinct]; slots are in the order of first appearance
    int token(int slot) {
        return tokens[slot];
    }

    int outputCount(int slot) {
        return outputCounts[slot];
    }

    private int slot(int token) {
        int known = slotOfToken.get(token);
        if (known >= 0) {
            return known;
        }
        if (distinct == tokens.length) {
            tokens = Arrays.copyOf(tokens, distinct * 2);
            outputCounts = Arrays.copyOf(outputCounts, distinct * 2);
        }
        tokens[distinct] = token;
        outputCounts[distinct] = 0;
        slotOfToken.put(token, distinct);
        return distinct++;
    }
}
