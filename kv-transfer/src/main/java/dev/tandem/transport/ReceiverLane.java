package dev.tandem.transport;

import dev.tandem.transport.TransferMetrics.SendFailure;
import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransferEndpoint;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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

    /// Blocks put for one lease before events are looked at again.
    private static final int PUTS_MAX = 8;

    /// After a failed connection, leases fail at once for this long instead of waiting for it again.
    private static final long CONNECT_AGAIN_MILLIS = 250;

    final long receiverIncarnation;
    private final TransportSender sender;
    private final Thread thread;
    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();

    /// Held while a block is put, so that [#silence] can wait for that to be over.
    private final Object putLock = new Object();

    private final Map<Long, OutgoingLease> leases = new LinkedHashMap<>();
    private @Nullable BlockLink link;
    private @Nullable BlockTransport linkTransport;
    private @Nullable String connectError;
    private long connectAgainNanos;
    private @Nullable String stopReason;

    /// A lease has blocks left that the transport would take at once.
    private boolean putsLeft;

    private sealed interface Event {
        record Send(KvSend send, long writerIncarnation, long receivedNanos) implements Event {}

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
        this.thread =
                Thread.ofPlatform()
                        .daemon()
                        .name("kv-sender-%016x".formatted(receiverIncarnation))
                        .unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    void enqueue(KvSend send, long writerIncarnation) {
        events.add(new Event.Send(send, writerIncarnation, System.nanoTime()));
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
            log.error("the lane to receiver {} broke", name(receiverIncarnation), e);
            stopReason = "internal error: " + e;
        } finally {
            sender.remove(this); // nothing is enqueued any more
            failAll(stopReason == null ? "idle" : stopReason);
            closeLink();
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
            lease =
                    new OutgoingLease(
                            send,
                            event.writerIncarnation(),
                            event.receivedNanos(),
                            sender.options.retryWaitMillisMin());
            leases.put(lease.id, lease);
            if (sender.leases.incrementAndGet() > sender.options.leasesMax()) {
                fail(lease, SendFailure.INVALID, "too many leases under way");
                return;
            }
        }
        String problem = problemOf(send, lease);
        if (problem == null) {
            lease.add(send, event.receivedNanos());
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
        if (lease.blocks.size() + send.getBlocksCount() > blocks) {
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
                    log.error("lease {} can't be sent", name(lease.id), e);
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
        for (int puts = 0; lease.next < lease.blocks.size(); puts++) {
            if (puts == PUTS_MAX) {
                putsLeft = true;
                return true;
            }
            if (!channel.ready()) {
                return false;
            }
            if (lease.deadlineNanos - System.nanoTime() <= 0) {
                expire(lease);
                return true;
            }
            if (!put(lease, channel)) {
                return true;
            }
        }
        if (lease.last && !lease.commitSent) {
            channel.commit(lease.next);
            lease.commitSent = true;
        }
        return true;
    }

    private boolean put(OutgoingLease lease, BlockChannel channel) {
        int slot = lease.slots.getInt(lease.next);
        MemorySegment block = sender.pool.block(lease.blocks.getInt(lease.next));
        if (lease.next == 0) {
            lease.startNanos = System.nanoTime();
        }
        synchronized (putLock) {
            if (sender.hasEnded(lease.id)) {
                return false; // silenced; the event that says so is on its way
            }
            channel.put(slot, block);
        }
        lease.next++;
        lease.bytes += block.byteSize();
        sender.metrics.blocksSent.increment();
        sender.metrics.bytesSent.add(block.byteSize());
        return true;
    }

    private BlockChannel channel(OutgoingLease lease) {
        if (lease.channel == null) {
            if (link == null || linkTransport == null) {
                throw new IllegalStateException("no link");
            }
            var attempt = new Attempt(lease.id);
            lease.channel = link.open(lease.id, lease.writerIncarnation, attempt);
            attempt.channel = lease.channel;
            lease.kind = linkTransport.kind();
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
            case KV_STATUS_REFUSED, KV_STATUS_ABORTED, KV_STATUS_UNSPECIFIED, UNRECOGNIZED ->
                    fail(
                            lease,
                            SendFailure.REFUSED,
                            "refused by the receiver: " + receipt.getReason());
        }
    }

    /// Makes sure that there is a link, over the first transport that works.
    ///
    /// @return false when there is none; the lease has failed then
    private boolean connect(OutgoingLease lease, long now) throws InterruptedException {
        if (link != null) {
            return true;
        }
        if (connectError != null && connectAgainNanos - now > 0) {
            fail(lease, SendFailure.CONNECT, connectError);
            return false;
        }
        long leftMillis = TimeUnit.NANOSECONDS.toMillis(lease.deadlineNanos - now) + 1;
        long waitMillis = Math.min(sender.options.connectWaitMillisMax(), leftMillis);
        var errors = new ArrayList<String>();
        for (BlockTransport transport : sender.transports) {
            for (TransferEndpoint endpoint : lease.endpoints) {
                if (endpoint.getKind() == transport.kind()
                        && open(transport, endpoint, waitMillis, errors)) {
                    return true;
                }
            }
        }
        if (lease.deadlineNanos - System.nanoTime() <= 0) {
            expire(lease); // may have had too little time: no sign that others can't connect
            return false;
        }
        connectError =
                errors.isEmpty()
                        ? "writer and receiver offer no transport in common"
                        : "no transport could be opened: " + String.join("; ", errors);
        connectAgainNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CONNECT_AGAIN_MILLIS);
        fail(lease, SendFailure.CONNECT, connectError);
        return false;
    }

    private boolean open(
            BlockTransport transport,
            TransferEndpoint endpoint,
            long waitMillis,
            List<String> errors)
            throws InterruptedException {
        try {
            link = transport.open(endpoint, receiverIncarnation, waitMillis);
        } catch (IOException e) {
            errors.add(transport.kind() + ": " + e.getMessage());
            return false;
        }
        linkTransport = transport;
        connectError = null;
        if (!errors.isEmpty()) {
            sender.metrics.fallbacks.increment();
            log.warn(
                    "receiver {} is reached over {}, since {}",
                    name(receiverIncarnation),
                    transport.kind(),
                    String.join("; ", errors));
        }
        return true;
    }

    private void closeLink() {
        if (link != null) {
            link.close();
            link = null;
        }
    }

    private void commit(OutgoingLease lease) {
        if (lease.channel != null) {
            lease.channel.finish();
        }
        forget(lease);
        if (sender.claim(lease.id)) {
            sender.report(result(lease).setCommitted(true).build(), null);
        }
    }

    private void fail(OutgoingLease lease, SendFailure failure, String error) {
        drop(lease, error);
        if (sender.claim(lease.id)) {
            sender.report(result(lease).setError(error).build(), failure);
        }
        if (failure == SendFailure.CONNECTION_LOST && leases.isEmpty()) {
            closeLink(); // the next lease connects anew, and may choose another transport
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
                .setNanos(lease.startNanos == 0 ? 0 : System.nanoTime() - lease.startNanos)
                .setTransport(lease.kind);
    }

    private static String name(long id) {
        return Long.toUnsignedString(id);
    }
}
