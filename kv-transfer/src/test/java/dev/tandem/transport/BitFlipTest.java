package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;
import static dev.tandem.transport.TestWorker.send;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvShape;
import dev.tandem.transport.TransferMetrics.Refusal;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/// Flips one to three bits of one block in every second lease, between the writer's checksum and the receiver's, on its
/// way through the real transports. None may be committed, and every other lease must be.
///
/// A million blocks: `mvn -pl kv-transfer -am test -Dtest=BitFlipTest -Dtandem.flips.blocks=1000000`
class BitFlipTest {
    private static final int MILLIS = 600_000;
    private static final int BLOCKS = Integer.getInteger("tandem.flips.blocks", 20_000);
    private static final long SEED = Long.getLong("tandem.seed", 42);
    private static final int EACH = 16; // blocks of a lease
    private static final int POOL = 1024;
    private static final int LEASES_OPEN = POOL / EACH;
    private static final KvShape SHAPE =
            new KvShape(4, 1, 4, 8); // 1 KiB a block, 256 bytes a layer

    @TempDir Path folder;

    /// Lease to the slot whose block is to be damaged.
    private final Map<Long, Integer> victims = new ConcurrentHashMap<>();

    private final Map<Long, int[]> receiverBlocks = new ConcurrentHashMap<>();
    private final Map<Long, int[]> sources = new HashMap<>();
    private long next = 1; // leases are looked at in order
    private final Map<Long, SendResult> results = new HashMap<>();
    private final Map<Long, LeaseUpdate> updates = new HashMap<>();
    private final Random bits = new Random(SEED + 1); // the lane's thread alone uses it
    private volatile MemorySegment receiverMemory = MemorySegment.NULL;

    @ParameterizedTest
    @EnumSource
    void everyFlippedBitIsFound(TransferTest.Way way) throws Exception {
        var options = new SenderOptions(1024, 1024, 4, MILLIS, 2, 100, 60_000, 512);
        long begin = System.nanoTime();
        Set<Long> damaged = new HashSet<>();
        try (var writer =
                        new TestWorker(
                                1,
                                way.offered.subList(0, 1),
                                folder,
                                SHAPE,
                                POOL,
                                options,
                                GrpcDialer.plaintext().through(new FlippingWire()),
                                TransferSecurity.PLAINTEXT,
                                this::flipping);
                var receiver = new TestWorker(2, way.offered, folder, SHAPE, POOL, options)) {
            writer.fillRandom(SEED);
            receiverMemory = receiver.pool.memory();
            var random = new Random(SEED);
            long lease = 0;
            int open = 0;
            int blocksDone = 0;
            while (blocksDone < BLOCKS) {
                while (open < LEASES_OPEN) {
                    lease++;
                    begin(writer, receiver, lease, random, damaged);
                    open++;
                }
                check(writer, receiver, damaged);
                open--;
                blocksDone += EACH;
            }
            while (open-- > 0) {
                check(writer, receiver, damaged);
            }
            assertThat(receiver.metrics.refusals(Refusal.CHECKSUM)).isEqualTo(damaged.size());
            assertThat(receiver.metrics.leasesCommitted()).isEqualTo(lease - damaged.size());
            System.out.printf(
                    "%s: %d blocks in %d leases, %d damaged, all found; seed %d, %.1f s%n",
                    way,
                    lease * EACH,
                    lease,
                    damaged.size(),
                    SEED,
                    (System.nanoTime() - begin) / 1e9);
        }
    }

    private void begin(
            TestWorker writer, TestWorker receiver, long lease, Random random, Set<Long> damaged) {
        int[] from = random.ints(EACH, 0, POOL).toArray();
        int first =
                (int) (lease % LEASES_OPEN) * EACH; // free: leases end in the order of their begin
        int[] to = IntStream.range(first, first + EACH).toArray();
        if (random.nextBoolean()) {
            victims.put(lease, random.nextInt(EACH));
            damaged.add(lease);
        }
        receiverBlocks.put(lease, to);
        sources.put(lease, from);
        receiver.leases.grant(grant(lease, writer, MILLIS, to));
        assertThat(writer.send(send(lease, receiver, MILLIS, true, 0, from))).isTrue();
    }

    private void check(TestWorker writer, TestWorker receiver, Set<Long> damaged) throws Exception {
        long lease = next++;
        while (!results.containsKey(lease)) {
            SendResult result = writer.result();
            results.put(result.getLease(), result);
        }
        while (!updates.containsKey(lease)) {
            LeaseUpdate update = receiver.update();
            updates.put(update.getLease(), update);
        }
        String repeat =
                "lease %d; repeat: mvn -pl kv-transfer -am test -Dtest=BitFlipTest -Dtandem.seed=%d"
                        .formatted(lease, SEED);
        boolean bad = damaged.contains(lease);
        assertThat(Objects.requireNonNull(results.remove(lease)).getCommitted())
                .as(repeat)
                .isEqualTo(!bad);
        assertThat(
                        Objects.requireNonNull(updates.remove(lease)).getOutcome()
                                == LeaseOutcome.LEASE_OUTCOME_COMMITTED)
                .as(repeat)
                .isEqualTo(!bad);
        int[] from = Objects.requireNonNull(sources.remove(lease));
        int[] to = Objects.requireNonNull(receiverBlocks.remove(lease));
        for (int i = 0; i < EACH && !bad; i++) {
            if (receiver.pool.block(to[i]).mismatch(writer.pool.block(from[i])) != -1) {
                throw new AssertionError("wrong bytes were committed, " + repeat);
            }
        }
    }

    private void flip(byte[] bytes, int from, int length) {
        Set<Integer> places = new HashSet<>(); // the same bit twice would be none
        for (int count = 1 + bits.nextInt(3); count > 0; count--) {
            places.add(bits.nextInt(length * Byte.SIZE));
        }
        for (int place : places) {
            bytes[from + place / Byte.SIZE] ^= (byte) (1 << place % Byte.SIZE);
        }
    }

    /// Damages gRPC's pieces after their checksum is made.
    private final class FlippingWire implements ClientInterceptor {
        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(
                MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            MethodDescriptor.Marshaller<Q> marshaller = method.getRequestMarshaller();
            return next.newCall(
                    method.toBuilder(
                                    new MethodDescriptor.Marshaller<Q>() {
                                        @Override
                                        public InputStream stream(Q frame) {
                                            return frame instanceof OutgoingFrame.Piece piece
                                                            && victims.remove(
                                                                    piece.lease(), piece.slot())
                                                    ? damaged(piece)
                                                    : marshaller.stream(frame);
                                        }

                                        @Override
                                        public Q parse(InputStream stream) {
                                            return marshaller.parse(stream);
                                        }
                                    },
                                    method.getResponseMarshaller())
                            .build(),
                    options);
        }

        private InputStream damaged(OutgoingFrame.Piece piece) {
            var bytes = new ByteArrayOutputStream();
            try {
                piece.writeTo(bytes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            byte[] frame = bytes.toByteArray();
            flip(frame, frame.length - 5 - piece.bytes(), piece.bytes()); // the checksum is last
            return new ByteArrayInputStream(frame);
        }
    }

    /// Damages pieces in the receiver's pool between the one-sided write and the word of it.
    private BlockTransport flipping(BlockTransport transport) {
        if (transport.kind() == TransportKind.TRANSPORT_KIND_GRPC) {
            return transport;
        }
        return new BlockTransport() {
            @Override
            public TransportKind kind() {
                return transport.kind();
            }

            @Override
            public BlockLink open(TransferEndpoint endpoint, long incarnation, long waitMillisMax)
                    throws IOException, InterruptedException {
                return new FlippingLink(transport.open(endpoint, incarnation, waitMillisMax));
            }
        };
    }

    private final class FlippingLink implements BlockLink {
        private final BlockLink link;

        FlippingLink(BlockLink link) {
            this.link = link;
        }

        @Override
        public BlockChannel open(long lease, long writerIncarnation, Events events) {
            return new FlippingChannel(lease, link.open(lease, writerIncarnation, events));
        }

        @Override
        public void close() {
            link.close();
        }
    }

    private final class FlippingChannel implements BlockChannel {
        private final long lease;
        private final BlockChannel channel;

        FlippingChannel(long lease, BlockChannel channel) {
            this.lease = lease;
            this.channel = channel;
        }

        @Override
        public void put(int slot, long offset, MemorySegment memory, long from, long bytes) {
            channel.put(slot, offset, memory, from, bytes);
            if (victims.remove(lease, slot)) {
                long at =
                        Objects.requireNonNull(receiverBlocks.get(lease))[slot] * SHAPE.blockBytes()
                                + offset;
                var copy = new byte[(int) bytes];
                MemorySegment.copy(receiverMemory, ValueLayout.JAVA_BYTE, at, copy, 0, copy.length);
                flip(copy, 0, copy.length);
                MemorySegment.copy(copy, 0, receiverMemory, ValueLayout.JAVA_BYTE, at, copy.length);
            }
        }

        @Override
        public boolean ready() {
            return channel.ready();
        }

        @Override
        public void flush() {
            channel.flush();
        }

        @Override
        public void commit(int pieces) {
            channel.commit(pieces);
        }

        @Override
        public void abort(String reason) {
            channel.abort(reason);
        }

        @Override
        public void finish() {
            channel.finish();
        }
    }
}
