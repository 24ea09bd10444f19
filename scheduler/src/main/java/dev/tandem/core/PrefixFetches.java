package dev.tandem.core;

import org.jspecify.annotations.Nullable;

/// Fetches a cached prefix from the replica that holds most of it, when that is predicted to be faster than computing it
/// again where the rest is computed:
/// ```
/// steps that the lender has in flight + bytes / link x what transfers took of late + rest  <  all that is not cached here
/// ```
/// A fetch is a [Handoff] under a lease like any other, the other way round: the blocks are there already, so one send
/// moves them all, and the computing residence waits for them. The lender's blocks are pinned by a residence of their
/// own. A fetch that fails, or takes too long, fails the attempt: the next one computes. Owned by the core.
final class PrefixFetches {
    /// Fewer are not worth a lease.
    private static final int BLOCKS_MIN = 2;

    private static final double UNKNOWN_BYTES_PER_SECOND = 1e9;

    private final PlacementOptions rules;
    private final CoreCounters counters;
    private final HandoffDesk handoffs;
    private Replica[] replicas = {};
    private final LearnedRatio ratio = new LearnedRatio();

    // What was found for the question being asked.
    private long foundFor = -1;
    private @Nullable Replica richest;
    private int richestTokens;

    PrefixFetches(CoreOptions options, CoreCounters counters, HandoffDesk handoffs) {
        this.rules = options.placement();
        this.counters = counters;
        this.handoffs = handoffs;
    }

    void replicasChanged(Replica[] all) {
        replicas = all;
        foundFor = -1;
    }

    /// Predicted seconds until the prompt is computed on this replica with the help of another one's cache; infinite if
    /// there is none that helps.
    double seconds(RouteQuestion question, Sequence sequence, Replica to) {
        Replica lender = lender(question, sequence, to);
        if (lender == null) {
            return Double.POSITIVE_INFINITY;
        }
        return fetchSeconds(lender, to, richestTokens - question.cachedTokens(to))
                + to.prefillSeconds(richestTokens, sequence.known() - richestTokens);
    }

    private @Nullable Replica lender(RouteQuestion question, Sequence sequence, Replica to) {
        if (rules.fetchMillisMax() == 0 || sequence.fetchBarred) {
            return null;
        }
        if (foundFor != question.number()) {
            foundFor = question.number();
            findRichest(question);
        }
        Replica lender = richest;
        boolean isWorthIt =
                lender != null
                        && lender != to
                        && lender.facts().model().equals(to.facts().model())
                        && richestTokens - question.cachedTokens(to)
                                >= BLOCKS_MIN * to.facts().blockTokens()
                        && to.facts().device().kvBytesPerToken() > 0;
        return isWorthIt ? lender : null;
    }

    private void findRichest(RouteQuestion question) {
        richest = null;
        richestTokens = 0;
        for (Replica replica : replicas) {
            int cached = question.cachedTokens(replica);
            if (cached > richestTokens) {
                richest = replica;
                richestTokens = cached;
            }
        }
    }

    private double fetchSeconds(Replica lender, Replica to, int tokens) {
        double bytes = tokens * to.facts().device().kvBytesPerToken();
        double rate =
                Math.min(
                        bytesPerSecond(lender.facts().device().linkBytesPerSecond()),
                        bytesPerSecond(to.facts().device().linkBytesPerSecond()));
        return lender.plansInFlight() * lender.decodeSeconds() + bytes / rate * ratio.value();
    }

    private static double bytesPerSecond(double known) {
        return known > 0 ? known : UNKNOWN_BYTES_PER_SECOND;
    }

    /// Begins a fetch for an attempt that is not settled yet: its residence then waits.
    void begin(RouteQuestion question, Sequence sequence, Attempt attempt, long nowNanos) {
        Residence to = attempt.from;
        Replica lender = lender(question, sequence, to.replica());
        if (lender == null || isBusyLending(lender)) {
            return;
        }
        int blockTokens = lender.facts().blockTokens();
        Residence lent = new Residence(lender, sequence, Residence.Stage.LENDING);
        int blocks =
                lender.pool()
                        .share(
                                lent.table(),
                                sequence.hashes(blockTokens),
                                richestTokens / blockTokens);
        if (blocks <= to.indexedBlocks) {
            lender.pool().release(lent.table());
            return;
        }
        Handoff fetch =
                Handoff.ofPrefix(
                        handoffs.nextLease(),
                        sequence,
                        attempt,
                        lent,
                        blocks,
                        blocks * blockTokens);
        fetch.beganNanos = nowNanos;
        fetch.predictedSeconds =
                fetchSeconds(lender, to.replica(), (blocks - to.indexedBlocks) * blockTokens);
        attempt.fetch = fetch;
        to.stage = Residence.Stage.ARRIVING;
        to.awaitedTokens = fetch.tokens;
        lender.settle(lent);
        lender.pendingSends.add(fetch);
        handoffs.opened(fetch);
        counters.prefixFetches++;
    }

    /// What a lender lends is bounded like what a receiver takes in.
    private boolean isBusyLending(Replica lender) {
        return lender.lentBlocks > rules.stagingShare() * lender.pool().blocks();
    }

    /// The blocks are there: learns how long it took.
    void done(Handoff fetch, long nowNanos) {
        ratio.observe((nowNanos - fetch.beganNanos) * 1e-9, fetch.predictedSeconds);
        counters.prefixFetchedTokens +=
                (long) fetch.blocksToMove() * fetch.to.replica().facts().blockTokens();
    }
}
