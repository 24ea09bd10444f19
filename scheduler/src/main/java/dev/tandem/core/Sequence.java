package dev.tandem.core;

import dev.tandem.admission.AdmissionRequest;
import dev.tandem.admission.QueueEntry;
import dev.tandem.admission.Terms;
import dev.tandem.admission.WorkloadClass;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Set;

/// One sequence: the tokens known so far and where it lives. It has no prefill or decode phase, only tokens that a
/// replica has not computed yet. Not thread-safe; owned by the core.
public final class Sequence extends QueueEntry {
    /// Where a sequence stands between submission and its one final answer.
    enum State {
        WAITING,
        PLACED,
        ENDED
    }

    /// Room for generated tokens that is taken at once; beyond, it doubles.
    private static final int GENERATED_AT_ONCE = 4096;

    private static final int WORDS = PrefixHasher.WORDS;
    private static final int[] NO_TOKENS = {};

    private final Prompt prompt;
    private final int promptTokens;
    private final int tokensMax;
    private final SamplingParameters sampling;
    private final Terms terms;
    private final AdmissionRequest request;
    private final long arrivalNanos;
    private final long rankNanos;
    private final int[] stopTokens;
    private final PrefixHasher hasher;
    private int[] generated;
    private int known;
    private long[] hashes;
    private int hashed = -1;

    State state = State.WAITING;
    int cachedTokens = -1;
    int recomputes;

    /// Placements so far.
    int attempts;

    /// Prompt tokens that its tenant has paid for: computing them again is free.
    int chargedTokens;

    /// Set once a transfer failed: the next attempt computes where it decodes.
    boolean localOnly;

    /// Where it is computed or waits to be; null while waiting.
    @Nullable Attempt attempt;

    /// A second prefill elsewhere, in case the first one is late.
    @Nullable Attempt hedge;

    /// When it was first placed; what a hedge's delay is counted from.
    long firstPlacedNanos;

    /// When its first token came, 0 = not yet.
    long firstTokenNanos;

    /// It may not be placed before: retries have used up their budget.
    long notBeforeNanos;

    /// Since when nobody could serve it, 0 = not so.
    long unservedSinceNanos;

    /// Uncached prompt tokens of the placement just made.
    int placedTokens;

    /// @param rankNanos order within the tenant, see [dev.tandem.batching.PrefillOrder]
    Sequence(
            Event.Submit submit,
            AdmissionRequest request,
            PrefixHasher hasher,
            long arrivalNanos,
            long rankNanos) {
        super(submit.sequence(), request.lane(), request.account());
        this.request = request;
        this.arrivalNanos = arrivalNanos;
        this.rankNanos = rankNanos;
        this.hasher = hasher;
        this.prompt = submit.prompt();
        this.promptTokens = prompt.length();
        this.tokensMax = promptTokens + request.outputTokensMax();
        this.sampling = submit.sampling();
        this.terms = submit.terms();
        this.stopTokens = toArray(submit.stopTokenIds());
        this.generated = new int[Math.min(request.outputTokensMax(), GENERATED_AT_ONCE)];
        this.known = promptTokens;
        this.hashes = prompt.hashes();
    }

    private static int[] toArray(Set<Integer> set) {
        if (set.isEmpty()) {
            return NO_TOKENS;
        }
        int[] array = new int[set.size()];
        int i = 0;
        for (int value : set) {
            array[i++] = value;
        }
        return array;
    }

    public long id() {
        return sequenceId();
    }

    AdmissionRequest request() {
        return request;
    }

    WorkloadClass workload() {
        return request.workload();
    }

    @Override
    public long rankNanos() {
        return rankNanos;
    }

    @Override
    public long arrivalNanos() {
        return arrivalNanos;
    }

    @Override
    public int waitingTokens() {
        return known;
    }

    @Override
    public int owedTokens() {
        return placedTokens;
    }

    @Override
    public boolean isResumed() {
        return attempts > 0;
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

    /// The attempt that computes in this residence, or null.
    @Nullable Attempt attemptOf(Residence residence) {
        Attempt first = attempt;
        if (first != null && first.from == residence) {
            return first;
        }
        Attempt second = hedge;
        return second != null && second.from == residence ? second : null;
    }

    /// The attempt whose KV goes to this residence, or null.
    @Nullable Attempt attemptTo(Residence residence) {
        Attempt first = attempt;
        if (first != null && first.handoff != null && first.handoff.to == residence) {
            return first;
        }
        Attempt second = hedge;
        return second != null && second.handoff != null && second.handoff.to == residence
                ? second
                : null;
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

    /// Names the beginning of the prompt, for affinity: its first block's hash as far as one is known; else 0.
    long prefixKey() {
        return hashes.length == 0 ? 0 : hashes[0];
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
