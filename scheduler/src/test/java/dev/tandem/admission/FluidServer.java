package dev.tandem.admission;

import dev.tandem.admission.FairQueue.Decision;

import java.util.concurrent.TimeUnit;

/// A server that computes one prompt after the other, a fixed number of tokens per second, so that every prediction can
/// be exact.
final class FluidServer implements LoadView {
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);
    final FairQueue<Waiting> queue;
    private final double tokensPerSecond;
    private double leftOfCurrent;
    private long nowNanos;

    FluidServer(AdmissionOptions options, double tokensPerSecond) {
        this.queue = new FairQueue<>(options);
        this.tokensPerSecond = tokensPerSecond;
    }

    long nowNanos() {
        return nowNanos;
    }

    void advanceMillis(long millis) {
        double tokens = millis / 1000.0 * tokensPerSecond;
        nowNanos += TimeUnit.MILLISECONDS.toNanos(millis);
        while (true) {
            double done = Math.min(tokens, leftOfCurrent);
            tokens -= done;
            leftOfCurrent -= done;
            if (leftOfCurrent > 0 || queue.size() == 0) {
                return;
            }
            queue.visit(
                    entry -> {
                        if (leftOfCurrent > 0) {
                            return Decision.STOP;
                        }
                        leftOfCurrent = entry.prompt;
                        return Decision.TAKE;
                    },
                    0);
        }
    }

    /// Sheds as a verdict says.
    ///
    /// @return how many were shed
    int shed(Verdict.AcceptByShedding shedding) {
        long tokens = shedding.tokens();
        int sequences = 0;
        while (tokens > 0 || sequences < shedding.sequences()) {
            if (!(queue.shedCandidate(shedding.lane()) instanceof Waiting entry)) {
                throw new AssertionError("less to shed than promised");
            }
            tokens -= entry.queuedTokens;
            sequences++;
            queue.remove(entry);
        }
        return sequences;
    }

    double seconds(long sinceNanos) {
        return (nowNanos - sinceNanos) / NANOS_PER_SECOND;
    }

    @Override
    public double predictedTtftSeconds(int promptTokens, Lane lane, long shedTokens) {
        return (queue.tokens() - shedTokens + leftOfCurrent + promptTokens) / tokensPerSecond;
    }

    @Override
    public double unloadedTtftSeconds(int promptTokens) {
        return promptTokens / tokensPerSecond;
    }

    @Override
    public double predictedTpotSeconds() {
        return 0.01;
    }

    @Override
    public long queuedTokens(Lane lane) {
        return queue.tokens(lane);
    }

    @Override
    public long shedTokens(Lane lane) {
        return queue.shedTokens(lane);
    }

    @Override
    public int shedSequences(Lane lane) {
        return queue.shedSequences(lane);
    }

    @Override
    public long placedTokens() {
        return (long) Math.ceil(leftOfCurrent);
    }

    @Override
    public int queuedSequences() {
        return queue.size();
    }

    @Override
    public double drainTokensPerSecond() {
        return tokensPerSecond;
    }
}
