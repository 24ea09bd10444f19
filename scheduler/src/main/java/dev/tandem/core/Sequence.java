package dev.tandem.core;

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

    private final long id;
    private final int promptTokens;
    private final int tokensMax;
    private final SamplingParameters sampling;
    private final Set<Integer> stopTokenIds;
    private final String cacheSalt;
    private final PrefixHasher hasher;
    private int[] tokens;
    private int known;
    private byte[][] hashes;
    private int hashed;

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
        this.promptTokens = submit.promptTokens().length;
        this.tokensMax = promptTokens + submit.maxTokens();
        this.sampling = submit.sampling();
        this.stopTokenIds = submit.stopTokenIds();
        this.cacheSalt = submit.cacheSalt();
        this.tokens = submit.promptTokens();
        this.known = promptTokens;
        this.hashes = submit.promptHashes();
        this.hashed = hashes.length;
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

    /// Tokens known: the prompt and what was generated.
    public int known() {
        return known;
    }

    public int token(int position) {
        return tokens[position];
    }

    /// Prompt and output together may not exceed this.
    int tokensMax() {
        return tokensMax;
    }

    /// @return why the sequence ends with this token, or null
    @Nullable FinishReason append(int token) {
        if (known == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(tokensMax, Math.max(known + 16, known * 2)));
        }
        tokens[known++] = token;
        if (stopTokenIds.contains(token)) {
            return FinishReason.STOP;
        }
        return known >= tokensMax ? FinishReason.LENGTH : null;
    }

    /// Hashes of all full blocks of the known tokens; entries past `known / blockTokens` are undefined.
    byte[][] hashes(int blockTokens) {
        int full = known / blockTokens;
        if (hashes.length < full) {
            hashes = Arrays.copyOf(hashes, Math.max(full, hashes.length * 2));
        }
        while (hashed < full) {
            hashes[hashed] = hasher.next(hashes, hashed, tokens, blockTokens, cacheSalt);
            hashed++;
        }
        return hashes;
    }
}
