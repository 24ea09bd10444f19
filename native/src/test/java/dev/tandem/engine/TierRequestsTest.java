package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.kv.tier.BlockTier;
import dev.tandem.kv.tier.TierMetrics;
import dev.tandem.kv.tier.TierOptions;
import dev.tandem.wire.TierLoad;
import dev.tandem.wire.TierReport;
import dev.tandem.wire.TierStore;
import dev.tandem.wire.WorkerMessage;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class TierRequestsTest {
    private static final KvShape SHAPE = new KvShape(1, 1, 4, 1);
    private static final int BLOCKS = 8;

    private final KvPool pool = KvPools.privateMemory(SHAPE, BLOCKS);
    private final BlockingQueue<TierReport> reports = new LinkedBlockingQueue<>();

    @TempDir Path folder;

    @AfterEach
    void close() {
        pool.close();
    }

    private static BlockTier tier(int hostBlocks, @Nullable Path dir, int diskBlocks) {
        var options =
                new TierOptions(
                        hostBlocks * SHAPE.blockBytes(),
                        dir,
                        64 + diskBlocks * (SHAPE.blockBytes() + 64));
        return BlockTier.open(options, SHAPE, "f1e2", new TierMetrics());
    }

    private TierRequests requests(BlockTier tier) {
        var requests = new TierRequests(tier, pool);
        requests.onReport(this::hear);
        return requests;
    }

    private void hear(WorkerMessage message) {
        assertThat(message.hasTierReport()).isTrue();
        reports.add(message.getTierReport());
    }

    private TierReport next() throws InterruptedException {
        TierReport report = reports.poll(60, TimeUnit.SECONDS);
        assertThat(report).isNotNull();
        return report;
    }

    private void fill(int block, float value) {
        for (long i = 0; i < SHAPE.blockFloats(); i++) {
            pool.block(block).setAtIndex(ValueLayout.JAVA_FLOAT, i, value + i);
        }
    }

    private void check(int block, float value) {
        for (long i = 0; i < SHAPE.blockFloats(); i++) {
            assertThat(pool.block(block).getAtIndex(ValueLayout.JAVA_FLOAT, i))
                    .isEqualTo(value + i);
        }
    }

    private static ByteString hashes(long... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(32 * numbers.length);
        for (long number : numbers) {
            bytes.putLong(number * 0x9E3779B97F4A7C15L).putLong(0).putLong(0).putLong(number);
        }
        return ByteString.copyFrom(bytes.flip());
    }

    private static long[] numbers(ByteString hashes) {
        ByteBuffer bytes = hashes.asReadOnlyByteBuffer();
        return LongStream.range(0, hashes.size() / 32)
                .map(i -> bytes.getLong((int) i * 32 + 24))
                .sorted()
                .toArray();
    }

    private static TierStore store(long request, ByteString hashes, int... blocks) {
        return TierStore.newBuilder()
                .setRequest(request)
                .addAllBlocks(() -> IntStream.of(blocks).iterator())
                .setHashes(hashes)
                .build();
    }

    private static TierLoad load(long request, ByteString hashes, int... blocks) {
        return TierLoad.newBuilder()
                .setRequest(request)
                .addAllBlocks(() -> IntStream.of(blocks).iterator())
                .setHashes(hashes)
                .build();
    }

    @Test
    void storesAndBringsBackIntoOtherBlocks() throws Exception {
        try (BlockTier tier = tier(4, null, 0);
                TierRequests requests = requests(tier)) {
            fill(0, 100);
            fill(1, 200);
            requests.start();
            requests.store(store(1, hashes(11, 12), 0, 1));
            requests.load(load(2, hashes(12, 11), 6, 7));
            assertThat(next())
                    .isEqualTo(TierReport.newBuilder().setRequest(1).setBlocks(2).build());
            assertThat(next())
                    .isEqualTo(TierReport.newBuilder().setRequest(2).setBlocks(2).build());
            check(6, 200);
            check(7, 100);
        }
    }

    @Test
    void aLoadStopsAtTheFirstThatIsNotThereAndSaysSo() throws Exception {
        try (BlockTier tier = tier(4, null, 0);
                TierRequests requests = requests(tier)) {
            fill(0, 100);
            fill(7, -1);
            requests.start();
            requests.store(store(1, hashes(11, 13), 0, 0));
            requests.load(load(2, hashes(11, 12, 13), 5, 6, 7));
            next();
            TierReport partly = next();
            assertThat(partly.getRequest()).isEqualTo(2);
            assertThat(partly.getBlocks()).isEqualTo(1);
            assertThat(numbers(partly.getDropped())).containsExactly(12);
            check(5, 100);
            check(7, -1);
        }
    }

    @Test
    void whatHadToGoIsInTheAnswer() throws Exception {
        try (BlockTier tier = tier(2, null, 0);
                TierRequests requests = requests(tier)) {
            requests.start();
            requests.store(store(1, hashes(11, 12, 13, 14), 0, 1, 2, 3));
            TierReport report = next();
            assertThat(report.getBlocks()).isEqualTo(4);
            assertThat(numbers(report.getDropped())).containsExactly(11, 12);
            requests.store(store(2, hashes(11, 13), 0, 2)); // 13 goes and comes again
            assertThat(numbers(next().getDropped())).containsExactly(14);
        }
    }

    @Test
    void tellsWhatIsThereBeforeItAnswersInReportsOfBoundedSize() throws Exception {
        int blocks = TierRequests.REPORT_HASHES_MAX + 3;
        try (BlockTier tier = tier(blocks, null, 0);
                TierRequests requests = requests(tier)) {
            byte[] hashes = hashes(LongStream.range(0, blocks).toArray()).toByteArray();
            for (int i = 0; i < blocks; i++) {
                tier.store(pool, 0, hashes, 32 * i);
            }
            requests.load(load(5, hashes(3), 1)); // before the start
            requests.start();
            TierReport first = next();
            TierReport second = next();
            assertThat(first.getRequest()).isZero();
            assertThat(numbers(first.getStored())).hasSize(TierRequests.REPORT_HASHES_MAX);
            assertThat(numbers(second.getStored())).hasSize(3);
            assertThat(
                            LongStream.concat(
                                            LongStream.of(numbers(first.getStored())),
                                            LongStream.of(numbers(second.getStored())))
                                    .sorted()
                                    .toArray())
                    .isEqualTo(LongStream.range(0, blocks).toArray());
            assertThat(next().getRequest()).isEqualTo(5);
        }
    }

    @Test
    void aRequestTooManyIsAnsweredAtOnce() throws Exception {
        try (BlockTier tier = tier(4, null, 0);
                TierRequests requests = requests(tier)) {
            for (int i = 1; i <= TierRequests.REQUESTS_QUEUED_MAX; i++) {
                requests.store(store(i, hashes(i % 4), 0));
            }
            assertThat(reports).isEmpty();
            requests.load(load(999, hashes(1), 1));
            assertThat(next()).isEqualTo(TierReport.newBuilder().setRequest(999).build());
            requests.start();
            for (int i = 1; i <= TierRequests.REQUESTS_QUEUED_MAX; i++) {
                TierReport report = next();
                assertThat(report.getRequest()).isEqualTo(i);
                assertThat(report.getBlocks()).isEqualTo(1);
            }
            requests.load(load(1000, hashes(1), 1));
            assertThat(next().getBlocks()).isEqualTo(1);
        }
    }

    @Test
    void malformedRequestsAndThoseWithoutTiersAreAnsweredWithNothing() throws Exception {
        try (BlockTier tier = tier(4, null, 0);
                TierRequests requests = requests(tier)) {
            requests.start();
            requests.store(store(1, hashes(11), BLOCKS));
            requests.store(store(2, hashes(11), -1));
            requests.load(load(3, hashes(11, 12), 0));
            requests.load(load(4, ByteString.copyFromUtf8("short"), 0));
            requests.store(store(5, hashes()));
            for (int i = 1; i <= 5; i++) {
                assertThat(next()).isEqualTo(TierReport.newBuilder().setRequest(i).build());
            }
        }
        try (BlockTier none = BlockTier.open(TierOptions.NONE, SHAPE, "f", new TierMetrics());
                TierRequests requests = requests(none)) {
            requests.start();
            requests.store(store(6, hashes(11), 0));
            assertThat(next()).isEqualTo(TierReport.newBuilder().setRequest(6).build());
        }
    }

    @Test
    void theTiersOutliveTheStreamAndTheDiskTheWorker() throws Exception {
        try (BlockTier tier = tier(1, folder, 4)) {
            fill(0, 100);
            try (TierRequests requests = requests(tier)) {
                requests.start();
                requests.store(store(1, hashes(11, 12), 0, 0));
                next();
            }
            try (TierRequests requests = requests(tier)) {
                requests.start();
                assertThat(numbers(next().getStored())).containsExactly(11, 12);
                requests.load(load(1, hashes(11, 12), 1, 2));
                assertThat(next().getBlocks()).isEqualTo(2);
                check(1, 100);
                check(2, 100);
            }
        }
        try (BlockTier again = tier(1, folder, 4);
                TierRequests requests = requests(again)) {
            requests.start();
            assertThat(numbers(next().getStored())).containsExactly(11); // 12 was in memory
            requests.load(load(1, hashes(11), 3));
            assertThat(next().getBlocks()).isEqualTo(1);
            check(3, 100);
        }
    }

    @Test
    void afterTheCloseNothingTouchesThePool() throws Exception {
        try (BlockTier tier = tier(4, null, 0)) {
            TierRequests requests = requests(tier);
            requests.start();
            for (int i = 1; i <= 100; i++) {
                requests.store(store(i, hashes(1, 2, 3), 0, 1, 2));
            }
            requests.close();
            int answered = reports.size();
            requests.store(store(101, hashes(1), 0));
            assertThat(reports).hasSize(answered + 1); // at once, with nothing
            requests.close();
        }
    }
}
