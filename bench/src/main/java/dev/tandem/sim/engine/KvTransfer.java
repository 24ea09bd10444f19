package dev.tandem.sim.engine;

import dev.tandem.core.Commands;

import org.agrona.collections.IntArrayList;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// Both sides of one lease. Owned by [KvTransfers].
final class KvTransfer {
    final SimulatedWorker receiver;

    /// The receiver's block numbers.
    final int[] blocks;

    final int deadlineMillis;

    /// The receiver knows the lease.
    boolean granted;

    /// The receiver lets nothing in any more, and the core will hear or has heard of it.
    boolean leaseEnded;

    boolean leaseTold;

    /// Blocks of the sends that are through.
    int received;

    /// Null until its first send.
    @Nullable SimulatedWorker writer;

    long writerDeadlineNanos;

    /// The writer writes nothing any more.
    boolean sendEnded;

    /// Nothing of this or later sends comes to its end.
    boolean lost;

    /// The connection ends instead of the next send.
    boolean broken;

    /// The sends made, each as twice its blocks and one more if it is the last; `arrived` of them are through.
    final IntArrayList arriving = new IntArrayList();

    int arrived;

    // Where workers are checked: what was sent, when the last of it is there, and which slots are
    // filled.
    final List<PlanCopy.Send> sends = new ArrayList<>();
    long arrivedNanos;
    final BitSet slots = new BitSet();

    KvTransfer(SimulatedWorker receiver, Commands.Grant grant) {
        this.receiver = receiver;
        this.blocks = grant.blocks();
        this.deadlineMillis = grant.deadlineMillis();
    }

    /// Whether blocks of the send that ends now, or of one before, have not landed.
    ///
    /// @param count of the send that ends
    boolean awaitsBlocks(int count) {
        boolean checked = receiver.kv != null;
        return checked && !broken && !leaseEnded && slots.cardinality() < received + count;
    }
}
