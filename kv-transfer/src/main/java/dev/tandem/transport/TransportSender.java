package dev.tandem.transport;

import dev.tandem.kv.KvPool;
import dev.tandem.transport.TransferMetrics.SendFailure;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.SendResult;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// Sends blocks of the own pool to other workers. Each receiver (by incarnation) has a lane: one thread, one
/// link, so that a dead receiver holds up nobody else. Lanes are made at the first send and given up when idle.
///
/// Safe to call from any thread. A lease's result is reported exactly once: who wants to report it claims the
/// id in `ended` first. Sends of an ended lease are dropped, the result has been told.
public final class TransportSender implements BlockSender {
    /// Ended leases remembered.
    static final int ENDED_MAX = 16_384;

    private static final Logger log = LoggerFactory.getLogger(TransportSender.class);
    private static final long CLOSE_MILLIS_MAX = 5000;

    final KvPool pool;
    final long incarnation; // of this worker
    final SenderOptions options;
    final TransferMetrics metrics;
    final List<BlockTransport> transports; // in order of preference

    /// Sends accepted and not yet taken up by their lane.
    final AtomicInteger sendsQueued = new AtomicInteger();

    /// Leases under way in all lanes.
    final AtomicInteger leases = new AtomicInteger();

    private final RecentIds ended = new RecentIds(ENDED_MAX);
    private final Object lock = new Object();
    // guarded by `lock`
    private final Map<Long, ReceiverLane> lanes = new HashMap<>();
    private boolean closed;

    private volatile @Nullable Consumer<SendResult> listener;

    /// @param pool that the blocks are read from; stays the caller's, to be closed after this
    /// @param incarnation of this worker
    /// @param transports to use, in order of preference
    public TransportSender(
            KvPool pool,
            long incarnation,
            List<BlockTransport> transports,
            SenderOptions options,
            TransferMetrics metrics) {
        this.pool = pool;
        this.incarnation = incarnation;
        this.options = options;
        this.metrics = metrics;
        this.transports = List.copyOf(transports);
    }

    @Override
    public void onResult(Consumer<SendResult> newListener) {
        listener = newListener;
    }

    /// False also when there are too many receivers, and after close. The sends of a lease that was refused here
    /// are over: nothing more is written under it once this returns, and no result follows.
    @Override
    public boolean send(KvSend send, LayerProgress progress) {
        if (listener == null) {
            throw new IllegalStateException("a send was given before anybody listens for results");
        }
        if (ended.contains(send.getLease())) {
            return true;
        }
        ReceiverLane lane;
        synchronized (lock) {
            lane = lanes.get(send.getReceiverIncarnation());
            boolean room = !closed && sendsQueued.get() < options.sendsQueuedMax();
            if (room && lane == null && lanes.size() < options.receiversMax()) {
                lane = new ReceiverLane(this, send.getReceiverIncarnation());
                lanes.put(send.getReceiverIncarnation(), lane);
                lane.start();
            }
            if (room && lane != null) {
                sendsQueued.incrementAndGet();
                lane.enqueue(send, progress);
                return true;
            }
        }
        if (lane == null) {
            ended.add(send.getLease());
        } else {
            lane.silence(send.getLease());
        }
        return false;
    }

    /// Which receiver a lease goes to is not known here, so each lane is told: there are few.
    @Override
    public void abort(LeaseAbort abort) {
        if (ended.contains(abort.getLease())) {
            return;
        }
        synchronized (lock) {
            lanes.values().forEach(lane -> lane.abort(abort.getLease()));
        }
    }

    /// Fails what is under way; every accepted lease has its result when this returns.
    @Override
    public void close() {
        List<ReceiverLane> old;
        synchronized (lock) {
            closed = true;
            old = new ArrayList<>(lanes.values());
            lanes.clear();
        }
        stop(old, "the sender is closed");
    }

    private static void stop(List<ReceiverLane> lanes, String reason) {
        lanes.forEach(lane -> lane.stop(reason));
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS_MAX);
        for (ReceiverLane lane : lanes) {
            if (!lane.join(end - System.nanoTime())) {
                log.warn("a transfer did not stop within {} ms", CLOSE_MILLIS_MAX);
            }
        }
    }

    /// Takes an idle lane out of use.
    ///
    /// @return false when something was enqueued meanwhile
    boolean retire(ReceiverLane lane) {
        synchronized (lock) {
            if (!lane.isQuiet()) {
                return false;
            }
            lanes.remove(lane.receiverIncarnation, lane);
            return true;
        }
    }

    /// A lane that ends, for whatever reason, is given no more sends.
    void remove(ReceiverLane lane) {
        synchronized (lock) {
            lanes.remove(lane.receiverIncarnation, lane);
        }
    }

    boolean hasEnded(long lease) {
        return ended.contains(lease);
    }

    /// Claims the end of a lease.
    ///
    /// @return false when it has ended already
    boolean claim(long lease) {
        return ended.add(lease);
    }

    /// Reports a lease whose end the caller has claimed.
    void report(SendResult result, @Nullable SendFailure failure) {
        if (failure != null) {
            metrics.count(failure);
            log.info(
                    "lease {} failed ({}): {}",
                    Long.toUnsignedString(result.getLease()),
                    failure,
                    result.getError());
        }
        Consumer<SendResult> hears = listener;
        if (hears == null) {
            throw new IllegalStateException("nobody listens for the results of leases");
        }
        try {
            hears.accept(result);
        } catch (RuntimeException e) {
            log.error("a lease's result could not be reported", e);
        }
    }
}
