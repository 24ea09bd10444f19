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
    private final CoreOptions options;
    private final CoreCounters counters;
    private final Commands commands;
    private final Long2ObjectHashMap<Handoff> byLease = new Long2ObjectHashMap<>();

    /// Given up, but one side still holds blocks.
    private final Long2ObjectHashMap<Handoff> ending = new Long2ObjectHashMap<>();

    HandoffDesk(CoreOptions options, CoreCounters counters, Commands commands) {
        this.options = options;
        this.counters = counters;
        this.commands = commands;
    }

    void opened(Handoff handoff) {
        byLease.put(handoff.lease, handoff);
    }

    int open() {
        return byLease.size();
    }

    @Nullable Handoff find(long lease) {
        return byLease.get(lease);
    }

    /// @return the handoff to start over because its transfer failed, or null
    @Nullable Handoff sendEnded(Event.SendEnded ended) {
        Handoff handoff = either(ended.lease());
        if (handoff == null || handoff.from.replica().id() != ended.replica()) {
            return null;
        }
        handoff.from.sendOpen = false;
        handoff.to.writerOpen = false;
        settle(handoff);
        boolean failed =
                !ended.committed() && !handoff.committed && byLease.get(ended.lease()) == handoff;
        if (failed) {
            counters.handoffsFailed++;
            handoff.sequence.localOnly = true;
        }
        return failed ? handoff : null;
    }

    /// @return the handoff to start over because the receiver gave its lease up, or null
    @Nullable Handoff leaseEnded(Event.LeaseEnded ended) {
        Handoff handoff = either(ended.lease());
        if (handoff == null || handoff.to.replica().id() != ended.replica()) {
            return null;
        }
        handoff.to.leaseOpen = false;
        settle(handoff);
        if (ended.committed()) {
            handoff.committed = true;
            counters.kvBytesMoved += ended.bytes();
            return null;
        }
        counters.leasesExpired++;
        if (byLease.get(ended.lease()) != handoff) {
            return null;
        }
        counters.handoffsFailed++;
        handoff.sequence.localOnly = true;
        return handoff;
    }

    void firstToken(Handoff handoff) {
        if (handoff.blocksToMove() == 0) {
            handoff.committed = true;
        }
    }

    /// Both the KV and the first token are there.
    boolean isComplete(Handoff handoff) {
        return handoff.committed && handoff.sequence.known() > handoff.tokens;
    }

    /// Ends well: the sequence has joined its decode replica.
    void close(Handoff handoff) {
        handoff.sequence.handoff = null;
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
                if (!handoff.committed) {
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

    private void settle(Handoff handoff) {
        if (!handoff.from.sendOpen && !handoff.to.leaseOpen) {
            ending.remove(handoff.lease);
        }
    }
}
