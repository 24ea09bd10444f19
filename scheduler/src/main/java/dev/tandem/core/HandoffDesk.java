package dev.tandem.core;

import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Keeps the open handoffs and both ends' holds. A hold ends only by its own side's word (send ended, lease ended),
/// by the loss of that side, or by its deadline: the blocks of the other side never depend on a third event.
/// Owned by the core.
final class HandoffDesk {
    private static final double EXPOSED_WEIGHT = 0.0625;

    private final CoreOptions options;
    private final CoreCounters counters;
    private final Commands commands;
    private final Long2ObjectHashMap<Handoff> byLease = new Long2ObjectHashMap<>();

    /// Given up, but one side still holds blocks.
    private final Long2ObjectHashMap<Handoff> ending = new Long2ObjectHashMap<>();

    private double exposedSeconds;

    HandoffDesk(CoreOptions options, CoreCounters counters, Commands commands) {
        this.options = options;
        this.counters = counters;
        this.commands = commands;
    }

    void opened(Handoff handoff) {
        byLease.put(handoff.lease, handoff);
        counters.handoffs++;
        counters.kvBlocksPresent += handoff.presentBlocks;
    }

    int open() {
        return byLease.size();
    }

    /// Handoffs that are over for the sequence while one side still holds blocks.
    int ending() {
        return ending.size();
    }

    @Nullable Handoff find(long lease) {
        return byLease.get(lease);
    }

    /// Seconds by which transfers outlast the computation, of late.
    double exposedSeconds() {
        return exposedSeconds;
    }

    /// @return the handoff that failed by this, or null
    @Nullable Handoff sendEnded(Event.SendEnded ended) {
        Handoff handoff = either(ended.lease());
        if (handoff == null || handoff.from.replica().id() != ended.replica()) {
            return null;
        }
        handoff.from.sendOpen = false;
        handoff.to.writerOpen = false;
        settle(handoff);
        boolean failed =
                !ended.committed()
                        && !handoff.isCommitted()
                        && byLease.get(ended.lease()) == handoff;
        if (failed) {
            counters.handoffsFailed++;
        }
        return failed ? handoff : null;
    }

    /// @return the handoff that failed by this, or null
    @Nullable Handoff leaseEnded(Event.LeaseEnded ended, long nowNanos) {
        Handoff handoff = either(ended.lease());
        if (handoff == null
                || handoff.to.replica().id() != ended.replica()
                || !handoff.to.leaseOpen) {
            return null; // not this one's, or said before
        }
        handoff.to.leaseOpen = false;
        settle(handoff);
        if (ended.committed()) {
            counters.kvBytesMoved += ended.bytes();
            if (handoff.state() != Handoff.State.RELEASED) {
                committed(handoff, nowNanos);
            }
            return null;
        }
        if (byLease.get(ended.lease()) != handoff) {
            return null; // given up before by the core
        }
        counters.leasesExpired++;
        counters.handoffsFailed++;
        return handoff;
    }

    private void committed(Handoff handoff, long nowNanos) {
        long computed = handoff.computedNanos == 0 ? nowNanos : handoff.computedNanos;
        exposedSeconds += EXPOSED_WEIGHT * ((nowNanos - computed) * 1e-9 - exposedSeconds);
        handoff.advance(Handoff.State.COMMITTED);
    }

    void firstToken(Handoff handoff, long nowNanos) {
        handoff.computedNanos = nowNanos;
        handoff.advance(
                handoff.blocksToMove() == 0 ? Handoff.State.COMMITTED : Handoff.State.MOVING);
    }

    /// Ends well: the sequence has joined its decode replica.
    void close(Handoff handoff) {
        handoff.advance(Handoff.State.RELEASED);
        handoff.attempt.handoff = null;
        byLease.remove(handoff.lease);
        keepWhileHeld(handoff);
    }

    /// Ends badly, or is not needed any more.
    void giveUp(Handoff handoff) {
        if (handoff.to.leaseOpen) {
            commands.aborts().add(new Commands.Abort(handoff.to.replica(), handoff.lease));
        }
        if (handoff.from.sendOpen) {
            commands.aborts().add(new Commands.Abort(handoff.from.replica(), handoff.lease));
        }
        close(handoff);
    }

    /// Ends the lost side's holds. Blocks that a lost writer might still reach through shared memory stay in quarantine
    /// until its deadline, by which every writer stops, has passed.
    void replicaLost(Replica lost, long nowNanos) {
        List<Handoff> handoffs = new ArrayList<>(byLease.values());
        handoffs.addAll(ending.values());
        handoffs.sort((a, b) -> Long.compare(a.lease, b.lease));
        for (Handoff handoff : handoffs) {
            if (handoff.from.replica() == lost && handoff.from.sendOpen) {
                handoff.from.sendOpen = false;
                handoff.to.writerOpen = false;
                if (!handoff.isCommitted()) {
                    handoff.to.quarantineUntilNanos =
                            nowNanos + TimeUnit.MILLISECONDS.toNanos(options.leaseMillis());
                }
            }
            if (handoff.to.replica() == lost) {
                handoff.to.leaseOpen = false;
            }
            settle(handoff);
        }
    }

    private @Nullable Handoff either(long lease) {
        Handoff handoff = byLease.get(lease);
        return handoff != null ? handoff : ending.get(lease);
    }

    private void keepWhileHeld(Handoff handoff) {
        if (handoff.from.sendOpen || handoff.to.leaseOpen) {
            ending.put(handoff.lease, handoff);
        }
    }

    /// A hold has ended: either side may be able to give blocks back.
    private void settle(Handoff handoff) {
        handoff.from.replica().mark();
        handoff.to.replica().mark();
        if (!handoff.from.sendOpen && !handoff.to.leaseOpen) {
            ending.remove(handoff.lease);
        }
    }
}
