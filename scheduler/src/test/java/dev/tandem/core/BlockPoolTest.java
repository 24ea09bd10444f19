package dev.tandem.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;

class BlockPoolTest {
    private static final int BLOCK_TOKENS = 4;
    private static final int WORDS = PrefixHasher.WORDS;
    private final PrefixHasher hasher = new PrefixHasher();

    @Test
    void beingFullChangesNothing() {
        BlockPool pool = new BlockPool(3, BLOCK_TOKENS);
        BlockTable table = new BlockTable();
        assertThat(pool.grow(table, 8)).isTrue();
        assertThat(pool.grow(table, 17)).isFalse();
        assertThat(table.size()).isEqualTo(2);
        assertThat(pool.free()).isEqualTo(1);
        assertThat(pool.grow(table, 12)).isTrue();
        assertThat(pool.used()).isEqualTo(3);
    }

    @Test
    void aReleasedPrefixIsFoundAgainAndItsHeadIsEvictedLast() {
        BlockPool pool = new BlockPool(4, BLOCK_TOKENS);
        long[] hashes = hasher.hashesOf(tokens(1, 12), 12, BLOCK_TOKENS, "");
        BlockTable first = filled(pool, hashes);
        int head = first.get(0);
        pool.release(first);
        assertThat(pool.used()).isZero();
        assertThat(pool.cached()).isEqualTo(3);

        BlockTable other = new BlockTable();
        assertThat(pool.grow(other, 3 * BLOCK_TOKENS))
                .isTrue(); // the empty block, then two from the tail
        assertThat(pool.cachedPrefix(hashes, 3)).isEqualTo(1);
        BlockTable again = new BlockTable();
        assertThat(pool.share(again, hashes, 3)).isEqualTo(1);
        assertThat(again.get(0)).isEqualTo(head);
        assertThat(pool.free()).isZero();
    }

    @Test
    void differentSaltsShareNothing() {
        long[] plain = hasher.hashesOf(tokens(1, 8), 8, BLOCK_TOKENS, "");
        long[] salted = hasher.hashesOf(tokens(1, 8), 8, BLOCK_TOKENS, "tenant");
        BlockPool pool = new BlockPool(4, BLOCK_TOKENS);
        filled(pool, plain);
        assertThat(pool.cachedPrefix(plain, 2)).isEqualTo(2);
        assertThat(pool.cachedPrefix(salted, 2)).isZero();
    }

    @Test
    void aBlockReleasedTwiceIsABrokenInvariant() {
        BlockPool pool = new BlockPool(2, BLOCK_TOKENS);
        BlockTable table = new BlockTable();
        pool.grow(table, 4);
        BlockTable copy = new BlockTable();
        copy.add(table.get(0));
        pool.release(table);
        assertThatThrownBy(() -> pool.release(copy))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("released twice");
    }

    static LongStream seeds() {
        String seed = System.getProperty("tandem.seed", "");
        return seed.isEmpty() ? LongStream.range(0, 100) : LongStream.of(Long.parseLong(seed));
    }

    /// Against a model that keeps, for each block, how many tables hold it.
    @ParameterizedTest(name = "repeat with -Dtest=BlockPoolTest -Dtandem.seed={0}")
    @MethodSource("seeds")
    void countsAgreeWithAPlainModel(long seed) {
        Random random = new Random(seed);
        int blocks = 1 + random.nextInt(30);
        BlockPool pool = new BlockPool(blocks, BLOCK_TOKENS);
        List<BlockTable> tables = new ArrayList<>();
        for (int step = 0; step < 300; step++) {
            if (random.nextInt(3) > 0) {
                int length = 1 + random.nextInt(40);
                long[] hashes =
                        hasher.hashesOf(
                                tokens(random.nextInt(4), length), length, BLOCK_TOKENS, "");
                BlockTable table = new BlockTable();
                int hits = pool.share(table, hashes, hashes.length / WORDS);
                if (pool.grow(table, length)) {
                    for (int i = hits; i < hashes.length / WORDS; i++) {
                        pool.index(table.get(i), hashes, i);
                    }
                    tables.add(table);
                } else {
                    pool.release(table);
                }
            } else if (!tables.isEmpty()) {
                pool.release(tables.remove(random.nextInt(tables.size())));
            }
            Map<Integer, Integer> holders = new HashMap<>();
            for (BlockTable table : tables) {
                for (int i = 0; i < table.size(); i++) {
                    holders.merge(table.get(i), 1, Integer::sum);
                }
            }
            assertThat(pool.used()).isEqualTo(holders.size());
            assertThat(pool.free()).isEqualTo(blocks - holders.size());
        }
        tables.forEach(pool::release);
        assertThat(pool.used()).isZero();
    }

    private static BlockTable filled(BlockPool pool, long[] hashes) {
        BlockTable table = new BlockTable();
        assertThat(pool.grow(table, hashes.length / WORDS * BLOCK_TOKENS)).isTrue();
        for (int i = 0; i < hashes.length / WORDS; i++) {
            pool.index(table.get(i), hashes, i);
        }
        return table;
    }

    private static int[] tokens(int first, int count) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = first * 1000 + i;
        }
        return tokens;
    }
}
