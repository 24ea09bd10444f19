package dev.tandem.core;

import dev.tandem.admission.FairQueue;
import dev.tandem.admission.Lane;

import java.util.ArrayList;
import java.util.List;

/// Sequences that live nowhere yet: those that may be placed, in the order of the [FairQueue], and those that have to
/// wait until a time, because retries have used up their budget. Not thread-safe; owned by the core.
final class WaitingQueue {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double RATE_HALF_LIFE_SECONDS = 2;
    private static final int SIZES = 32 * 4;
    private static final int SLOTS = 4096;
    private static final int SLOT_NANOS_LOG2 = 24;
    private static final int ROUNDS = 4;
    private static final double ARRIVALS_SECONDS = 8;

    private final FairQueue<Sequence> queue;
    private final List<Sequence> delayed = new ArrayList<>();
    private long delayedTokens;

    /// Queued tokens by lane and rank, a ring of slots.
    private final long[][] tokensByRank = new long[Lane.values().length][SLOTS];

    /// Tokens that arrived of late, by lane and size of the prompt.
    private final double[][] arrivedBySize = new double[Lane.values().length][SIZES];

    /// The time in which they did, at least one second.
    private double arrivedSeconds = 1;

    private long arrivedNanos;

    private double taken;
    private double watchedSeconds;
    private long watchedNanos;
    private long backlogSinceNanos;

    WaitingQueue(CoreOptions options) {
        this.queue = new FairQueue<>(options.admission());
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
            if (queue.size() == 0) {
                backlogSinceNanos = nowNanos;
            }
            arrived(sequence, nowNanos);
            queue.add(sequence);
            count(sequence, sequence.known());
        }
    }

    private void count(Sequence sequence, int tokens) {
        tokensByRank[sequence.lane().ordinal()][slot(sequence.rankNanos())] += tokens;
    }

    private static int slot(long rankNanos) {
        return (int) (rankNanos >> SLOT_NANOS_LOG2) & (SLOTS - 1);
    }

    /// Queued tokens of a lane that go before a sequence of this rank, to 17 ms: those of ranks up to 34 s less.
    long tokensBefore(Lane lane, long rankNanos) {
        long[] byRank = tokensByRank[lane.ordinal()];
        if (queue.tokens(lane) == 0) {
            return 0;
        }
        int last = slot(rankNanos);
        long tokens = 0;
        for (int i = 0; i < SLOTS / 2; i++) {
            tokens += byRank[(last - i) & (SLOTS - 1)];
        }
        return tokens;
    }

    /// How long a prompt waits for what is ahead of it and for shorter ones that arrive while it waits and overtake it: the
    /// least `w` with
    /// ```
    /// w = (ahead + sum over sizes of arrivalRate x min(w, head start)) / rate
    /// ```
    /// approached from below in a few rounds.
    ///
    /// @param ahead tokens that go before it now
    /// @param rate tokens of the lane that leave the queue per second
    /// @param stretchSeconds how much later than it others may come and still go first, if they take no time at all
    /// @return seconds
    double overtaken(Lane lane, int promptTokens, long ahead, double rate, double stretchSeconds) {
        double wait = ahead / rate;
        double[] arrivals = arrivedBySize[lane.ordinal()];
        int own = sizeOf(promptTokens);
        for (int round = 0; round < ROUNDS && stretchSeconds > 0; round++) {
            double overtaking = 0;
            for (int size = 0; size < own; size++) {
                if (arrivals[size] > 0) {
                    double headStart = stretchSeconds * (1 - tokensOf(size) / promptTokens);
                    overtaking += arrivals[size] * Math.min(wait, headStart);
                }
            }
            wait = (ahead + overtaking / arrivedSeconds) / rate;
        }
        return wait;
    }

    /// Classes of prompt lengths, four to an octave.
    private static int sizeOf(int promptTokens) {
        int octave = 31 - Integer.numberOfLeadingZeros(promptTokens);
        int quarter = octave < 2 ? 0 : (promptTokens >>> (octave - 2)) & 3;
        return octave * 4 + quarter;
    }

    /// The middle of a class.
    private static double tokensOf(int size) {
        return (1 + ((size & 3) + 0.5) / 4) * (1L << (size >> 2));
    }

    private void arrived(Sequence sequence, long nowNanos) {
        if (sequence.isResumed()) {
            return;
        }
        if (arrivedNanos != 0) {
            double since = (nowNanos - arrivedNanos) / NANOS_PER_SECOND;
            arrivedSeconds += Math.min(ARRIVALS_SECONDS, since);
        }
        arrivedNanos = nowNanos;
        arrivedBySize[sequence.lane().ordinal()][sizeOf(sequence.promptTokens())] +=
                sequence.known();
        if (arrivedSeconds > ARRIVALS_SECONDS) {
            arrivedSeconds /= 2;
            for (double[] bySize : arrivedBySize) {
                for (int i = 0; i < bySize.length; i++) {
                    bySize[i] /= 2;
                }
            }
        }
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
        if (backlogSinceNanos
                < nowNanos) { // who comes and goes at once says nothing of a backlog's speed
            taken += before - queue.tokens();
        }
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
