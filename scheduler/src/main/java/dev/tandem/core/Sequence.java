package dev.tandem.core;

import dev.tandem.admission.Terms;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Set;

/// One sequence: the tokens known so far and where it lives. It has no prefill or decode phase, only tokens that a
/// replica has not computed yet. Not thread-safe; owned by the core.
public final class Sequence {
    /// Where a sequence stands between submission and its one final answer.
    enum State {
        WAITING,
        PLACED,
        ENDED
    }

    /// Room for generated tokens that is taken at once; beyond, it doubles.
    private static final int GENERATED_AT_ONCE = 1024;

    private static final int WORDS = PrefixHasher.WORDS;

    private final long id;
    private final Prompt prompt;
    private final int promptTokens;
    private final int tokensMax;
    private final SamplingParameters sampling;
    private final Terms terms;
    private final int[] stopTokens;
    private final PrefixHasher hasher;
    private int[] generated;
    private int known;
    private long[] hashes;
    private int hashed = -1;

    State state = State.WAITING;
    int cachedTokens = -1;
    int recomputes;

    /// Set once a transfer failed: the next attempt computes where it decodes.
    boolean localOnly;

    /// Computes or waits to compute this sequence's tokens; null while waiting.
    @Nullable Residence residence;

    /// Set while KV is on its way from `residence` to a decode replica.
    @Nullable Handoff handoff;

    /// Since when nobody could serve it, 0 = not so.
    long unservedSinceNanos;

    Sequence(Event.Submit submit, PrefixHasher hasher) {
        this.hasher = hasher;
        this.id = submit.sequence();
        this.prompt = submit.prompt();
        this.promptTokens = prompt.length();
        this.tokensMax = promptTokens + submit.maxTokens();
        this.sampling = submit.sampling();
        this.terms = submit.terms();
        this.stopTokens = toArray(submit.stopTokenIds());
        this.generated = new int[Math.min(submit.maxTokens(), GENERATED_AT_ONCE)];
        this.known = promptTokens;
        this.hashes = prompt.hashes();
    }

    private static int[] toArray(Set<Integer> set) {
        int[] array = new int[set.size()];
        int i = 0;
        for (int value : set) {
            array[i++] = value;
        }
        return array;
    }

    public long id() {
        return id;
    }

    public int promptTokens() {
        return promptTokens;
    }

    public SamplingParameters sampling() {
        return sampling;
    }

    public Terms terms() {
        return terms;
    }

    /// Tokens known: the prompt and what was generated.
    public int known() {
        return known;
    }

    public int token(int position) {
        return position < promptTokens
                ? prompt.tokens()[position]
                : generated[position - promptTokens];
    }

    /// Prompt and output together may not exceed this.
    int tokensMax() {
        return tokensMax;
    }

    /// @return why the sequence ends with this token, or null
    @Nullable FinishReason append(int token) {
        int at = known++ - promptTokens;
        if (at == generated.length) {
            generated = Arrays.copyOf(generated, Math.min(tokensMax - promptTokens, at * 2));
        }
        generated[at] = token;
        for (int stop : stopTokens) {
            if (stop == token) {
                return FinishReason.STOP;
            }
        }
        return known >= tokensMax ? FinishReason.LENGTH : null;
    }

    /// Hashes of all full blocks of the known tokens; entries past `known / blockTokens` are undefined.
    long[] hashes(int blockTokens) {
        if (hashed < 0) {
            hashed = Math.min(hashes.length / WORDS, promptTokens / blockTokens);
        }
        int full = known / blockTokens;
        if (hashed < full) {
            hashFurther(full, blockTokens);
        }
        return hashes;
    }

    private void hashFurther(int full, int blockTokens) {
        if (hashes.length < full * WORDS || hashes == prompt.hashes()) {
            hashes = Arrays.copyOf(hashes, Math.max(full * WORDS, hashes.length));
        }
        int[] block = new int[blockTokens];
        for (; hashed < full; hashed++) {
            int from = hashed * blockTokens;
            if (from + blockTokens <= promptTokens) {
                hasher.next(hashes, hashed, prompt.tokens(), from, blockTokens, prompt.cacheSalt());
            } else {
                for (int i = 0; i < blockTokens; i++) {
                    block[i] = token(from + i);
                }
                hasher.next(hashes, hashed, block, 0, blockTokens, prompt.cacheSalt());
            }
        }
    }
}
