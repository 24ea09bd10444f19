package dev.tandem.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.ucx.UcxReceiver;
import dev.tandem.transport.ucx.UcxRuntime;
import dev.tandem.transport.ucx.UcxTransport;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// Both transfer ends of one worker with real memory and real sockets, without an engine.
final class TestWorker implements AutoCloseable {
    static final KvShape SHAPE = new KvShape(2, 2, 16, 16); // 8 KiB a block
    static final List<TransportKind> GRPC = List.of(TransportKind.TRANSPORT_KIND_GRPC);
    static final List<TransportKind> BOTH =
            List.of(TransportKind.TRANSPORT_KIND_SHARED_MEMORY, TransportKind.TRANSPORT_KIND_GRPC);

    static final List<TransportKind> UCX = List.of(TransportKind.TRANSPORT_KIND_UCX);

    /// Long enough for any machine; only a hang runs into it.
    private static final long HANG_SECONDS = 120;

    final long incarnation;
    final KvPool pool;
    final TransferMetrics metrics = new TransferMetrics();
    final Leases leases;
    final KvTransferService service;
    final TransportSender sender;
    final int port;
    final BlockingQueue<LeaseUpdate> updates = new LinkedBlockingQueue<>();
    final BlockingQueue<SendResult> results = new LinkedBlockingQueue<>();
    private final List<TransportKind> kinds;
    private final @Nullable UcxReceiver doors;

    TestWorker(long incarnation, List<TransportKind> kinds, Path folder) throws IOException {
        this(incarnation, kinds, folder, SHAPE, 64, SenderOptions.defaults());
    }

    TestWorker(
            long incarnation,
            List<TransportKind> kinds,
            Path folder,
            KvShape shape,
            int blocks,
            SenderOptions options)
            throws IOException {
        this(
                incarnation,
                kinds,
                folder,
                shape,
                blocks,
                options,
                GrpcDialer.plaintext(),
                TransferSecurity.PLAINTEXT,
                transport -> transport);
    }

    /// @param wrap puts something between the sender and its transports
    TestWorker(
            long incarnation,
            List<TransportKind> kinds,
            Path folder,
            KvShape shape,
            int blocks,
            SenderOptions options,
            GrpcDialer dialer,
            TransferSecurity security,
            UnaryOperator<BlockTransport> wrap)
            throws IOException {
        this.incarnation = incarnation;
        this.kinds = kinds;
        pool =
                kinds.contains(TransportKind.TRANSPORT_KIND_SHARED_MEMORY)
                        ? KvPools.shared(shape, blocks, incarnation, folder)
                        : KvPools.privateMemory(shape, blocks);
        leases = new Leases(pool, incarnation, metrics);
        leases.onUpdate(updates::add);
        service = new KvTransferService(leases, pool, security);
        UcxRuntime ucx =
                kinds.contains(TransportKind.TRANSPORT_KIND_UCX) ? TestUcx.runtime() : null;
        doors = ucx == null ? null : new UcxReceiver(ucx, leases, incarnation);
        port = doors == null ? service.start("127.0.0.1", 0) : service.start("127.0.0.1", 0, doors);
        List<BlockTransport> transports =
                kinds.stream().map(kind -> transport(kind, ucx, dialer)).map(wrap).toList();
        sender = new TransportSender(pool, incarnation, transports, options, metrics);
        sender.onResult(results::add);
    }

    private BlockTransport transport(
            TransportKind kind, @Nullable UcxRuntime ucx, GrpcDialer dialer) {
        return switch (kind) {
            case TRANSPORT_KIND_GRPC -> new GrpcTransport(dialer, 1);
            case TRANSPORT_KIND_SHARED_MEMORY ->
                    new SharedMemoryTransport(pool.shape(), incarnation, dialer, metrics);
            case TRANSPORT_KIND_UCX ->
                    new UcxTransport(Objects.requireNonNull(ucx), dialer, incarnation);
            case TRANSPORT_KIND_UNSPECIFIED, UNRECOGNIZED -> throw new AssertionError(kind);
        };
    }

    /// Sends blocks all of whose layers are computed.
    boolean send(KvSend send) {
        return sender.send(send, LayerProgress.complete(pool.shape().layers()));
    }

    List<TransferEndpoint> endpoints() {
        return service.endpoints(kinds, "127.0.0.1", port);
    }

    void fillRandom(long seed) {
        var random = new Random(seed);
        for (long at = 0; at + Long.BYTES <= pool.memory().byteSize(); at += Long.BYTES) {
            pool.memory().set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
    }

    static LeaseGrant grant(long lease, TestWorker writer, int millis, int... blocks) {
        return LeaseGrant.newBuilder()
                .setLease(lease)
                .addAllBlocks(IntStream.of(blocks).boxed().toList())
                .setWriterIncarnation(writer.incarnation)
                .setDeadlineMillis(millis)
                .build();
    }

    /// Sends the given blocks to slots `firstSlot`, `firstSlot + 1`, ...
    static KvSend send(
            long lease,
            TestWorker receiver,
            int millis,
            boolean last,
            int firstSlot,
            int... blocks) {
        return KvSend.newBuilder()
                .setLease(lease)
                .setReceiverIncarnation(receiver.incarnation)
                .addAllEndpoints(receiver.endpoints())
                .addAllBlocks(IntStream.of(blocks).boxed().toList())
                .addAllSlots(IntStream.range(firstSlot, firstSlot + blocks.length).boxed().toList())
                .setLast(last)
                .setDeadlineMillis(millis)
                .build();
    }

    LeaseUpdate update() throws InterruptedException {
        return notHanging(updates.poll(HANG_SECONDS, TimeUnit.SECONDS), "lease update");
    }

    SendResult result() throws InterruptedException {
        return notHanging(results.poll(HANG_SECONDS, TimeUnit.SECONDS), "send result");
    }

    static <T> T notHanging(T answer, String what) {
        if (answer == null) {
            throw new AssertionError("no %s within %d s".formatted(what, HANG_SECONDS));
        }
        return answer;
    }

    /// Waits for something that other threads bring about.
    static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(HANG_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("did not happen within %d s".formatted(HANG_SECONDS));
            }
            Thread.yield();
        }
    }

    /// Everything is over, and nothing was reported twice.
    void assertNothingMore() {
        assertThat(results).isEmpty();
        assertThat(updates).isEmpty();
    }

    @Override
    public void close() {
        sender.close();
        if (doors != null) {
            doors.close();
        }
        service.close();
        leases.close();
        pool.close();
    }
}
