package dev.tandem.transport;

import java.lang.foreign.MemorySegment;

/// One attempt at one lease. Owned by one thread.
public interface BlockChannel {
    /// Whether a piece can be taken without queueing beyond the transport's small buffer.
    boolean ready();

    /// Moves bytes `[from, from + bytes)` of `memory` to bytes `[offset, offset + bytes)` of the block in a slot of the
    /// lease. The bytes must not change until the lease's result is reported.
    ///
    /// @param memory the writer's whole pool
    void put(int slot, long offset, MemorySegment memory, long from, long bytes);

    /// Tells the receiver of everything put since the last flush. Called after each run of puts and before the commit.
    void flush();

    /// Asks the receiver to accept the lease.
    ///
    /// @param pieces put on this channel
    void commit(int pieces);

    /// Gives the lease up; no more events matter. When this returns, no write of this channel is under way.
    void abort(String reason);

    /// Ends the channel after its last receipt.
    void finish();
}
