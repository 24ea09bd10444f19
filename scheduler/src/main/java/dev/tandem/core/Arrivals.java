package dev.tandem.core;

import dev.tandem.routing.Router;

import org.jspecify.annotations.Nullable;

/// What comes of KV that is on its way: the sequence goes on where it is now, or is computed in another way. Owned by the
/// core.
final class Arrivals {
    private final Router router;
    private final HandoffDesk handoffs;
    private final PrefixFetches fetches;
    private final TierDesk tiers;
    private final Lifecycle lifecycle;
    private final StepPlanner planner;

    Arrivals(
            Router router,
            HandoffDesk handoffs,
            PrefixFetches fetches,
            TierDesk tiers,
            Lifecycle lifecycle,
            StepPlanner planner) {
        this.router = router;
        this.handoffs = handoffs;
        this.fetches = fetches;
        this.tiers = tiers;
        this.lifecycle = lifecycle;
        this.planner = planner;
    }

    /// A writer is done, well or not.
    void sendEnded(Event.SendEnded ended, long nowNanos) {
        Handoff failed = handoffs.sendEnded(ended);
        if (failed != null) {
            failed(failed, true, nowNanos);
        }
    }

    /// A receiver has all blocks, or will never have them.
    void leaseEnded(Event.LeaseEnded ended, long nowNanos) {
        Handoff failed = handoffs.leaseEnded(ended, nowNanos);
        if (failed != null) {
            failed(failed, false, nowNanos);
            return;
        }
        Handoff handoff = handoffs.find(ended.lease());
        if (handoff != null && handoff.isFetch() && handoff.isCommitted()) {
            fetched(handoff, nowNanos);
        } else if (handoff != null) {
            joinIfComplete(handoff.sequence, nowNanos);
        }
    }

    private void failed(Handoff failed, boolean writer, long nowNanos) {
        Residence blamed = writer ? failed.from : failed.to;
        router.failed(blamed.replica().health(), failed.sequence.id(), nowNanos);
        if (failed.isFetch()) {
            failed.sequence.fetchBarred = true;
        } else {
            failed.attempt.judged |= writer;
            failed.sequence.localOnly = true;
        }
        lifecycle.attemptFailed(failed.sequence, failed.attempt, true);
    }

    /// The sequence goes on where its KV is now, if all of it and its first token are there.
    void joinIfComplete(Sequence sequence, long nowNanos) {
        Attempt attempt = sequence.attempt;
        Handoff handoff = attempt == null ? null : attempt.handoff;
        if (attempt == null || handoff == null || !handoff.isComplete()) {
            return;
        }
        Residence to = handoff.to;
        handoffs.close(handoff);
        lifecycle.leave(attempt.from);
        to.replica().move(to, Residence.Stage.DECODE);
        Attempt joined = new Attempt(to, nowNanos, 0);
        joined.judged = true;
        sequence.attempt = joined;
        router.succeeded(
                to.replica().health(), sequence.id(), 1, to.replica().slowness(), nowNanos);
        planner.index(to);
    }

    private void fetched(Handoff fetch, long nowNanos) {
        fetches.done(fetch, nowNanos);
        handoffs.close(fetch);
        lifecycle.leave(fetch.from);
        fetch.to.planned = fetch.tokens;
        computeRest(fetch.to, fetch.sequence);
    }

    void tierReport(Replica replica, Event.TierReport report, long nowNanos) {
        Residence to = tiers.report(replica, report, nowNanos);
        Sequence sequence = to == null ? null : to.sequence;
        if (to != null && sequence != null) {
            computeRest(to, sequence);
        }
    }

    /// The prefix that a residence waited for is there, as far as its `planned` says.
    private void computeRest(Residence to, Sequence sequence) {
        to.replica().move(to, Residence.Stage.PREFILL);
        to.awaitedTokens = 0;
        sequence.chargedTokens = Math.max(sequence.chargedTokens, to.planned);
        if (sequence.attempts == 1) {
            sequence.cachedTokens = to.planned;
        }
        planner.index(to);
    }

    /// Prompts that wait for a tier for too long are computed elsewhere, in other blocks.
    void giveUpLate(Replica replica, long nowNanos) {
        for (Residence to : tiers.overdue(replica, nowNanos)) {
            Sequence sequence = to.sequence;
            @Nullable Attempt attempt = sequence == null ? null : sequence.attemptOf(to);
            if (sequence != null && attempt != null) {
                sequence.fetchBarred = true;
                lifecycle.attemptFailed(sequence, attempt, true);
            }
        }
    }
}
