package dev.tandem.transport;

import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.SendResult;

import java.util.function.Consumer;

/// The writing end of a worker: executes the sends of its plans in order, each lease over the first transport
/// that both ends offer. Layers of the blocks named by a send must not change from the moment that they are told to be
/// computed until the lease's result is reported.
public interface BlockSender extends AutoCloseable {
    /// Enqueues one send and returns at once. Called by the engine thread before the plan's rows are computed: layers go
    /// out as `progress` tells of them.
    ///
    /// @return false when the bounded queue is full: nothing was enqueued, the caller reports the lease as failed
    boolean send(KvSend send, LayerProgress progress);

    /// Gives a lease up: nothing more is written under it once its result, a failure, is reported. A lease that is not
    /// known, or has ended, is ignored. Returns at once.
    void abort(LeaseAbort abort);

    /// Sets who hears of ended leases, exactly once for each lease, from a thread of the sender's.
    void onResult(Consumer<SendResult> listener);

    @Override
    void close();
}
