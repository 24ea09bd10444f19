package dev.tandem.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tandem.kv.KvShape;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

class PagedAttentionTest {
    private static final String REPEAT = TestSeed.repeat(PagedAttentionTest.class);

    @ParameterizedTest
    @CsvSource({
        "2, 1, 16, 16, 0, 0", "6, 2, 16, 32, 33, 0", "4, 4, 5, 48, 61, 0", "8, 2, 16, 64, 100, 32",
        "3, 1, 7, 40, 20, 7", "4, 2, 16, 8, 15, 1", "2, 2, 3, 6, 25, 10", "6, 3, 1, 72, 9, 0"
    })
    void equalsTheScalarFormAndIsNearTheTruth(
            int heads, int kvHeads, int blockTokens, int headDim, int position, int window) {
        var random = TestSeed.random();
        var shape = new KvShape(2, kvHeads, blockTokens, headDim);
        int blockCount = position / blockTokens + 1;
        int[] blocks = new int[blockCount + 1];
        for (int i = 0; i < blockCount; i++) {
            blocks[i + 1] = blockCount - 1 - i; // backwards: block numbers are no order
        }
        int group = heads / kvHeads;
        try (var arena = Arena.ofConfined()) {
            int floats = Math.toIntExact(blockCount * shape.blockFloats());
            MemorySegment pool =
                    arena.allocateFrom(ValueLayout.JAVA_FLOAT, TestSeed.floats(random, floats));
            float[] queries = TestSeed.floats(random, group * headDim);
            var vector = new PagedAttention(shape, heads);
            var scalar = new PagedAttention(shape, heads, false);
            float[] scratch = new float[vector.scratchFloats(position + 1)];
            float[] expected = new float[group * headDim];
            float[] actual = new float[group * headDim];
            int kvHead = kvHeads - 1;
            scalar.attend(
                    queries, 0, 1, kvHead, position, window, pool, blocks, 1, scratch, expected, 0);
            vector.attend(
                    queries, 0, 1, kvHead, position, window, pool, blocks, 1, scratch, actual, 0);
            assertThat(actual).as(REPEAT).containsExactly(expected);
            for (int h = 0; h < group; h++) {
                double[] truth = truth(shape, queries, h, kvHead, position, window, pool, blocks);
                for (int d = 0; d < headDim; d++) {
                    assertThat((double) actual[h * headDim + d])
                            .as(REPEAT)
                            .isCloseTo(truth[d], within(2e-5));
                }
            }
        }
    }

    /// Attention in double, straight from its definition.
    private static double[] truth(
            KvShape shape,
            float[] queries,
            int head,
            int kvHead,
            int position,
            int window,
            MemorySegment pool,
            int[] blocks) {
        int dim = shape.headDim();
        double[] out = new double[dim];
        double sum = 0;
        for (int t = 0; t <= position; t++) {
            if (window > 0 && t <= position - window) {
                continue;
            }
            long block = blocks[1 + t / shape.blockTokens()] * shape.blockFloats();
            int inBlock = t % shape.blockTokens();
            double score = 0;
            for (int d = 0; d < dim; d++) {
                long at = block + shape.keyOffset(1, kvHead, inBlock) + d;
                score += queries[head * dim + d] * pool.getAtIndex(ValueLayout.JAVA_FLOAT, at);
            }
            double weight = Math.exp(score / Math.sqrt(dim));
            sum += weight;
            for (int d = 0; d < dim; d++) {
                long at = block + shape.valueOffset(1, kvHead, inBlock) + d;
                out[d] += weight * pool.getAtIndex(ValueLayout.JAVA_FLOAT, at);
            }
        }
        for (int d = 0; d < dim; d++) {
            out[d] /= sum;
        }
        return out;
    }
}
