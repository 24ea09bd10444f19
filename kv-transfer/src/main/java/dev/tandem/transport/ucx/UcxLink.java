package dev.tandem.transport.ucx;

import com.google.protobuf.ByteString;

import dev.tandem.transport.BlockChannel;
import dev.tandem.transport.BlockLink;
import dev.tandem.transport.GrpcConnection;
import dev.tandem.wire.KvUcxAttach;
import dev.tandem.wire.KvUcxGrpc;
import dev.tandem.wire.KvUcxNotice;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;

import org.jspecify.annotations.Nullable;
import org.openucx.jucx.UcxException;
import org.openucx.jucx.ucp.UcpConstants;
import org.openucx.jucx.ucp.UcpEndpoint;
import org.openucx.jucx.ucp.UcpEndpointParams;
import org.openucx.jucx.ucp.UcpRequest;
import org.openucx.jucx.ucp.UcpRequestParams;
import org.openucx.jucx.ucp.UcpWorker;
import org.openucx.jucx.ucs.UcsConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/// The writer's end towards one receiver: the call that keeps the door open, and the UCX endpoint that leads there.
/// Three kinds of threads: the lane's opens and uses channels, the agent's sends, gRPC's brings notices.
final class UcxLink implements BlockLink {
    private static final Logger log = LoggerFactory.getLogger(UcxLink.class);

    /// Commits and ends under way besides the pieces: three a lease, and a lane has at most 1024.
    private static final int CONTROLS_MAX = 4096;

    private static final long CLOSE_MILLIS_MAX = 2000;
    private static final long ROOM_POLL_MILLIS = 10;

    /// Workers that could not be destroyed, see [Agent#abandon]; with that many, only endpoints are used that notice
    /// when their receiver dies.
    private static final int ABANDONED_MAX = 16;

    private static final AtomicInteger ABANDONED = new AtomicInteger();

    /// jucx's default names a type of memory that older UCX refuses.
    private static final UcpRequestParams HOST_MEMORY =
            new UcpRequestParams().setMemoryType(UcsConstants.MEMORY_TYPE.UCS_MEMORY_TYPE_HOST);

    final long receiverIncarnation;
    private final GrpcConnection connection;
    private final long writerIncarnation;
    private final Agent agent;
    private final Notices notices = new Notices();
    private final Arena arena =
            Arena.ofAuto(); // the headers: UCX may hold some longer than the link lives
    private final List<OutgoingMessage> messages = new CopyOnWriteArrayList<>(); // all of them
    private final ArrayBlockingQueue<OutgoingMessage> pieces =
            new ArrayBlockingQueue<>(UcxTransport.PIECES_MAX); // unused ones
    private final ConcurrentLinkedQueue<OutgoingMessage> controls = new ConcurrentLinkedQueue<>();
    private final ArrayBlockingQueue<OutgoingMessage> submitted =
            new ArrayBlockingQueue<>(UcxTransport.PIECES_MAX + CONTROLS_MAX);
    private final Map<Long, UcxChannel> channels = new ConcurrentHashMap<>(); // by attempt
    private final CompletableFuture<ByteString> address = new CompletableFuture<>();
    private final CompletableFuture<Boolean> heard = new CompletableFuture<>();
    private long attempts; // the lane's

    /// Why nothing works any more; written once, under the lock of `address`.
    private volatile @Nullable String broken;

    UcxLink(
            UcxRuntime runtime,
            GrpcConnection connection,
            long writerIncarnation,
            long receiverIncarnation) {
        this.connection = connection;
        this.writerIncarnation = writerIncarnation;
        this.receiverIncarnation = receiverIncarnation;
        this.agent = new Agent(runtime, "kv-ucx-link-%016x".formatted(receiverIncarnation));
        for (int i = 0; i < UcxTransport.PIECES_MAX; i++) {
            pieces.add(newMessage(false));
        }
    }

    /// Has the door opened and sends a first message.
    ///
    /// @param endNanos when to give up
    /// @throws IOException the receiver refused, or no message gets through
    void attach(long endNanos) throws IOException, InterruptedException {
        var request =
                KvUcxAttach.newBuilder()
                        .setWriterIncarnation(writerIncarnation)
                        .setReceiverIncarnation(receiverIncarnation)
                        .build();
        KvUcxGrpc.newStub(connection.channel()).attach(request, notices);
        await(address, endNanos, "the receiver opens no door");
        agent.startOnce();
        OutgoingMessage hello = takeControl();
        UcxMessage.write(
                hello.header, UcxMessage.HELLO, 0, 0, 0, writerIncarnation, receiverIncarnation);
        submit(hello);
        agent.wake();
        await(heard, endNanos, "no UCX message gets through");
    }

    private static <T> void await(CompletableFuture<T> event, long endNanos, String otherwise)
            throws IOException, InterruptedException {
        try {
            var unused = event.get(Math.max(endNanos - System.nanoTime(), 1), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException(otherwise + " in time", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(String.valueOf(cause.getMessage()), e);
        }
    }

    @Override
    public BlockChannel open(long lease, long ofWriter, Events events) {
        var channel = new UcxChannel(this, ++attempts, lease, ofWriter, events);
        channels.put(channel.attempt, channel);
        String why = broken;
        if (why != null) {
            events.closed(why);
        }
        return channel;
    }

    @Override
    public boolean isBroken() {
        return broken != null;
    }

    void forget(UcxChannel channel) {
        channels.remove(channel.attempt);
    }

    boolean hasRoom() {
        return !pieces.isEmpty()
                || broken != null; // broken: whatever is put comes to nothing at once
    }

    OutgoingMessage takePiece() {
        try {
            OutgoingMessage message = pieces.poll();
            while (message == null) {
                if (broken != null) {
                    return newMessage(false);
                }
                message = pieces.poll(ROOM_POLL_MILLIS, TimeUnit.MILLISECONDS);
            }
            return message;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while UCX is busy", e);
        }
    }

    OutgoingMessage takeControl() {
        OutgoingMessage message = controls.poll();
        return message != null ? message : newMessage(true);
    }

    private OutgoingMessage newMessage(boolean control) {
        var message = new OutgoingMessage(this, arena, control);
        messages.add(message);
        return message;
    }

    void submit(OutgoingMessage message) {
        if (broken != null || !submitted.offer(message)) {
            breakOff("more messages than leases allow");
            done(message);
        } else if (broken != null) {
            discardSubmitted(); // broke meanwhile: the agent may have looked for the last time
        }
    }

    void wake() {
        agent.wake();
    }

    /// Called by UCX on the agent's thread.
    void sent(OutgoingMessage message) {
        done(message);
    }

    /// Called by UCX on the agent's thread.
    void failed(OutgoingMessage message, String error) {
        breakOff("UCX could not send: " + error);
        done(message);
    }

    private void done(OutgoingMessage message) {
        message.inFlight = false;
        UcxChannel channel = message.channel;
        message.channel = null;
        if (message.control) {
            controls.add(message);
            return;
        }
        var unused = pieces.offer(message); // full: this one was made when all was broken
        if (channel != null) {
            channel.pieceDone();
        }
        channels.values().forEach(UcxChannel::room);
    }

    private void discardSubmitted() {
        for (OutgoingMessage message = submitted.poll();
                message != null;
                message = submitted.poll()) {
            done(message);
        }
    }

    /// Nothing is sent any more; all channels hear of it, once. Any thread.
    void breakOff(String reason) {
        synchronized (address) {
            if (broken != null) {
                return;
            }
            broken = reason;
        }
        var cause = new IOException(reason);
        address.completeExceptionally(cause);
        heard.completeExceptionally(cause);
        agent.stop();
        channels.values().forEach(channel -> channel.events.closed(reason));
    }

    @Override
    public void close() {
        breakOff("the link is closed");
        awaitEnd();
        notices.cancel();
        connection.close();
        discardSubmitted();
    }

    /// After [#breakOff]: waits until UCX reads nothing of the writer's memory any more.
    void awaitEnd() {
        if (!agent.awaitEnd(CLOSE_MILLIS_MAX)) {
            log.warn("a UCX link did not end within {} ms", CLOSE_MILLIS_MAX);
        }
    }

    /// What the receiver sends back. Called by gRPC, one at a time.
    private final class Notices implements ClientResponseObserver<KvUcxAttach, KvUcxNotice> {
        private volatile @Nullable ClientCallStreamObserver<KvUcxAttach> call;

        @Override
        public void beforeStart(ClientCallStreamObserver<KvUcxAttach> stream) {
            call = stream;
        }

        void cancel() {
            ClientCallStreamObserver<KvUcxAttach> open = call;
            if (open != null) {
                open.cancel("the link is closed", null);
            }
        }

        @Override
        public void onNext(KvUcxNotice notice) {
            switch (notice.getNoticeCase()) {
                case WORKER_ADDRESS -> address.complete(notice.getWorkerAddress());
                case HEARD -> heard.complete(true);
                case RECEIPT -> {
                    UcxChannel channel = channels.get(notice.getReceipt().getAttempt());
                    if (channel != null) {
                        channel.events.receipt(notice.getReceipt().getReceipt());
                    }
                }
                case NOTICE_NOT_SET -> breakOff("the receiver sends notices without content");
            }
        }

        @Override
        public void onError(Throwable cause) {
            Status status = Status.fromThrowable(cause);
            String detail = status.getDescription();
            breakOff(status.getCode() + (detail == null ? "" : ": " + detail));
        }

        @Override
        public void onCompleted() {
            breakOff("closed by the receiver");
        }
    }

    /// Sends what is submitted.
    private final class Agent extends UcxAgent {
        private boolean started; // the lane's
        private @Nullable UcpEndpoint endpoint;
        private boolean noticesDeath;

        Agent(UcxRuntime runtime, String name) {
            super(runtime, name);
        }

        @Override
        void begin(UcpWorker worker) {
            byte[] bytes = address.getNow(ByteString.EMPTY).toByteArray();
            ByteBuffer remote = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
            try {
                endpoint = worker.newEndpoint(to(remote).setPeerErrorHandlingMode());
                noticesDeath = true;
            } catch (UcxException e) { // as over UCX's own shared memory, up to version 1.13
                if (ABANDONED.get() >= ABANDONED_MAX) {
                    throw e;
                }
                endpoint = worker.newEndpoint(to(remote)); // gRPC will notice
            }
        }

        private UcpEndpointParams to(ByteBuffer remote) {
            return new UcpEndpointParams()
                    .setUcpAddress(remote)
                    .setErrorHandler(
                            (of, status, message) -> breakOff("UCX lost the receiver: " + message));
        }

        @Override
        boolean work() {
            boolean any = false;
            for (OutgoingMessage message = submitted.poll();
                    message != null;
                    message = submitted.poll()) {
                any = true;
                send(message);
            }
            return any;
        }

        @Override
        boolean hasWork() {
            return !submitted.isEmpty();
        }

        private void send(OutgoingMessage message) {
            UcxChannel channel = message.channel;
            if (endpoint == null
                    || broken != null
                    || channel != null && channel.isOver() && !message.control) {
                done(message);
                return;
            }
            message.inFlight = true;
            try {
                // asks for no rendezvous: the receiver never has to answer over UCX
                var unused =
                        endpoint.sendAmNonBlocking(
                                UcxMessage.AM_ID,
                                message.header.address(),
                                UcxMessage.HEADER_BYTES,
                                message.dataAddress,
                                message.dataBytes,
                                UcpConstants.UCP_AM_SEND_FLAG_EAGER,
                                message,
                                HOST_MEMORY);
            } catch (UcxException e) {
                breakOff("UCX could not send: " + e.getMessage()); // `failed` was called already
            }
        }

        /// Cancels what UCX still has: each message comes back through [#failed].
        @Override
        boolean end(UcpWorker worker, @Nullable String failure) {
            if (endpoint == null) {
                return true;
            }
            boolean closed = false;
            try {
                UcpRequest closing =
                        noticesDeath
                                ? endpoint.closeNonBlockingForce()
                                : endpoint.closeNonBlockingFlush();
                long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS_MAX / 4);
                while (!closing.isCompleted() && System.nanoTime() - end < 0) {
                    worker.progress();
                }
                closed = closing.isCompleted();
            } catch (Exception e) { // jucx's progress declares it
                log.warn("a UCX endpoint could not be closed", e);
            }
            if (!closed) {
                abandon();
            }
            return closed;
        }

        /// The receiver is gone and UCX does not see it. It can't cancel; but nobody drives this worker any more, so
        /// it reads nothing any more.
        private void abandon() {
            log.warn(
                    "UCX could not be closed towards receiver {}: its memory there is left",
                    Long.toUnsignedString(receiverIncarnation));
            ABANDONED.incrementAndGet();
            for (OutgoingMessage message : messages) {
                if (message.inFlight) {
                    done(message);
                }
            }
        }

        @Override
        void ended(@Nullable String failure) {
            breakOff(failure == null ? "the link has ended" : "UCX failed: " + failure);
            discardSubmitted();
        }

        boolean awaitEnd(long millisMax) {
            return !started || join(millisMax);
        }

        void startOnce() {
            started = true;
            start();
        }
    }
}
