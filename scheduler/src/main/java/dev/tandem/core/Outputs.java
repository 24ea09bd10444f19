package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// Tokens for clients, in parallel arrays that are reused: many come with each step. Not thread-safe; owned by the core,
/// read between two of its calls.
public final class Outputs {
    private int size;
    private long[] sequences = new long[64];
    private int[] tokens = new int[64];
    private int[] cachedTokens = new int[64];
    private @Nullable TokenLogprobs[] logprobs = new TokenLogprobs[64];
    private boolean anyLogprobs;

    public int size() {
        return size;
    }

    public long sequence(int index) {
        return sequences[index];
    }

    public int token(int index) {
        return tokens[index];
    }

    /// Prompt tokens that the sequence's first placement found in a prefix cache.
    public int cachedTokens(int index) {
        return cachedTokens[index];
    }

    public @Nullable TokenLogprobs logprobs(int index) {
        return logprobs[index];
    }

    void clear() {
        if (anyLogprobs) {
            Arrays.fill(logprobs, 0, size, null);
            anyLogprobs = false;
        }
        size = 0;
    }

    /// Makes room for so many more.
    void reserve(int count) {
        if (size + count > sequences.length) {
            int more = Math.max(size + count, size * 2);
            sequences = Arrays.copyOf(sequences, more);
            tokens = Arrays.copyOf(tokens, more);
            cachedTokens = Arrays.copyOf(cachedTokens, more);
            logprobs = Arrays.copyOf(logprobs, more);
        }
    }

    /// Adds one without log-probabilities; there must be room.
    void add(long sequence, int token, int cached) {
        sequences[size] = sequence;
        tokens[size] = token;
        cachedTokens[size] = cached;
        size++;
    }

    void add(long sequence, int token, int cached, @Nullable TokenLogprobs logprob) {
        reserve(1);
        if (logprob != null) {
            logprobs[size] = logprob;
            anyLogprobs = true;
        }
        add(sequence, token, cached);
    }
}
