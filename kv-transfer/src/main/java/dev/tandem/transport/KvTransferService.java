package dev.tandem.transport;

import dev.tandem.kv.KvPool;
import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvStatus;
import dev.tandem.wire.KvTransferGrpc;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// The receiving server of a worker: takes frames from writers and gives them to [Leases], which decides. One
/// frame a stream is held at a time (the next is asked for when this one is done and the writer reads its
/// receipts), so memory is bounded by the number of streams.
public final class KvTransferService implements AutoCloseable {
    /// Streams of one connection at once.
    static final int STREAMS_MAX = 256;

    /// Leases that one stream may carry at once; it is closed when it goes beyond.
    static final int STREAM_LEASES_MAX = 1024;

    /// Room for everything in a frame but the payload.
    static final int FRAME_OVERHEAD_BYTES = 4096;

    private static final Logger log = LoggerFactory.getLogger(KvTransferService.class);
    private static final int WINDOW_BYTES_MIN = 1 << 20;
    private static final int WINDOW_BYTES_MAX = 8 << 20;
    private static final int KEEPALIVE_SECONDS_MIN = 5;
    private static final int CLOSE_MILLIS_MAX = 2000;

    private final Leases leases;
    private final KvPool pool;
    private final TransferSecurity security;
    private final ExecutorService executor;
    private @Nullable Server server;

    /// @param leases and `pool` stay the caller's, to be closed after this
    public KvTransferService(Leases leases, KvPool pool, TransferSecurity security) {
        this.leases = leases;
        this.security = security;
        this.pool = pool;
        // checksums and copies are work for a core each
        int threads = Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors()));
        executor =
                Executors.newFixedThreadPool(
                        threads, Thread.ofPlatform().daemon().name("kv-receiver-", 0).factory());
    }

    /// @param port 0 for any free one
    /// @param beside services of further transports, on the same port
    /// @return the port bound
    /// @throws IOException it can't be bound, or a file of the TLS settings can't be used
    public int start(String host, int port, BindableService... beside) throws IOException {
        int blockBytes = leases.bytesOfBlock();
        NettyServerBuilder builder =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(host, port), security.forReceiver())
                        .executor(executor)
                        .maxInboundMessageSize(Math.addExact(blockBytes, FRAME_OVERHEAD_BYTES))
                        .maxConcurrentCallsPerConnection(STREAMS_MAX)
                        .flowControlWindow(
                                Math.clamp(2L * blockBytes, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX))
                        .permitKeepAliveTime(KEEPALIVE_SECONDS_MIN, TimeUnit.SECONDS)
                        .addService(service());
        for (BindableService service : beside) {
            builder.addService(service);
        }
        server = builder.build().start();
        return server.getPort();
    }

    /// What to tell the coordinator: the kinds offered that this worker can receive on, in that order.
    ///
    /// @param host as others reach it; with `port` the address of every endpoint
    public List<TransferEndpoint> endpoints(List<TransportKind> offered, String host, int port) {
        var endpoints = new ArrayList<TransferEndpoint>();
        Path path = pool.path();
        for (TransportKind kind : offered) {
            var endpoint =
                    TransferEndpoint.newBuilder()
                            .setKind(kind)
                            .setAddress((host.contains(":") ? "[" + host + "]" : host) + ":" + port)
                            .setHost(HostIdentity.local());
            switch (kind) {
                case TRANSPORT_KIND_GRPC, TRANSPORT_KIND_UCX -> endpoints.add(endpoint.build());
                case TRANSPORT_KIND_SHARED_MEMORY -> {
                    if (path != null) {
                        endpoints.add(endpoint.setPoolPath(path.toString()).build());
                    }
                }
                case TRANSPORT_KIND_UNSPECIFIED, UNRECOGNIZED ->
                        throw new IllegalArgumentException("no transport of kind " + kind);
            }
        }
        return endpoints;
    }

    /// Breaks off what is under way: writers see a lost connection, their leases are aborted.
    @Override
    public void close() {
        if (server != null) {
            server.shutdownNow();
            try {
                if (!server.awaitTermination(CLOSE_MILLIS_MAX, TimeUnit.MILLISECONDS)) {
                    log.warn("KV transfers still run {} ms after the end", CLOSE_MILLIS_MAX);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        executor.shutdown();
    }

    private ServerServiceDefinition service() {
        return ServerServiceDefinition.builder(KvTransferGrpc.SERVICE_NAME)
                .addMethod(
                        PushMethod.RECEIVER,
                        ServerCalls.asyncBidiStreamingCall(
                                receipts ->
                                        new WriterStream(
                                                (ServerCallStreamObserver<KvReceipt>) receipts)))
                .build();
    }

    /// One writer's stream. gRPC calls it from one thread at a time.
    private final class WriterStream implements StreamObserver<IncomingFrame> {
        private final ServerCallStreamObserver<KvReceipt> receipts;

        /// Leases that this stream has written under and that are not known to have ended.
        private final Set<Long> written = new HashSet<>();

        /// Answered with "unknown": the rest of that attempt is dropped, the writer tries again on a new
        /// stream. Else a grant in between would let in half of it.
        private final Set<Long> unknown = new HashSet<>();

        private boolean wantsNext;
        private boolean over;

        WriterStream(ServerCallStreamObserver<KvReceipt> receipts) {
            this.receipts = receipts;
            receipts.disableAutoRequest();
            receipts.setOnReadyHandler(this::resume);
            receipts.setOnCancelHandler(this::abandonAll);
            receipts.request(1);
        }

        @Override
        public void onNext(IncomingFrame frame) {
            if (over) {
                return;
            }
            switch (frame) {
                case IncomingFrame.Piece piece -> {
                    if (!unknown.contains(piece.lease)) {
                        piece(piece.lease, leases.write(this, piece));
                    }
                }
                case IncomingFrame.Message(KvFrame message) -> message(message);
            }
            if (written.size() + unknown.size() > STREAM_LEASES_MAX) {
                close(Status.RESOURCE_EXHAUSTED, "too many leases on one stream");
            }
            wantsNext = true;
            resume();
        }

        private void message(KvFrame frame) {
            switch (frame.getFrameCase()) {
                case PLACED -> {
                    long lease = frame.getPlaced().getLease();
                    if (!unknown.contains(lease)) {
                        piece(lease, leases.placed(this, frame.getPlaced()));
                    }
                }
                case COMMIT -> {
                    long lease = frame.getCommit().getLease();
                    if (!unknown.contains(lease)) {
                        int pieces = frame.getCommit().getPieces();
                        Verdict verdict = leases.commit(this, lease, pieces);
                        end(lease, verdict, KvStatus.KV_STATUS_COMMITTED);
                    }
                }
                case ABORT -> {
                    long lease = frame.getAbort().getLease();
                    if (!unknown.contains(lease)) {
                        Verdict verdict = leases.abandon(this, lease);
                        end(lease, verdict, KvStatus.KV_STATUS_ABORTED);
                    }
                }
                case PIECE, FRAME_NOT_SET ->
                        close(Status.INVALID_ARGUMENT, "a frame without content");
            }
        }

        private void piece(long lease, Verdict verdict) {
            if (verdict instanceof Verdict.Accepted) {
                written.add(lease);
            } else {
                end(lease, verdict, KvStatus.KV_STATUS_UNSPECIFIED);
            }
        }

        private void end(long lease, Verdict verdict, KvStatus ifAccepted) {
            boolean wrote = written.remove(lease);
            var receipt = KvReceipt.newBuilder().setLease(lease);
            switch (verdict) {
                case Verdict.Accepted() -> receipt.setStatus(ifAccepted);
                case Verdict.Unknown() -> {
                    unknown.add(lease);
                    receipt.setStatus(KvStatus.KV_STATUS_UNKNOWN_LEASE)
                            .setReason("the lease is not known here");
                }
                case Verdict.Refused(String reason) ->
                        receipt.setStatus(KvStatus.KV_STATUS_REFUSED).setReason(reason);
                case Verdict.Corrupted(String reason) ->
                        receipt.setStatus(KvStatus.KV_STATUS_CORRUPTED).setReason(reason);
            }
            if (wrote && receipt.getStatus() == KvStatus.KV_STATUS_REFUSED) {
                leases.disconnected(this, lease); // whatever was wrong, this attempt is over
            }
            receipts.onNext(receipt.build());
        }

        private void resume() {
            if (wantsNext && receipts.isReady() && !over) {
                wantsNext = false;
                receipts.request(1);
            }
        }

        private void close(Status status, String reason) {
            if (!over) {
                over = true;
                abandonAll();
                receipts.onError(status.withDescription(reason).asRuntimeException());
            }
        }

        private void abandonAll() {
            over = true;
            for (long lease : written) {
                leases.disconnected(this, lease);
            }
            written.clear();
        }

        @Override
        public void onError(Throwable cause) {
            abandonAll();
        }

        @Override
        public void onCompleted() {
            if (!over) {
                abandonAll();
                receipts.onCompleted();
            }
        }
    }
}
