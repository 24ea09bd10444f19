package dev.tandem.transport;

import dev.tandem.wire.LeaseOutcome;

import org.jspecify.annotations.Nullable;

import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/// One lease on the receiver's side. All but the final fields is guarded by `lock`, which is held while a block
/// is verified and copied: so once the lease has ended, nothing is written under it any more.
final class Lease {
    final long id;
    final int[] blocks; // pool's block by slot
    final long writerIncarnation;
    final long deadlineNanos;
    final ReentrantLock lock = new ReentrantLock();

    /// Slots that hold verified bytes.
    final BitSet received;

    /// The stream whose block was accepted first; no other one can add, commit or abort.
    @Nullable Object stream;

    /// Null while the lease lives.
    @Nullable LeaseOutcome outcome;

    Lease(long id, int[] blocks, long writerIncarnation, long deadlineNanos) {
        this.id = id;
        this.blocks = blocks;
        this.writerIncarnation = writerIncarnation;
        this.deadlineNanos = deadlineNanos;
        this.received = new BitSet(blocks.length);
    }

    /// For the timer's order; `System.nanoTime` may wrap, so only differences count.
    static int byDeadline(Lease a, Lease b) {
        int byDeadline = Long.signum(a.deadlineNanos - b.deadlineNanos);
        return byDeadline != 0 ? byDeadline : Long.compareUnsigned(a.id, b.id);
    }
}
