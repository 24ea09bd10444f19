package dev.tandem.core;

import dev.tandem.admission.AdmissionRequest;
import dev.tandem.admission.QueueEntry;
import dev.tandem.admission.Terms;
import dev.tandem.admission.WorkloadClass;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// One sequence: the tokens known so far and where it lives. It has no prefill or decode phase, only tokens that a
/// replica has not computed yet. Not thread-safe; owned by the core.
public final class Sequence extends QueueEntry {
    /// Where a sequence stands between submission and its one final answer.
    enum State {
        WAITING,
        PLACED,
        ENDED
    }

    /// Generated tokens whose blocks get their place in the table at once.
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

    /// Generated before the present run.
    private int[] generated = NO_TOKENS;

    /// Stale while it runs.
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

    /// Where it runs and has got a token: the [RunningBatch] there has its latest tokens.
    @Nullable Residence running;

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

    /// @param stopTokens those of the submission; may be shared, and is not changed
    /// @param rankNanos order within the tenant, see [dev.tandem.batching.PrefillOrder]
    Sequence(
            Event.Submit submit,
            AdmissionRequest request,
            int[] stopTokens,
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
        this.stopTokens = stopTokens;
        this.known = promptTokens;
        this.hashes = prompt.hashes();
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
        return known();
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
        Residence here = running;
        return here == null ? known : here.known();
    }

    /// A known token; not to be asked for while the sequence runs and has got a token there.
    public int token(int position) {
        return position < promptTokens
                ? prompt.tokens()[position]
                : generated[position - promptTokens];
    }

    /// Prompt and output together may not exceed this.
    int tokensMax() {
        return tokensMax;
    }

    /// As many tokens as memory is worth taking for at once.
    int tokensExpectedMax() {
        return Math.min(tokensMax, known + GENERATED_AT_ONCE);
    }

    int[] stopTokens() {
        return stopTokens;
    }

    /// Takes in a token that was sampled while the sequence does not run.
    ///
    /// @return why the sequence ends with this token, or null
    @Nullable FinishReason append(int token) {
        generated = Arrays.copyOf(generated, known + 1 - promptTokens);
        generated[known++ - promptTokens] = token;
        for (int stop : stopTokens) {
            if (stop == token) {
                return FinishReason.STOP;
            }
        }
        return known >= tokensMax ? FinishReason.LENGTH : null;
    }

    /// A run is over: takes its tokens back.
    ///
    /// @param first page of the run
    /// @param from position of its first token
    /// @param to tokens known now
    void takeBack(TokenPages pages, int first, int from, int to) {
        running = null;
        generated = Arrays.copyOf(generated, to - promptTokens);
        pages.copy(first, from, to, generated, from - promptTokens);
        known = to;
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
                int ofPrompt = Math.max(0, promptTokens - from);
                System.arraycopy(prompt.tokens(), promptTokens - ofPrompt, block, 0, ofPrompt);
                System.arraycopy(
                        generated,
                        Math.max(0, from - promptTokens),
                        block,
                        ofPrompt,
                        blockTokens - ofPrompt);
                hasher.next(hashes, hashed, block, 0, blockTokens, prompt.cacheSalt());
            }
        }
    }
}
