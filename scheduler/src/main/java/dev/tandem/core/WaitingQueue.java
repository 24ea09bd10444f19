package dev.tandem.core;

import dev.tandem.admission.FairQueue;
import dev.tandem.admission.Lane;
import dev.tandem.batching.BatchingOptions;

import java.util.ArrayList;
import java.util.List;

/// Sequences that live nowhere yet: those that may be placed, in the order of the [FairQueue], and those that have to
/// wait until a time, because retries have used up their budget. Not thread-safe; owned by the core.
final class WaitingQueue {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double RATE_HALF_LIFE_SECONDS = 2;
    private static final int SIZES = 32 * 4;

    private final FairQueue<Sequence> queue;
    private final List<Sequence> delayed = new ArrayList<>();
    private long delayedTokens;

    /// Queued tokens by lane and size of the prompt, where short prompts go first.
    private final long[][] tokensBySize = new long[Lane.values().length][SIZES];

    private final boolean isSizeAware;
    private double taken;
    private double watchedSeconds;
    private long watchedNanos;

    WaitingQueue(CoreOptions options) {
        this.queue = new FairQueue<>(options.admission());
        this.isSizeAware = options.batching().order() == BatchingOptions.Order.SIZE_AWARE;
    }

    int size() {
        return queue.size() + delayed.size();
    }

    /// Whether anything may be placed.
    boolean isEmpty() {
        return queue.size() == 0;
    }

    /// Known tokens of all sequences.
    long tokens() {
        return queue.tokens() + delayedTokens;
    }

    FairQueue<Sequence> fair() {
        return queue;
    }

    void add(Sequence sequence, long nowNanos) {
        if (sequence.notBeforeNanos > nowNanos) {
            delayed.add(sequence);
            delayedTokens += sequence.known();
        } else {
            watch(nowNanos);
            queue.add(sequence);
            count(sequence, sequence.known());
        }
    }

    private void count(Sequence sequence, int tokens) {
        tokensBySize[sequence.lane().ordinal()][sizeOf(sequence.promptTokens())] += tokens;
    }

    /// Classes of prompt lengths, four to an octave.
    private static int sizeOf(int promptTokens) {
        int octave = 31 - Integer.numberOfLeadingZeros(promptTokens);
        int quarter = octave < 2 ? 0 : (promptTokens >>> (octave - 2)) & 3;
        return octave * 4 + quarter;
    }

    /// Queued tokens of a lane that go before a prompt of this length, were it to join now: all of them when the order is
    /// that of arrival, those of no longer prompts when short ones go first.
    long tokensBefore(Lane lane, int promptTokens) {
        if (!isSizeAware) {
            return queue.tokens(lane);
        }
        long[] bySize = tokensBySize[lane.ordinal()];
        long tokens = 0;
        for (int size = sizeOf(promptTokens); size >= 0; size--) {
            tokens += bySize[size];
        }
        return tokens;
    }

    /// A sequence that a visitor is about to take.
    void taking(Sequence sequence) {
        count(sequence, -sequence.known());
    }

    void remove(Sequence sequence, long nowNanos) {
        if (sequence.isQueued()) {
            watch(nowNanos);
            queue.remove(sequence);
            count(sequence, -sequence.known());
        } else if (delayed.remove(sequence)) {
            delayedTokens -= sequence.known();
        }
    }

    /// Lets those in whose time has come.
    void wake(long nowNanos) {
        for (int i = 0; i < delayed.size(); ) {
            Sequence sequence = delayed.get(i);
            if (sequence.notBeforeNanos > nowNanos) {
                i++;
            } else {
                delayed.remove(i);
                delayedTokens -= sequence.known();
                add(sequence, nowNanos);
            }
        }
    }

    int visit(FairQueue.Visitor<Sequence> visitor, int looksMax, long nowNanos) {
        watch(nowNanos);
        long before = queue.tokens();
        int placed = queue.visit(visitor, looksMax);
        taken += before - queue.tokens();
        return placed;
    }

    void charge(Sequence sequence, int promptTokens, int outputTokens) {
        queue.charge(sequence, promptTokens, outputTokens);
    }

    void settle(Sequence sequence) {
        queue.settle(sequence);
    }

    /// Waiting tokens that were placed per second, of late, while there were any; 0 = nothing is known.
    double drainTokensPerSecond(long nowNanos) {
        watch(nowNanos);
        return watchedSeconds < RATE_HALF_LIFE_SECONDS / 4 ? 0 : taken / watchedSeconds;
    }

    /// Only times count in which something waits: an idle queue drains at no rate.
    private void watch(long nowNanos) {
        if (queue.size() > 0) {
            watchedSeconds += (nowNanos - watchedNanos) / NANOS_PER_SECOND;
            while (watchedSeconds > 2 * RATE_HALF_LIFE_SECONDS) {
                watchedSeconds /= 2;
                taken /= 2;
            }
        }
        watchedNanos = nowNanos;
    }
}
