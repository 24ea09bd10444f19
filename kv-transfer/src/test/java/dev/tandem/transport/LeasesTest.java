package dev.tandem.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvPiece;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;

class LeasesTest {
    private static final KvShape SHAPE = new KvShape(1, 1, 16, 4); // 512 bytes a block
    private static final long RECEIVER = 100;
    private static final long WRITER = 200;
    private static final int DEADLINE_MILLIS = 1000;

    private final Object stream = new Object();
    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 10); // wraps during the tests
    private final TransferMetrics metrics = new TransferMetrics();
    private final BlockingQueue<LeaseUpdate> updates = new LinkedBlockingQueue<>();
    private final KvPool pool = KvPools.privateMemory(SHAPE, 16);
    private Leases leases;

    @BeforeEach
    void open() {
        leases = new Leases(pool, RECEIVER, List.of(), metrics, clock::get);
        leases.onUpdate(updates::add);
    }

    @AfterEach
    void close() {
        leases.close();
        pool.close();
    }

    @Test
    void commitsWhenEverySlotHoldsVerifiedBytes() {
        leases.grant(grant(1, 3, 5));
        assertThat(write(stream, block(1, 1, 'b'))).isEqualTo(Verdict.ACCEPTED);
        assertThat(write(stream, block(1, 0, 'a'))).isEqualTo(Verdict.ACCEPTED);
        assertThat(updates).isEmpty();
        assertThat(leases.commit(stream, 1, 2)).isEqualTo(Verdict.ACCEPTED);
        assertThat(pool.block(3).get(ValueLayout.JAVA_BYTE, 511)).isEqualTo((byte) 'a');
        assertThat(pool.block(5).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 'b');
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED, 1024);
        assertRefused(leases.commit(stream, 1, 2), "has ended");
        assertRefused(write(stream, block(1, 0, 'x')), "has ended");
        assertThat(pool.block(3).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 'a');
        assertThat(updates).isEmpty();
    }

    @Test
    void anEmptyLeaseCommits() {
        leases.grant(grant(1));
        assertThat(leases.commit(stream, 1, 0)).isEqualTo(Verdict.ACCEPTED);
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED, 0);
    }

    @Test
    void aCommitWithMissingOrMiscountedBlocksAborts() {
        leases.grant(grant(1, 3, 5));
        leases.grant(grant(2, 4));
        write(1, 0);
        assertRefused(leases.commit(stream, 1, 1), "1 of 2 layers of 2 blocks");
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_ABORTED, 512);
        write(2, 0);
        assertRefused(leases.commit(stream, 2, 2), "commit of 2");
        assertOnlyUpdate(2, LeaseOutcome.LEASE_OUTCOME_ABORTED, 512);
    }

    @Test
    void aWrongPieceOfTheRightWriterEndsTheLease() {
        KvPiece good = block(1, 0, 'a');
        List<KvPiece> bad =
                List.of(
                        good.toBuilder().setCrc32C(good.getCrc32C() ^ 1).build(),
                        good.toBuilder().setLength(511).build(),
                        good.toBuilder().setPayload(good.getPayload().substring(1)).build(),
                        good.toBuilder().setPayload(ByteString.EMPTY).build(),
                        good.toBuilder().setSlot(2).build(),
                        good.toBuilder().setSlot(-1).build());
        for (int i = 0; i < bad.size(); i++) {
            leases.grant(grant(i, 3, 5));
            KvPiece block = bad.get(i).toBuilder().setLease(i).build();
            if (i == 0) {
                assertThat(write(stream, block)).isInstanceOf(Verdict.Corrupted.class);
                pool.block(3).fill((byte) 0);
            } else {
                assertThat(write(stream, block)).isInstanceOf(Verdict.Refused.class);
            }
            assertOnlyUpdate(i, LeaseOutcome.LEASE_OUTCOME_ABORTED, 0);
            assertThat(pool.block(3).get(ValueLayout.JAVA_BYTE, 0)).isZero();
        }
        leases.grant(grant(99, 3, 5));
        write(99, 0);
        assertRefused(write(stream, block(99, 0, 'z')), "received already");
        assertOnlyUpdate(99, LeaseOutcome.LEASE_OUTCOME_ABORTED, 512);
    }

    /// Layers of 512 bytes, 3 a block.
    @Test
    void piecesMustBeWholeLayersMustNotOverlapAndMustFillEverySlot() {
        var shape = new KvShape(3, 1, 16, 4);
        try (KvPool layered = KvPools.privateMemory(shape, 4);
                var of = new Leases(layered, RECEIVER, List.of(), metrics, clock::get)) {
            of.onUpdate(updates::add);
            List<int[]> bad = // offset and length after [0, 512) and [1024, 1536) were received
                    List.of(
                            new int[] {0, 512},
                            new int[] {512, 1024},
                            new int[] {0, 1536},
                            new int[] {1024, 512},
                            new int[] {256, 512},
                            new int[] {512, 256},
                            new int[] {1536, 512},
                            new int[] {1024, 1024},
                            new int[] {-512, 512},
                            new int[] {512, 0},
                            new int[] {512, -512});
            for (int i = 0; i < bad.size(); i++) {
                of.grant(grant(i, 1));
                assertThat(of.write(stream, piece(i, 0, 0, 512))).isEqualTo(Verdict.ACCEPTED);
                assertThat(of.write(stream, piece(i, 0, 1024, 512))).isEqualTo(Verdict.ACCEPTED);
                assertRefused(of.write(stream, piece(i, 0, bad.get(i)[0], bad.get(i)[1])), "");
                assertOnlyUpdate(i, LeaseOutcome.LEASE_OUTCOME_ABORTED, 1024);
            }
            assertThat(metrics.refusals(TransferMetrics.Refusal.OVERLAP)).isEqualTo(4);
            assertThat(metrics.refusals(TransferMetrics.Refusal.LENGTH)).isEqualTo(7);
            of.grant(grant(90, 1));
            assertThat(of.write(stream, piece(90, 0, 0, 1024))).isEqualTo(Verdict.ACCEPTED);
            assertRefused(of.commit(stream, 90, 1), "2 of 3 layers of 1 blocks");
            assertOnlyUpdate(90, LeaseOutcome.LEASE_OUTCOME_ABORTED, 1024);
            of.grant(grant(91, 1));
            assertThat(of.write(stream, piece(91, 0, 512, 1024))).isEqualTo(Verdict.ACCEPTED);
            assertThat(of.write(stream, piece(91, 0, 0, 512))).isEqualTo(Verdict.ACCEPTED);
            assertThat(of.commit(stream, 91, 2)).isEqualTo(Verdict.ACCEPTED);
            assertOnlyUpdate(91, LeaseOutcome.LEASE_OUTCOME_COMMITTED, 1536);
        }
    }

    private static IncomingFrame.Piece piece(long lease, int slot, int offset, int length) {
        ByteString payload = ByteString.copyFromUtf8("p".repeat(Math.max(0, length)));
        KvPiece piece =
                block(lease, slot, 'p').toBuilder()
                        .setOffset(offset)
                        .setLength(length)
                        .setPayload(payload)
                        .setCrc32C(crc(payload))
                        .build();
        try {
            return new IncomingFrame.Piece(piece);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void piecesOfGarbageAreNoFrames() throws IOException {
        var random = new Random(5);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = KvFrame.newBuilder().setPiece(block(i, 0, 'g')).build().toByteArray();
            int cut = 1 + random.nextInt(bytes.length - 1);
            for (int flips = random.nextInt(4); flips > 0; flips--) {
                bytes[random.nextInt(Math.min(cut, 60))] ^= (byte) (1 << random.nextInt(8));
            }
            leases.grant(grant(i, 3));
            Verdict verdict = Verdict.UNKNOWN;
            try {
                if (IncomingFrame.read(new ByteArrayInputStream(bytes, 0, cut))
                        instanceof IncomingFrame.Piece piece) {
                    verdict = leases.write(stream, piece);
                }
            } catch (IOException expected) {
                assertThat(expected).hasMessageNotContaining("null");
            }
            assertThat(verdict).as("round %d", i).isNotEqualTo(Verdict.ACCEPTED);
            leases.abort(LeaseAbort.newBuilder().setLease(i).build());
        }
        updates.clear();
    }

    @Test
    void foreignFramesAreRefusedAndHarmNothing() {
        leases.grant(grant(1, 3));
        KvPiece good = block(1, 0, 'a');
        assertRefused(
                write(stream, good.toBuilder().setWriterIncarnation(201).build()),
                "another writer");
        assertRefused(
                write(stream, good.toBuilder().setReceiverIncarnation(99).build()),
                "another incarnation");
        assertRefused(leases.commit(stream, 1, 0), "nothing was sent");
        assertRefused(leases.abandon(stream, 1), "nothing was sent");
        write(1, 0);
        Object other = new Object();
        assertRefused(write(other, good), "another stream");
        assertRefused(leases.commit(other, 1, 1), "another stream");
        assertRefused(leases.abandon(other, 1), "another stream");
        leases.disconnected(other, 1);
        assertThat(updates).isEmpty();
        assertThat(leases.commit(stream, 1, 1)).isEqualTo(Verdict.ACCEPTED);
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED, 512);
    }

    @Test
    void unknownIsNotEnded() {
        assertThat(write(stream, block(1, 0, 'a'))).isEqualTo(Verdict.UNKNOWN);
        assertThat(leases.commit(stream, 1, 1)).isEqualTo(Verdict.UNKNOWN);
        leases.abort(LeaseAbort.newBuilder().setLease(1).build());
        assertThat(updates).isEmpty();
        leases.grant(grant(1, 3));
        write(1, 0);
        leases.abort(LeaseAbort.newBuilder().setLease(1).build());
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_ABORTED, 512);
        assertRefused(write(stream, block(1, 0, 'a')), "has ended");
        leases.grant(grant(1, 3)); // too late, a repeat
        assertRefused(write(stream, block(1, 0, 'a')), "has ended");
        assertThat(updates).isEmpty();
    }

    @Test
    void invalidGrantsAreAbortedAtOnce() {
        leases.grant(grant(1, 3));
        leases.grant(grant(1, 4)); // a repeat: ignored
        leases.grant(grant(2, 16));
        assertOnlyUpdate(2, LeaseOutcome.LEASE_OUTCOME_ABORTED, 0);
        leases.grant(grant(3, 3));
        assertOnlyUpdate(3, LeaseOutcome.LEASE_OUTCOME_ABORTED, 0);
        leases.grant(grant(4, 7, 7));
        assertOnlyUpdate(4, LeaseOutcome.LEASE_OUTCOME_ABORTED, 0);
        leases.grant(grant(5, 4, 7)); // blocks of refused grants are free
        write(5, 0);
        write(1, 0);
        assertThat(leases.commit(stream, 1, 1)).isEqualTo(Verdict.ACCEPTED);
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED, 512);
        leases.close();
        assertOnlyUpdate(5, LeaseOutcome.LEASE_OUTCOME_ABORTED, 512);
        leases.grant(grant(6, 1));
        assertOnlyUpdate(6, LeaseOutcome.LEASE_OUTCOME_ABORTED, 0);
    }

    @Test
    void expiresAtItsOwnDeadline() {
        leases.grant(grant(1, 3));
        clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS) - 1);
        leases.expireDue();
        assertThat(updates).isEmpty();
        leases.grant(grant(2, 4));
        clock.incrementAndGet();
        assertRefused(write(stream, block(1, 0, 'a')), "has ended");
        leases.expireDue();
        leases.expireDue();
        assertOnlyUpdate(1, LeaseOutcome.LEASE_OUTCOME_EXPIRED, 0);
        write(2, 0);
    }

    @Test
    void expiresWithoutAnyTraffic() throws InterruptedException {
        try (var quiet = new Leases(pool, RECEIVER, metrics)) {
            quiet.onUpdate(updates::add);
            quiet.grant(grant(1, 3).toBuilder().setDeadlineMillis(60_000).build());
            quiet.grant(grant(2, 4).toBuilder().setDeadlineMillis(20).build());
            LeaseUpdate update =
                    TestWorker.notHanging(updates.poll(30, TimeUnit.SECONDS), "expiry");
            assertThat(update.getLease()).isEqualTo(2);
            assertThat(update.getOutcome()).isEqualTo(LeaseOutcome.LEASE_OUTCOME_EXPIRED);
            assertThat(updates).isEmpty();
        }
    }

    @Test
    void aGrantThatNobodyListensForIsAnError() {
        try (var deaf = new Leases(pool, RECEIVER, metrics)) {
            assertThatThrownBy(() -> deaf.grant(grant(1, 3)))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    static LongStream seeds() {
        String seed = System.getProperty("tandem.seed", "");
        return seed.isEmpty() ? LongStream.range(0, 40) : LongStream.of(Long.parseLong(seed));
    }

    /// Writers, committers, aborters, a broken stream and the timer race for the same leases. Each lease ends
    /// exactly once, and a committed one holds all its bytes.
    @ParameterizedTest
    @MethodSource("seeds")
    void endsExactlyOnceUnderAnyInterleaving(long seed) throws Exception {
        int count = 5;
        int blocksEach = 3;
        var random = new Random(seed);
        for (int lease = 0; lease < count; lease++) {
            int first = lease * blocksEach;
            leases.grant(grant(lease, first, first + 1, first + 2));
        }
        var start = new CyclicBarrier(4);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            var work = new ArrayList<Future<?>>();
            for (int thread = 0; thread < 4; thread++) {
                int role = thread;
                var own = new Random(random.nextLong());
                work.add(
                        threads.submit(
                                () -> {
                                    start.await();
                                    for (int i = 0; i < 60; i++) {
                                        step(role, own, count, blocksEach);
                                    }
                                    return null;
                                }));
            }
            for (Future<?> each : work) {
                each.get();
            }
        }
        leases.close();
        String repeat =
                "repeat: mvn -pl kv-transfer -am test -Dtest=LeasesTest -Dtandem.seed=" + seed;
        assertThat(updates.stream().map(LeaseUpdate::getLease))
                .as(repeat)
                .containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L);
        for (LeaseUpdate update : updates) {
            if (update.getOutcome() == LeaseOutcome.LEASE_OUTCOME_COMMITTED) {
                assertThat(update.getBytes()).as(repeat).isEqualTo(3 * 512);
                for (int slot = 0; slot < blocksEach; slot++) {
                    int block = (int) update.getLease() * blocksEach + slot;
                    assertThat(pool.block(block).get(ValueLayout.JAVA_BYTE, 511))
                            .as(repeat)
                            .isEqualTo((byte) ('a' + slot));
                }
            }
        }
        updates.clear();
    }

    private void step(int role, Random random, int count, int blocksEach) {
        int lease = random.nextInt(count);
        switch (role) {
            case 0, 1 -> {
                for (int slot = role; slot < blocksEach; slot += 2) {
                    var unused = write(stream, block(lease, slot, (char) ('a' + slot)));
                }
                if (random.nextInt(3) == 0) {
                    var unused = leases.commit(stream, lease, blocksEach);
                }
            }
            case 2 -> {
                if (random.nextInt(20) == 0) {
                    leases.abort(LeaseAbort.newBuilder().setLease(lease).build());
                } else if (random.nextInt(20) == 0) {
                    leases.disconnected(stream, lease);
                }
            }
            default -> {
                clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS) / 80);
                leases.expireDue();
            }
        }
    }

    @Test
    void recentIdsForgetTheOldest() {
        var ids = new RecentIds(3);
        for (long id : new long[] {-1, 5, 7}) {
            assertThat(ids.add(id)).isTrue();
            assertThat(ids.add(id)).isFalse();
        }
        assertThat(ids.add(9)).isTrue();
        assertThat(ids.contains(-1)).isFalse();
        assertThat(LongStream.of(5, 7, 9).allMatch(ids::contains)).isTrue();
    }

    private Verdict write(Object from, KvPiece piece) {
        try {
            return leases.write(from, new IncomingFrame.Piece(piece));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void write(long lease, int slot) {
        assertThat(write(stream, block(lease, slot, 'w'))).isEqualTo(Verdict.ACCEPTED);
    }

    private static KvPiece block(long lease, int slot, char fill) {
        ByteString payload = ByteString.copyFromUtf8(String.valueOf(fill).repeat(512));
        return KvPiece.newBuilder()
                .setLease(lease)
                .setWriterIncarnation(WRITER)
                .setReceiverIncarnation(RECEIVER)
                .setSlot(slot)
                .setLength(512)
                .setCrc32C(crc(payload))
                .setPayload(payload)
                .build();
    }

    private static int crc(ByteString bytes) {
        var crc = new CRC32C();
        crc.update(bytes.asReadOnlyByteBuffer());
        return (int) crc.getValue();
    }

    private static LeaseGrant grant(long lease, int... blocks) {
        return LeaseGrant.newBuilder()
                .setLease(lease)
                .addAllBlocks(IntStream.of(blocks).boxed().toList())
                .setWriterIncarnation(WRITER)
                .setDeadlineMillis(DEADLINE_MILLIS)
                .build();
    }

    private void assertOnlyUpdate(long lease, LeaseOutcome outcome, long bytes) {
        var expected =
                LeaseUpdate.newBuilder()
                        .setLease(lease)
                        .setOutcome(outcome)
                        .setBytes(bytes)
                        .build();
        assertThat(updates).containsExactly(expected);
        updates.clear();
    }

    private static void assertRefused(Verdict verdict, String reason) {
        assertThat(verdict)
                .isInstanceOfSatisfying(
                        Verdict.Refused.class,
                        refused -> assertThat(refused.reason()).contains(reason));
    }
}
