package dev.tandem.transport;

import dev.tandem.kv.KvShape;
import dev.tandem.transport.TransferMetrics.SendFailure;
import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.SendResult;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Everything on its way to one receiver: a loop over events (sends, receipts, broken streams) with a thread of
/// its own, which owns the link and all leases. Leases advance side by side in the order of their first send; one
/// that waits (for its grant, its next chunk, its receipt) lets the others pass.
///
/// The event queue is bounded by its sources: sends are counted by the sender, each channel adds one receipt, one
/// end and at most one pending "ready".
final class ReceiverLane {
    private static final Logger log = LoggerFactory.getLogger(ReceiverLane.class);

    /// Streams whose buffer is full before no further lease is served: bounds what is buffered.
    private static final int UNREADY_MAX = 4;

    /// Pieces put for one lease before events are looked at again.
    private static final int PUTS_MAX = 8;

    final long receiverIncarnation;
    private final TransportSender sender;
    private final Thread thread;
    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();

    /// Held while a piece is put, so that [#silence] can wait for that to be over.
    private final Object putLock = new Object();

    private final Map<Long, OutgoingLease> leases = new LinkedHashMap<>();
    private final LaneLink link;
    private final KvShape shape;
    private final MemorySegment memory;

    /// A forward pass that computes for a lease here has come further, and this has not been looked at.
    private final AtomicBoolean layersPending = new AtomicBoolean();

    private @Nullable String stopReason;

    /// A lease has pieces left that the transport would take at once.
    private boolean putsLeft;

    private sealed interface Event {
        record Send(KvSend send, LayerProgress progress, long receivedNanos) implements Event {}

        record Layers() implements Event {}

        record Receipt(long lease, Attempt attempt, KvReceipt receipt) implements Event {}

        record Closed(long lease, Attempt attempt, String reason) implements Event {}

        record Ready(Attempt attempt) implements Event {}

        record Silence(long lease) implements Event {}

        record Abort(long lease) implements Event {}

        record Stop(String reason) implements Event {}
    }

    /// Listens to one channel; its identity tells late events of an earlier attempt apart.
    private final class Attempt implements BlockLink.Events {
        private final long lease;
        private final AtomicBoolean readyPending = new AtomicBoolean();
        @Nullable BlockChannel channel;

        Attempt(long lease) {
            this.lease = lease;
        }

        @Override
        public void ready() {
            if (readyPending.compareAndSet(false, true)) {
                events.add(new Event.Ready(this));
            }
        }

        @Override
        public void receipt(KvReceipt receipt) {
            events.add(new Event.Receipt(lease, this, receipt));
        }

        @Override
        public void closed(String reason) {
            events.add(new Event.Closed(lease, this, reason));
        }
    }

    ReceiverLane(TransportSender sender, long receiverIncarnation) {
        this.sender = sender;
        this.receiverIncarnation = receiverIncarnation;
        this.link = new LaneLink(receiverIncarnation, sender.transports, sender.metrics);
        this.shape = sender.pool.shape();
        this.memory = sender.pool.memory();
        this.thread =
                Thread.ofPlatform()
                        .daemon()
                        .name("kv-sender-%016x".formatted(receiverIncarnation))
                        .unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    void enqueue(KvSend send, LayerProgress progress) {
        progress.listen(this::layersDone); // first, so that no group is missed
        events.add(new Event.Send(send, progress, System.nanoTime()));
    }

    private void layersDone() {
        if (layersPending.compareAndSet(false, true)) {
            events.add(new Event.Layers());
        }
    }

    /// Ends a lease without a result. When this returns, nothing more is written under it.
    void silence(long lease) {
        synchronized (putLock) {
            if (!sender.claim(lease)) {
                return;
            }
        }
        events.add(new Event.Silence(lease));
    }

    /// Ends a lease, if it is under way here, with a result.
    void abort(long lease) {
        events.add(new Event.Abort(lease));
    }

    void stop(String reason) {
        events.add(new Event.Stop(reason));
    }

    /// @return false when the thread still runs after that time
    boolean join(long nanosMax) {
        try {
            return thread.join(Duration.ofNanos(Math.max(nanosMax, 1)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    boolean isQuiet() {
        return events.isEmpty();
    }

    private void run() {
        try {
            while (stopReason == null) {
                Event event = events.poll(waitNanos(), TimeUnit.NANOSECONDS);
                if (event == null && leases.isEmpty() && sender.retire(this)) {
                    break;
                }
                while (event != null) {
                    handle(event);
                    event = events.poll();
                }
                if (stopReason == null) {
                    advance();
                }
            }
        } catch (InterruptedException e) {
            stopReason = "interrupted";
        } catch (RuntimeException e) {
            log.error("the lane to receiver {} broke", Lease.name(receiverIncarnation), e);
            stopReason = "internal error: " + e;
        } finally {
            sender.remove(this); // nothing is enqueued any more
            failAll(stopReason == null ? "idle" : stopReason);
            link.close();
        }
    }

    /// How long nothing needs to be done unless an event comes.
    private long waitNanos() {
        if (putsLeft) {
            return 0;
        }
        long now = System.nanoTime();
        long wait = TimeUnit.MILLISECONDS.toNanos(sender.options.idleMillisMax());
        for (OutgoingLease lease : leases.values()) {
            wait = Math.min(wait, lease.deadlineNanos - now);
            if (lease.waiting) {
                wait = Math.min(wait, lease.retryAtNanos - now);
            }
        }
        return Math.max(wait, 0);
    }

    private void handle(Event event) {
        switch (event) {
            case Event.Send send -> accept(send);
            case Event.Layers() -> layersPending.set(false);
            case Event.Receipt(long lease, Attempt attempt, KvReceipt receipt) -> {
                OutgoingLease outgoing = current(lease, attempt);
                if (outgoing != null) {
                    receipt(outgoing, receipt);
                }
            }
            case Event.Closed(long lease, Attempt attempt, String reason) -> {
                OutgoingLease outgoing = current(lease, attempt);
                if (outgoing != null) {
                    fail(outgoing, SendFailure.CONNECTION_LOST, "connection lost: " + reason);
                }
            }
            case Event.Ready(Attempt attempt) -> attempt.readyPending.set(false);
            case Event.Silence(long lease) -> {
                OutgoingLease outgoing = leases.get(lease);
                if (outgoing != null) {
                    drop(outgoing, "given up by the writer");
                }
            }
            case Event.Abort(long lease) -> {
                OutgoingLease outgoing = leases.get(lease);
                if (outgoing != null) {
                    fail(outgoing, SendFailure.ABORTED, "given up by the coordinator");
                }
            }
            case Event.Stop(String reason) -> stopReason = reason;
        }
    }

    private @Nullable OutgoingLease current(long lease, Attempt attempt) {
        OutgoingLease outgoing = leases.get(lease);
        return outgoing != null && outgoing.channel != null && outgoing.channel == attempt.channel
                ? outgoing
                : null;
    }

    private void accept(Event.Send event) {
        sender.sendsQueued.decrementAndGet();
        KvSend send = event.send();
        if (sender.hasEnded(send.getLease())) {
            return; // failed before: its result has been reported
        }
        OutgoingLease lease = leases.get(send.getLease());
        if (lease == null) {
            if (leases.isEmpty()) {
                link.reconsider(System.nanoTime());
            }
            lease =
                    new OutgoingLease(
                            send,
                            sender.incarnation,
                            event.receivedNanos(),
                            shape.layers(),
                            sender.options.pieceLayersMax(shape),
                            sender.options.retryWaitMillisMin());
            leases.put(lease.id, lease);
            if (sender.leases.incrementAndGet() > sender.options.leasesMax()) {
                fail(lease, SendFailure.INVALID, "too many leases under way");
                return;
            }
        }
        String problem = problemOf(send, lease);
        if (problem == null) {
            lease.add(send, event.progress(), event.receivedNanos());
        } else {
            fail(lease, SendFailure.INVALID, problem);
        }
    }

    private @Nullable String problemOf(KvSend send, OutgoingLease lease) {
        int blocks = sender.pool.blocks();
        if (send.getBlocksCount() != send.getSlotsCount()) {
            return "%d blocks for %d slots".formatted(send.getBlocksCount(), send.getSlotsCount());
        }
        if (lease.last) {
            return "a send after the last one";
        }
        if (lease.blocks() + send.getBlocksCount() > blocks) {
            return "more blocks than the pool has";
        }
        for (int block : send.getBlocksList()) {
            if (block < 0 || block >= blocks) {
                return "no block %d in a pool of %d".formatted(block, blocks);
            }
        }
        return null;
    }

    private void advance() throws InterruptedException {
        putsLeft = false;
        int unready = 0;
        for (OutgoingLease lease : new ArrayList<>(leases.values())) {
            long now = System.nanoTime();
            if (lease.deadlineNanos - now <= 0) {
                expire(lease);
            } else if (unready < UNREADY_MAX && lease.hasWork(now) && connect(lease, now)) {
                try {
                    unready += serve(lease) ? 0 : 1;
                } catch (RuntimeException e) {
                    log.error("lease {} can't be sent", Lease.name(lease.id), e);
                    fail(lease, SendFailure.CONNECTION_LOST, "can't be sent: " + e);
                }
            }
        }
    }

    private void expire(OutgoingLease lease) {
        String detail = lease.waiting ? "; the receiver never knew the lease" : "";
        fail(lease, SendFailure.DEADLINE, "the deadline passed" + detail);
    }

    /// Puts what is there and the transport takes.
    ///
    /// @return false when the transport takes no more
    private boolean serve(OutgoingLease lease) {
        BlockChannel channel = channel(lease);
        for (int puts = 0; lease.hasPiece(); puts++) {
            boolean ready = channel.ready();
            if (!ready || puts == PUTS_MAX) {
                putsLeft |= ready;
                channel.flush();
                return ready;
            }
            if (lease.deadlineNanos - System.nanoTime() <= 0) {
                expire(lease);
                return true;
            }
            if (!put(lease, channel)) {
                return true;
            }
        }
        channel.flush();
        if (lease.last && !lease.commitSent && lease.isSent()) {
            channel.commit(lease.pieces);
            lease.commitSent = true;
        }
        return true;
    }

    private boolean put(OutgoingLease lease, BlockChannel channel) {
        long offset = lease.layerFrom() * shape.layerBytes();
        long bytes = (lease.layerTo() - lease.layerFrom()) * shape.layerBytes();
        long from = lease.block() * shape.blockBytes() + offset;
        if (lease.pieces == 0) {
            lease.startNanos = System.nanoTime();
        }
        synchronized (putLock) {
            if (sender.hasEnded(lease.id)) {
                return false; // silenced; the event that says so is on its way
            }
            channel.put(lease.slot(), offset, memory, from, bytes);
        }
        lease.advance(bytes);
        sender.metrics.piecesSent.increment();
        sender.metrics.bytesSent.add(bytes);
        return true;
    }

    private BlockChannel channel(OutgoingLease lease) {
        if (lease.channel == null) {
            var attempt = new Attempt(lease.id);
            lease.channel = link.open(lease.id, lease.writerIncarnation, attempt);
            attempt.channel = lease.channel;
            lease.kind = link.kind();
            lease.waiting = false;
            lease.startNanos = System.nanoTime();
        }
        return lease.channel;
    }

    private void receipt(OutgoingLease lease, KvReceipt receipt) {
        switch (receipt.getStatus()) {
            case KV_STATUS_COMMITTED -> commit(lease);
            case KV_STATUS_UNKNOWN_LEASE -> {
                sender.metrics.retries.increment();
                if (lease.channel != null) {
                    lease.channel.finish();
                }
                long wait = TimeUnit.MILLISECONDS.toNanos(lease.retryWaitMillis);
                lease.restartAt(System.nanoTime() + wait);
                lease.retryWaitMillis =
                        Math.min(2 * lease.retryWaitMillis, sender.options.retryWaitMillisMax());
            }
            case KV_STATUS_CORRUPTED ->
                    fail(
                            lease,
                            SendFailure.CORRUPTED,
                            "arrived with wrong bytes: " + receipt.getReason());
            case KV_STATUS_REFUSED, KV_STATUS_ABORTED, KV_STATUS_UNSPECIFIED, UNRECOGNIZED ->
                    fail(
                            lease,
                            SendFailure.REFUSED,
                            "refused by the receiver: " + receipt.getReason());
        }
    }

    /// Makes sure that there is a link.
    ///
    /// @return false when there is none; the lease has failed then
    private boolean connect(OutgoingLease lease, long now) throws InterruptedException {
        long leftMillis = TimeUnit.NANOSECONDS.toMillis(lease.deadlineNanos - now) + 1;
        long waitMillis = Math.min(sender.options.connectWaitMillisMax(), leftMillis);
        String error = link.connect(lease.endpoints, waitMillis, now);
        if (error == null) {
            return true;
        }
        if (lease.deadlineNanos - System.nanoTime() <= 0) {
            link.forgetError();
            expire(lease);
        } else {
            fail(lease, SendFailure.CONNECT, error);
        }
        return false;
    }

    private void commit(OutgoingLease lease) {
        if (lease.channel != null) {
            lease.channel.finish();
        }
        forget(lease);
        if (sender.claim(lease.id)) {
            long computed = lease.computedNanos();
            long exposed = computed == 0 ? 0 : Math.max(0, System.nanoTime() - computed);
            sender.metrics.committed(exposed);
            sender.report(result(lease).setCommitted(true).setExposedNanos(exposed).build(), null);
        }
    }

    private void fail(OutgoingLease lease, SendFailure failure, String error) {
        drop(lease, error);
        if (sender.claim(lease.id)) {
            sender.report(result(lease).setError(error).build(), failure);
        }
        if (failure == SendFailure.CONNECTION_LOST || failure == SendFailure.CORRUPTED) {
            link.failed(error, System.nanoTime());
            if (leases.isEmpty()) {
                link.close(); // the next lease connects anew
            }
        }
    }

    private void drop(OutgoingLease lease, String reason) {
        forget(lease);
        if (lease.channel != null) {
            lease.channel.abort(reason);
            lease.channel = null;
        }
    }

    private void forget(OutgoingLease lease) {
        if (leases.remove(lease.id) != null) {
            sender.leases.decrementAndGet();
        }
    }

    private void failAll(String reason) {
        for (Event event = events.poll(); event != null; event = events.poll()) {
            if (event instanceof Event.Send send) {
                accept(send);
            }
        }
        for (OutgoingLease lease : new ArrayList<>(leases.values())) {
            fail(lease, SendFailure.CLOSED, reason);
        }
    }

    private static SendResult.Builder result(OutgoingLease lease) {
        return SendResult.newBuilder()
                .setLease(lease.id)
                .setBytes(lease.bytes)
                .setPieces(lease.pieces)
                .setNanos(lease.startNanos == 0 ? 0 : System.nanoTime() - lease.startNanos)
                .setTransport(lease.kind);
    }
}
