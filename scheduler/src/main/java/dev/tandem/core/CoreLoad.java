package dev.tandem.core;

import dev.tandem.admission.Lane;
import dev.tandem.admission.LoadView;
import dev.tandem.batching.PrefillOrder;
import dev.tandem.batching.Surprise;

/// What admission may know of the load, computed from the core's state when asked. Owned by the core.
final class CoreLoad implements LoadView {
    private static final Lane[] LANES = Lane.values();
    private static final double RATE_SHARE_MIN = 0.1;
    private static final double PROMISES_KEPT = 0.9;

    private final WaitingQueue waiting;
    private final PrefillOrder order;
    private final boolean mixed;
    private final Surprise surprise = new Surprise(PROMISES_KEPT);
    private final double[] shares = new double[LANES.length];
    private Replica[] replicas = {};
    private boolean hasPrefillRole;
    private long nowNanos;

    CoreLoad(CoreOptions options, WaitingQueue waiting) {
        this.waiting = waiting;
        this.order = options.batching().prefillOrder();
        this.mixed = options.placement().roles() == PlacementOptions.Roles.MIXED;
        for (int i = 0; i < shares.length; i++) {
            shares[i] = options.admission().laneShares().get(i);
        }
    }

    void replicasChanged(Replica[] all) {
        replicas = all;
        hasPrefillRole = false;
        for (Replica replica : all) {
            hasPrefillRole |= replica.facts().role() == ReplicaRole.PREFILL;
        }
    }

    CoreLoad at(long now) {
        nowNanos = now;
        return this;
    }

    /// The wait of its lane's queue, at the lane's share of what leaves the queue, and then the prompt itself behind
    /// what its replica has taken already.
    @Override
    public double predictedTtftSeconds(int promptTokens, Lane lane, long shedTokens) {
        if (replicas.length == 0) {
            return 0; // whoever waits in vain is told so in time
        }
        double idle = bestSeconds(promptTokens, false);
        long rank = order.rankNanos(nowNanos, idle * 1e9);
        long ahead = waiting.tokensBefore(lane, rank);
        double wait =
                ahead == 0
                        ? 0
                        : waiting.overtaken(
                                lane,
                                promptTokens,
                                ahead,
                                rate() * shareOf(lane, shedTokens),
                                (rank - nowNanos) * 1e-9);
        double late = ahead == 0 ? lateSeconds(leastQueueSeconds()) : surprise.seconds();
        return wait + bestSeconds(promptTokens, true) + late;
    }

    @Override
    public double unloadedTtftSeconds(int promptTokens) {
        return bestSeconds(promptTokens, false);
    }

    @Override
    public double predictedTpotSeconds() {
        double slowest = 0;
        for (Replica replica : replicas) {
            slowest = Math.max(slowest, replica.decodeSeconds());
        }
        return slowest;
    }

    @Override
    public long queuedTokens(Lane lane) {
        return waiting.fair().tokens(lane);
    }

    @Override
    public long shedTokens(Lane lane) {
        return waiting.fair().shedTokens(lane);
    }

    @Override
    public int shedSequences(Lane lane) {
        return waiting.fair().shedSequences(lane);
    }

    @Override
    public long placedTokens() {
        long tokens = 0;
        for (Replica replica : replicas) {
            tokens += replica.pendingPrefillTokens();
        }
        return tokens;
    }

    @Override
    public int queuedSequences() {
        return waiting.size();
    }

    @Override
    public double drainTokensPerSecond() {
        return waiting.drainTokensPerSecond(nowNanos);
    }

    /// The part of the service that a lane gets while others wait as well; of lower lanes `shedTokens` are gone.
    private double shareOf(Lane lane, long shedTokens) {
        double all = 0;
        double below = 0;
        long tokensBelow = 0;
        for (int i = 0; i < shares.length; i++) {
            long tokens = waiting.fair().tokens(LANES[i]);
            if (i == lane.ordinal() || tokens > 0) {
                if (i > lane.ordinal()) {
                    below += shares[i];
                    tokensBelow += tokens;
                } else {
                    all += shares[i];
                }
            }
        }
        double left = tokensBelow == 0 ? 0 : 1 - Math.min(1, (double) shedTokens / tokensBelow);
        return shares[lane.ordinal()] / (all + below * left);
    }

    /// What leaves the queue per second, of late, but within a factor of ten of what the replicas could compute: a
    /// standstill that is over says little of what comes.
    private double rate() {
        double capacity = 0;
        for (Replica replica : replicas) {
            if (computesPrompts(replica)) {
                int tokens = replica.stepTokensMax();
                capacity += tokens / Math.max(1e-9, replica.prefillSeconds(0, tokens));
            }
        }
        double drained = waiting.drainTokensPerSecond(nowNanos);
        return drained > 0
                ? Math.clamp(drained, capacity * RATE_SHARE_MIN, capacity / RATE_SHARE_MIN)
                : capacity;
    }

    private double bestSeconds(int promptTokens, boolean behindOthers) {
        double best = Double.POSITIVE_INFINITY;
        for (Replica replica : replicas) {
            if (computesPrompts(replica)) {
                double seconds = replica.prefillSeconds(0, promptTokens);
                best = Math.min(best, behindOthers ? seconds + replica.queueSeconds() : seconds);
            }
        }
        return Double.isInfinite(best) ? 0 : best;
    }

    /// A first token has come.
    ///
    /// @param predictedSeconds from the placement, as predicted then
    void started(double predictedSeconds, double actualSeconds) {
        surprise.observe(predictedSeconds, actualSeconds);
    }

    /// Until the first replica would start what waits, and what first tokens are late by after that.
    double leastStartSeconds() {
        double queue = leastQueueSeconds();
        return queue + lateSeconds(queue);
    }

    /// On an idle replica nobody is refused for what was late before: else nothing would ever come to show better.
    private double lateSeconds(double queueSeconds) {
        return queueSeconds > 0 ? surprise.seconds() : 0;
    }

    private double leastQueueSeconds() {
        double least = Double.POSITIVE_INFINITY;
        for (Replica replica : replicas) {
            if (computesPrompts(replica)) {
                least = Math.min(least, replica.queueSeconds());
            }
        }
        return Double.isInfinite(least) ? 0 : least;
    }

    private boolean computesPrompts(Replica replica) {
        return mixed || !hasPrefillRole || replica.facts().role() == ReplicaRole.PREFILL;
    }
}
