package dev.tandem.kv.tier;

import static dev.tandem.kv.tier.TestBlocks.MODEL;
import static dev.tandem.kv.tier.TestBlocks.SMALL;
import static dev.tandem.kv.tier.TestBlocks.dropped;
import static dev.tandem.kv.tier.TestBlocks.set;
import static dev.tandem.kv.tier.TestBlocks.stored;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvShape;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Random;
import java.util.Set;

class BlockTierTest {
    private static final long BLOCK = SMALL.blockBytes();
    private static final long DISK_BLOCK = BLOCK + SlotFiles.ENTRY_BYTES;

    private final TestBlocks blocks = new TestBlocks(SMALL);
    private final TierMetrics metrics = new TierMetrics();

    @TempDir Path folder;

    @AfterEach
    void close() {
        blocks.close();
    }

    private BlockTier open(int hostBlocks, int diskBlocks) {
        return open(hostBlocks * BLOCK, diskBlocks, folder);
    }

    private BlockTier open(long hostBytes, int diskBlocks, @Nullable Path dir) {
        var options =
                new TierOptions(hostBytes, dir, SlotFiles.ENTRY_BYTES + diskBlocks * DISK_BLOCK);
        return BlockTier.open(options, SMALL, MODEL, metrics);
    }

    @Test
    void comesBackFromHostMemoryAsOftenAsAsked() {
        try (BlockTier tier = open(3, 0)) {
            assertThat(tier.blocksMax()).isEqualTo(3);
            assertThat(blocks.store(tier, 1)).isTrue();
            assertThat(blocks.store(tier, 2)).isTrue();
            assertThat(blocks.load(tier, 1)).isTrue();
            assertThat(blocks.load(tier, 2)).isTrue();
            assertThat(blocks.load(tier, 1)).isTrue();
            assertThat(dropped(tier)).isEmpty();
            assertThat(metrics.hostHits()).isEqualTo(3);
            assertThat(metrics.loadedBytes()).isEqualTo(3 * BLOCK);
            assertThat(metrics.stored()).isEqualTo(2);
        }
    }

    @Test
    void theBlockUsedLongestAgoMakesRoom() {
        try (BlockTier tier = open(3, 0)) {
            for (long number : new long[] {1, 2, 3}) {
                blocks.store(tier, number);
            }
            assertThat(blocks.load(tier, 1)).isTrue(); // used again
            blocks.store(tier, 2); // so is this
            blocks.store(tier, 4);
            assertThat(dropped(tier)).isEqualTo(set(3));
            assertThat(dropped(tier)).as("told once").isEmpty();
            assertThat(blocks.load(tier, 3)).isFalse();
            assertThat(dropped(tier)).as("asked for and not there").isEqualTo(set(3));
            assertThat(stored(tier, 2)).isEqualTo(set(1, 2, 4));
            assertThat(metrics.known()).isEqualTo(1);
            assertThat(metrics.misses()).isEqualTo(1);
        }
    }

    @Test
    void whatFallsOutOfMemoryComesBackFromDiskInTheSameOrder() {
        try (BlockTier tier = open(2, 3)) {
            assertThat(tier.blocksMax()).isEqualTo(5);
            for (long number = 1; number <= 6; number++) {
                blocks.store(tier, number);
            }
            assertThat(dropped(tier)).isEqualTo(set(1)); // 2, 3, 4 on disk, 5 and 6 in memory
            assertThat(metrics.demoted()).isEqualTo(4);
            for (long number = 2; number <= 6; number++) {
                assertThat(blocks.load(tier, number)).isTrue();
            }
            assertThat(metrics.diskHits()).isEqualTo(3);
            assertThat(metrics.hostHits()).isEqualTo(2);
            assertThat(stored(tier, 100)).isEqualTo(set(2, 3, 4, 5, 6));
        }
    }

    @Test
    void aBlockInBothGoesDownForNothing() {
        try (BlockTier tier = open(1, 3)) {
            blocks.store(tier, 1);
            blocks.store(tier, 2); // 1 is on disk
            blocks.store(tier, 1); // in memory too
            assertThat(metrics.diskBlocks()).isEqualTo(2);
            blocks.store(tier, 3); // 1 leaves the memory
            assertThat(metrics.demoted()).isEqualTo(2);
            assertThat(stored(tier, 1)).isEqualTo(set(1, 2, 3));
            assertThat(blocks.load(tier, 1)).isTrue();
            assertThat(dropped(tier)).isEmpty();
        }
    }

    @Test
    void diskAloneIsATierToo() {
        try (BlockTier tier = open(0, 2)) {
            assertThat(tier.blocksMax()).isEqualTo(2);
            for (long number = 1; number <= 3; number++) {
                assertThat(blocks.store(tier, number)).isTrue();
            }
            assertThat(blocks.store(tier, 2)).isTrue();
            blocks.store(tier, 4);
            assertThat(dropped(tier)).isEqualTo(set(1, 3));
            assertThat(blocks.load(tier, 2)).isTrue();
            assertThat(blocks.load(tier, 4)).isTrue();
        }
    }

    @Test
    void withoutAnyRoomNothingIsKeptAndNothingBreaks() {
        try (BlockTier tier = open(BLOCK - 1, 0, null)) {
            assertThat(tier.blocksMax()).isZero();
            assertThat(blocks.store(tier, 1)).isFalse();
            assertThat(blocks.load(tier, 1)).isFalse();
            assertThat(stored(tier, 1)).isEmpty();
        }
    }

    @Test
    void hostMemoryThatTheHostHasNotIsLeftOut() {
        try (BlockTier tier = open(Long.MAX_VALUE / 2, 2, folder)) {
            // 2^20 blocks of 512 bytes are 512 MiB: had, or left out, but no failure
            assertThat(tier.blocksMax()).isIn(2, 2 + DiskTier.SLOTS_MAX);
            assertThat(blocks.store(tier, 1)).isTrue();
            assertThat(blocks.load(tier, 1)).isTrue();
        }
    }

    @Test
    void wrongPlacesAreRefused() {
        try (BlockTier tier = open(2, 0)) {
            for (int block : new int[] {-1, 2}) {
                assertThatExceptionOfType(IndexOutOfBoundsException.class)
                        .isThrownBy(() -> tier.store(blocks.pool, block, new byte[32], 0));
            }
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> tier.load(blocks.pool, 0, new byte[32], 1));
            try (var others = new TestBlocks(new KvShape(1, 4, 4, 4))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> tier.load(others.pool, 0, new byte[32], 0));
            }
        }
    }

    /// The JVM's own count of the thread's bytes. The first rounds warm up: what is not compiled yet does allocate.
    @Test
    void blocksOnTheirWayAllocateNothing() {
        assumeTrue(Crc32c.isFused(), "without the C library the JDK's CRC32C makes views");
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[][] hashes = new byte[40][];
        Arrays.setAll(hashes, TestBlocks::hash);
        try (BlockTier tier = open(10, 20)) {
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 2000 && least > 0; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 1000; i++) {
                    tier.store(blocks.pool, 0, hashes[i % 40], 0); // each moves one down
                    tier.load(blocks.pool, 1, hashes[i % 40], 0); // from memory
                    tier.load(blocks.pool, 1, hashes[(i + 25) % 40], 0); // from disk
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                dropped(tier);
            }
            assertThat(metrics.diskHits()).isGreaterThan(900);
            assertThat(least).as("bytes allocated by 3000 blocks").isZero();
        }
    }

    @Test
    void aDamagedBitInMemoryIsNeverReturnedNorWrittenToDisk() throws Throwable {
        TestBlocks.seeded("BlockTierTest", this::damageMemory);
    }

    private void damageMemory(Random random) {
        for (int round = 0; round < 200; round++) {
            try (BlockTier tier = open(2, 2)) {
                blocks.store(tier, 1);
                blocks.store(tier, 2);
                MemorySegment memory = Objects.requireNonNull(tier.hostMemory());
                long at = random.nextLong(BLOCK); // block 1 lies in slot 0
                byte was = memory.get(ValueLayout.JAVA_BYTE, at);
                memory.set(ValueLayout.JAVA_BYTE, at, (byte) (was ^ 1 << random.nextInt(8)));
                if (random.nextBoolean()) {
                    blocks.store(tier, 3); // 1 would go to disk
                    assertThat(dropped(tier)).isEqualTo(set(1));
                }
                assertThat(blocks.load(tier, 1)).isFalse();
                assertThat(dropped(tier)).isEqualTo(set(1));
                assertThat(blocks.load(tier, 2)).isTrue();
                blocks.store(tier, 1);
                assertThat(blocks.load(tier, 1)).isTrue();
                assertThat(metrics.corrupt()).isEqualTo(round + 1);
            }
            try (BlockTier emptied = open(0, 1)) { // leaves nothing to the next round
                blocks.store(emptied, 100 + round);
            }
        }
    }

    /// What its owner is told is all that there is, and nothing more; nothing ever comes back wrong.
    @Test
    void whatIsToldIsWhatIsThere() throws Throwable {
        TestBlocks.seeded("BlockTierTest", this::tellAll);
    }

    private void tellAll(Random random) {
        Set<Long> there = new HashSet<>();
        for (int restart = 0; restart < 20; restart++) {
            int hostBlocks = random.nextInt(6);
            int diskBlocks = 1 + random.nextInt(12);
            try (BlockTier tier = open(hostBlocks, diskBlocks)) {
                Set<Long> found = stored(tier, 1 + random.nextInt(5));
                assertThat(there).as("nothing comes from nowhere").containsAll(found);
                there = found;
                for (int i = 0; i < 400; i++) {
                    long number = random.nextInt(30);
                    if (random.nextInt(3) == 0) {
                        assertThat(blocks.load(tier, number)).isEqualTo(there.contains(number));
                    } else {
                        assertThat(blocks.store(tier, number)).isTrue();
                        there.add(number);
                    }
                    there.removeAll(dropped(tier));
                    assertThat(there).hasSizeLessThanOrEqualTo(hostBlocks + diskBlocks);
                    assertThat(stored(tier, 7)).isEqualTo(there);
                }
                assertThat(metrics.hostBlocks()).isLessThanOrEqualTo(hostBlocks);
                assertThat(metrics.diskBlocks()).isLessThanOrEqualTo(diskBlocks);
            }
        }
        assertThat(metrics.corrupt()).isZero();
        assertThat(metrics.diskFailures()).isZero();
    }
}
