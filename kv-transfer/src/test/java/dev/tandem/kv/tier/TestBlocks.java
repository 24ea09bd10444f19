package dev.tandem.kv.tier;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.BlockHash;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;

import org.junit.jupiter.api.function.ThrowingConsumer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/// Blocks whose bytes follow from their number, so that what comes back can be checked without keeping it. Block 0 of the
/// pool is stored from, block 1 is loaded into.
final class TestBlocks implements AutoCloseable {
    /// 512 bytes a block.
    static final KvShape SMALL = new KvShape(2, 2, 4, 4);

    static final String MODEL = "f1e2";
    private static final long SEED = 20261123L;

    final KvShape shape;
    final KvPool pool;

    TestBlocks(KvShape shape) {
        this.shape = shape;
        this.pool = KvPools.privateMemory(shape, 2);
    }

    /// A SHA-256 in all but the work.
    static byte[] hash(long number) {
        var random = new Random(number * 31 + 7);
        byte[] hash = new byte[BlockHash.BYTES];
        random.nextBytes(hash);
        ByteBuffer.wrap(hash).putLong(24, number);
        return hash;
    }

    static long number(byte[] hashes, int index) {
        return ByteBuffer.wrap(hashes).getLong(index * BlockHash.BYTES + 24);
    }

    static Set<Long> numbers(byte[] hashes) {
        var numbers = new HashSet<Long>();
        for (int i = 0; i < hashes.length / BlockHash.BYTES; i++) {
            numbers.add(number(hashes, i));
        }
        return numbers;
    }

    boolean store(BlockTier tier, long number) {
        fill(pool.block(0), number);
        return tier.store(pool, 0, hash(number), 0);
    }

    /// Loads a block and, when it is back, checks every byte of it.
    boolean load(BlockTier tier, long number) {
        MemorySegment target = pool.block(1);
        target.fill((byte) -1);
        boolean back = tier.load(pool, 1, hash(number), 0);
        if (back) {
            fill(pool.block(0), number);
            assertThat(target.mismatch(pool.block(0))).as("block %d", number).isEqualTo(-1);
        }
        return back;
    }

    private static void fill(MemorySegment block, long number) {
        long value = number * 0x9E3779B97F4A7C15L + 1;
        for (long at = 0; at < block.byteSize(); at += Long.BYTES) {
            value ^= value << 13;
            value ^= value >>> 7;
            value ^= value << 17;
            block.set(ValueLayout.JAVA_LONG, at, value);
        }
    }

    static Set<Long> stored(BlockTier tier, int partMax) {
        var numbers = new HashSet<Long>();
        tier.forEachPart(
                partMax,
                part -> {
                    assertThat(part.length / BlockHash.BYTES).isBetween(1, partMax);
                    numbers.addAll(numbers(part));
                });
        return numbers;
    }

    static Set<Long> dropped(BlockTier tier) {
        var numbers = new HashSet<Long>();
        tier.takeDropped(3, part -> numbers.addAll(numbers(part)));
        return numbers;
    }

    static Set<Long> set(long... numbers) {
        return Arrays.stream(numbers).boxed().collect(Collectors.toSet());
    }

    /// Runs a test with `-Dtandem.seed`, or a fixed seed; a failure prints how to repeat it.
    static void seeded(String test, ThrowingConsumer<Random> body) throws Throwable {
        String given = System.getProperty("tandem.seed", "");
        long seed = given.isBlank() ? SEED : Long.parseLong(given);
        try {
            body.accept(new Random(seed));
        } catch (Throwable failure) {
            throw new AssertionError(
                    "repeat with: mvn -q -B -pl kv-transfer -am test -Dtest=%s -Dsurefire.failIfNoSpecifiedTests=false -Dtandem.seed=%d"
                            .formatted(test, seed),
                    failure);
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
