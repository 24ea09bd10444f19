package dev.tandem.transport;

import dev.tandem.wire.KvReceipt;

/// An open connection to one receiver, for any number of leases. Owned by one thread.
public interface BlockLink extends AutoCloseable {
    /// Begins one attempt at a lease. Each attempt is a stream of its own: what an earlier attempt left in
    /// flight can't mix with it, and one stuck lease does not hold up another.
    BlockChannel open(long lease, long writerIncarnation, Events events);

    /// Whether it is known that no new channel will work. All channels have been told then, and the next lease gets
    /// another link.
    default boolean isBroken() {
        return false;
    }

    /// Breaks off all channels; nothing is written afterwards.
    @Override
    void close();

    /// What happens on one channel, told from the transport's threads; implementations only take note.
    interface Events {
        /// [BlockChannel#ready] may have become true.
        void ready();

        /// The receiver's answer: to the commit, or a refusal before.
        void receipt(KvReceipt receipt);

        /// Nothing more will come. Also called after a receipt.
        void closed(String reason);
    }
}
