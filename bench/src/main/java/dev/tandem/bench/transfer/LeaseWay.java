package dev.tandem.bench.transfer;

import dev.tandem.transport.BlockTransport;
import dev.tandem.transport.GrpcDialer;
import dev.tandem.transport.GrpcTransport;
import dev.tandem.transport.KvTransferService;
import dev.tandem.transport.LayerProgress;
import dev.tandem.transport.Leases;
import dev.tandem.transport.SenderOptions;
import dev.tandem.transport.SharedMemoryTransport;
import dev.tandem.transport.TransferMetrics;
import dev.tandem.transport.TransferSecurity;
import dev.tandem.transport.TransportSender;
import dev.tandem.transport.ucx.UcxReceiver;
import dev.tandem.transport.ucx.UcxRuntime;
import dev.tandem.transport.ucx.UcxTransport;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;

/// A transport as workers use it: every 32 blocks are a lease, all leases of a move are under way at once.
final class LeaseWay implements Way {
    static final long RECEIVER = 2;
    private static final long WRITER = 1;
    private static final int LEASE_BLOCKS = 32;
    private static final int DEADLINE_MILLIS = 600_000;

    private final Pools pools;
    private final TransportKind kind;
    private final Leases leases;
    private final KvTransferService service;
    private final @Nullable UcxReceiver doors;
    private final TransportSender sender;
    private final TransferEndpoint endpoint;
    private final LayerProgress computed;
    private final LinkedBlockingQueue<SendResult> results = new LinkedBlockingQueue<>();
    private long lease;

    /// @param ucx only for UCX; stays the caller's
    LeaseWay(Pools pools, TransportKind kind, @Nullable UcxRuntime ucx) throws IOException {
        this.pools = pools;
        this.kind = kind;
        var metrics = new TransferMetrics();
        var shape = pools.source().shape();
        leases = new Leases(pools.target(), RECEIVER, metrics);
        leases.onUpdate(update -> {});
        service = new KvTransferService(leases, pools.target(), TransferSecurity.PLAINTEXT);
        doors = ucx == null ? null : new UcxReceiver(ucx, leases, RECEIVER);
        int port =
                doors == null
                        ? service.start("127.0.0.1", 0)
                        : service.start("127.0.0.1", 0, doors);
        endpoint = service.endpoints(List.of(kind), "127.0.0.1", port).getFirst();
        GrpcDialer dialer = GrpcDialer.plaintext();
        BlockTransport transport =
                switch (kind) {
                    case TRANSPORT_KIND_SHARED_MEMORY ->
                            new SharedMemoryTransport(shape, WRITER, dialer, metrics);
                    case TRANSPORT_KIND_GRPC -> new GrpcTransport(dialer, 1);
                    case TRANSPORT_KIND_UCX -> ucxTransport(ucx, dialer);
                    case TRANSPORT_KIND_UNSPECIFIED, UNRECOGNIZED ->
                            throw new IllegalArgumentException("no transport of kind " + kind);
                };
        sender =
                new TransportSender(
                        pools.source(),
                        WRITER,
                        List.of(transport),
                        SenderOptions.defaults(),
                        metrics);
        sender.onResult(results::add);
        computed = LayerProgress.complete(shape.layers());
    }

    private static BlockTransport ucxTransport(@Nullable UcxRuntime ucx, GrpcDialer dialer) {
        if (ucx == null) {
            throw new IllegalArgumentException("UCX needs its runtime");
        }
        return new UcxTransport(ucx, dialer, WRITER);
    }

    @Override
    public String name() {
        return switch (kind) {
            case TRANSPORT_KIND_SHARED_MEMORY -> "shared-memory";
            case TRANSPORT_KIND_GRPC -> "grpc";
            case TRANSPORT_KIND_UCX -> "ucx";
            case TRANSPORT_KIND_UNSPECIFIED, UNRECOGNIZED -> throw new IllegalStateException();
        };
    }

    @Override
    public void move(int first, int count) throws InterruptedException {
        int sent = 0;
        for (int at = first; at < first + count; at += LEASE_BLOCKS) {
            send(at, Math.min(LEASE_BLOCKS, first + count - at));
            sent++;
        }
        for (int i = 0; i < sent; i++) {
            SendResult result = results.take();
            if (!result.getCommitted()) {
                throw new IllegalStateException("a lease failed: " + result.getError());
            }
        }
    }

    private void send(int first, int count) {
        var grant =
                LeaseGrant.newBuilder()
                        .setLease(++lease)
                        .setWriterIncarnation(WRITER)
                        .setDeadlineMillis(DEADLINE_MILLIS);
        var send =
                KvSend.newBuilder()
                        .setLease(lease)
                        .setReceiverIncarnation(RECEIVER)
                        .addEndpoints(endpoint)
                        .setLast(true)
                        .setDeadlineMillis(DEADLINE_MILLIS);
        for (int i = 0; i < count; i++) {
            grant.addBlocks(first + i);
            send.addBlocks(first + i).addSlots(i);
        }
        leases.grant(grant.build());
        if (!sender.send(send.build(), computed)) {
            throw new IllegalStateException("the sender's queue is full");
        }
    }

    @Override
    public boolean isEqual() {
        return pools.isEqual();
    }

    @Override
    public void close() {
        sender.close();
        if (doors != null) {
            doors.close();
        }
        service.close();
        leases.close();
        pools.close();
    }
}
