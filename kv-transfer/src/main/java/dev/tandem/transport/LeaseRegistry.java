package dev.tandem.transport;

import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseUpdate;

import java.util.function.Consumer;

/// The receiving end of a worker: which blocks of its pool may be written by whom, and until when. Safe to call
/// from any thread. Every lease ends exactly once: committed, aborted, or expired by its own deadline, whatever
/// else happens.
public interface LeaseRegistry extends AutoCloseable {
    void grant(LeaseGrant grant);

    /// Unknown or ended leases are ignored: their end has been reported.
    void abort(LeaseAbort abort);

    /// Sets who hears of ended leases, exactly once for each lease, from any thread.
    void onUpdate(Consumer<LeaseUpdate> listener);

    @Override
    void close();
}
