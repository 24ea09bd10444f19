package dev.tandem.transport;

/// The receiver's door for writers that reach into its pool themselves. A frame can be refused when it arrives; such a
/// write can't, so it has to be kept out at the block. Called by [Leases], under its own lock: must be quick.
public interface OneSidedGuard {
    /// Lets `writer` write the block as this slot of this lease.
    void open(int block, long lease, long writer, int slot);

    /// Ends that. Asked again, every few milliseconds, while the answer is no: only a silent block is given to somebody
    /// else, and only then is the end of the lease reported.
    ///
    /// @return whether nobody can write into the block any more
    boolean close(int block, long lease, long writer, int slot);
}
