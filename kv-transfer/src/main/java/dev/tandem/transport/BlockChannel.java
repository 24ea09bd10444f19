package dev.tandem.transport;

import java.lang.foreign.MemorySegment;

/// One attempt at one lease. Owned by one thread.
interface BlockChannel {
    /// Whether a block can be taken without queueing beyond the transport's small buffer.
    boolean ready();

    /// Moves one block; the bytes must not change until the lease's result is reported.
    void put(int slot, MemorySegment block);

    /// Asks the receiver to accept the lease.
    ///
    /// @param blocks put on this channel
    void commit(int blocks);

    /// Gives the lease up; no more events matter.
    void abort(String reason);

    /// Ends the channel after its last receipt.
    void finish();
}
