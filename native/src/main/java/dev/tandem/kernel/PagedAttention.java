package dev.tandem.kernel;

import dev.tandem.kv.KvShape;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// `out[h] = softmax(q[h]·K / sqrt(D))·V` for one query token and the query heads that share one KV head, over keys and
/// values in paged blocks of [KvShape]'s layout.
///
/// The order of every sum follows from the positions alone, so how a prompt was cut, which blocks hold it and who else
/// is in the batch change no bit:
/// - a score is eight partial sums over the dimensions (d mod 8), added up as in [Rows];
/// - the softmax's denominator is eight partial sums over the visible keys, counted from the first visible one;
/// - an output is one chain of fused multiply-adds over the keys, oldest first, divided by the denominator at the end.
///
/// Stateless but for the shape; safe from many threads, each with scratch of its own.
public final class PagedAttention {
    private static final VectorSpecies<Float> LANES = Lanes.SUM;
    private static final int WIDTH = Lanes.PARTIAL_SUMS;
    private static final long FLOAT = Float.BYTES;

    private final KvShape shape;
    private final int group;
    private final int headDim;
    private final float scale;
    private final boolean vectors;

    /// @param heads query heads, a multiple of the shape's KV heads
    public PagedAttention(KvShape shape, int heads) {
        this(shape, heads, Lanes.HAS_SUM && shape.headDim() % WIDTH == 0);
    }

    /// @param vectors false for the scalar form, which is the reference and equal in every bit
    PagedAttention(KvShape shape, int heads, boolean vectors) {
        this.shape = shape;
        this.group = heads / shape.kvHeads();
        this.headDim = shape.headDim();
        this.scale = (float) (1 / Math.sqrt(shape.headDim()));
        this.vectors = vectors;
    }

    /// Floats of scratch that [#attend] needs for a context of that many tokens.
    public int scratchFloats(int contextTokens) {
        return Math.multiplyExact(group, Math.ceilDiv(contextTokens, WIDTH) * WIDTH) + WIDTH;
    }

    /// Computes the outputs of `heads / kvHeads` query heads of one token.
    ///
    /// @param queries `[group, D]` from `queryFrom` on
    /// @param position of the query; it sees the keys up to its own, which must have been written
    /// @param window how many keys it sees, its own included; 0 = all
    /// @param pool blocks of the shape, one after the other
    /// @param blocks numbers of the sequence's blocks, in order, from `blocksFrom` on; trusted
    /// @param scratch at least `scratchFloats(position + 1)`, overwritten
    /// @param out `[group, D]` from `outTo` on
    public void attend(
            float[] queries,
            int queryFrom,
            int layer,
            int kvHead,
            int position,
            int window,
            MemorySegment pool,
            int[] blocks,
            int blocksFrom,
            float[] scratch,
            float[] out,
            int outTo) {
        int first = window == 0 ? 0 : Math.max(0, position - window + 1);
        int visible = position - first + 1;
        int stride = Math.ceilDiv(visible, WIDTH) * WIDTH;
        for (int at = first; at <= position; ) {
            int inBlock = at % shape.blockTokens();
            int rows = Math.min(shape.blockTokens() - inBlock, position + 1 - at);
            long keys =
                    blockBytes(blocks, blocksFrom, at)
                            + shape.keyOffset(layer, kvHead, inBlock) * FLOAT;
            for (int h = 0; h < group; h++) {
                int to = h * stride + at - first;
                int query = queryFrom + h * headDim;
                if (vectors) {
                    score(queries, query, pool, keys, rows, scratch, to);
                } else {
                    scoreScalar(queries, query, pool, keys, rows, scratch, to);
                }
            }
            at += rows;
        }
        for (int h = 0; h < group; h++) {
            float sum = exponentiate(scratch, h * stride, visible, group * stride);
            weigh(
                    scratch,
                    h * stride,
                    sum,
                    layer,
                    kvHead,
                    first,
                    position,
                    pool,
                    blocks,
                    blocksFrom,
                    out,
                    outTo + h * headDim);
        }
    }

    /// Adds up the values of one head, weighted, block after block.
    private void weigh(
            float[] weights,
            int weightsFrom,
            float sum,
            int layer,
            int kvHead,
            int first,
            int position,
            MemorySegment pool,
            int[] blocks,
            int blocksFrom,
            float[] out,
            int outTo) {
        Arrays.fill(out, outTo, outTo + headDim, 0);
        for (int at = first; at <= position; ) {
            int inBlock = at % shape.blockTokens();
            int rows = Math.min(shape.blockTokens() - inBlock, position + 1 - at);
            long values =
                    blockBytes(blocks, blocksFrom, at)
                            + shape.valueOffset(layer, kvHead, inBlock) * FLOAT;
            int from = weightsFrom + at - first;
            if (vectors) {
                accumulate(weights, from, pool, values, rows, out, outTo);
            } else {
                accumulateScalar(weights, from, pool, values, rows, out, outTo);
            }
            at += rows;
        }
        for (int d = outTo; d < outTo + headDim; d++) {
            out[d] /= sum;
        }
    }

    private long blockBytes(int[] blocks, int blocksFrom, int position) {
        return blocks[blocksFrom + position / shape.blockTokens()] * shape.blockBytes();
    }

    private void score(
            float[] q, int q0, MemorySegment pool, long keys, int rows, float[] scores, int to) {
        long rowBytes = headDim * FLOAT;
        int row = 0;
        for (; row + 4 <= rows; row += 4) {
            long k0 = keys + row * rowBytes;
            long k1 = k0 + rowBytes;
            long k2 = k1 + rowBytes;
            long k3 = k2 + rowBytes;
            FloatVector s0 = FloatVector.zero(LANES);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            for (int d = 0; d < headDim; d += WIDTH) {
                FloatVector query = FloatVector.fromArray(LANES, q, q0 + d);
                long offset = d * FLOAT;
                s0 = query.fma(load(pool, k0 + offset), s0);
                s1 = query.fma(load(pool, k1 + offset), s1);
                s2 = query.fma(load(pool, k2 + offset), s2);
                s3 = query.fma(load(pool, k3 + offset), s3);
            }
            scores[to + row] = Rows.tree(s0) * scale;
            scores[to + row + 1] = Rows.tree(s1) * scale;
            scores[to + row + 2] = Rows.tree(s2) * scale;
            scores[to + row + 3] = Rows.tree(s3) * scale;
        }
        for (; row < rows; row++) {
            FloatVector s = FloatVector.zero(LANES);
            for (int d = 0; d < headDim; d += WIDTH) {
                FloatVector key = load(pool, keys + row * rowBytes + d * FLOAT);
                s = FloatVector.fromArray(LANES, q, q0 + d).fma(key, s);
            }
            scores[to + row] = Rows.tree(s) * scale;
        }
    }

    private void scoreScalar(
            float[] q, int q0, MemorySegment pool, long keys, int rows, float[] scores, int to) {
        float[] s = new float[WIDTH];
        for (int row = 0; row < rows; row++) {
            Arrays.fill(s, 0);
            for (int d = 0; d < headDim; d++) {
                float key = get(pool, keys + ((long) row * headDim + d) * FLOAT);
                s[d % WIDTH] = Math.fma(q[q0 + d], key, s[d % WIDTH]);
            }
            scores[to + row] = Rows.tree(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]) * scale;
        }
    }

    /// Turns scores into `e^(score - highest)` and returns their sum.
    ///
    /// @param partial index of eight floats of scratch
    private float exponentiate(float[] scores, int from, int count, int partial) {
        float highest = Float.NEGATIVE_INFINITY;
        for (int i = from; i < from + count; i++) {
            highest = Math.max(highest, scores[i]);
        }
        int i = 0;
        Arrays.fill(scores, partial, partial + WIDTH, 0);
        if (vectors) {
            FloatVector sums = FloatVector.zero(LANES);
            for (; i + WIDTH <= count; i += WIDTH) {
                FloatVector e =
                        Exponential.exp(
                                FloatVector.fromArray(LANES, scores, from + i).sub(highest));
                e.intoArray(scores, from + i);
                sums = sums.add(e);
            }
            sums.intoArray(scores, partial);
        }
        for (; i < count; i++) {
            float e = Exponential.exp(scores[from + i] - highest);
            scores[from + i] = e;
            scores[partial + i % WIDTH] += e;
        }
        return Rows.tree(
                scores[partial],
                scores[partial + 1],
                scores[partial + 2],
                scores[partial + 3],
                scores[partial + 4],
                scores[partial + 5],
                scores[partial + 6],
                scores[partial + 7]);
    }

    private void accumulate(
            float[] weights,
            int from,
            MemorySegment pool,
            long values,
            int rows,
            float[] out,
            int to) {
        long rowBytes = headDim * FLOAT;
        int d = 0;
        for (; d + 4 * WIDTH <= headDim; d += 4 * WIDTH) {
            FloatVector a0 = FloatVector.fromArray(LANES, out, to + d);
            FloatVector a1 = FloatVector.fromArray(LANES, out, to + d + WIDTH);
            FloatVector a2 = FloatVector.fromArray(LANES, out, to + d + 2 * WIDTH);
            FloatVector a3 = FloatVector.fromArray(LANES, out, to + d + 3 * WIDTH);
            for (int row = 0; row < rows; row++) {
                FloatVector weight = FloatVector.broadcast(LANES, weights[from + row]);
                long offset = values + row * rowBytes + d * FLOAT;
                a0 = weight.fma(load(pool, offset), a0);
                a1 = weight.fma(load(pool, offset + WIDTH * FLOAT), a1);
                a2 = weight.fma(load(pool, offset + 2 * WIDTH * FLOAT), a2);
                a3 = weight.fma(load(pool, offset + 3 * WIDTH * FLOAT), a3);
            }
            a0.intoArray(out, to + d);
            a1.intoArray(out, to + d + WIDTH);
            a2.intoArray(out, to + d + 2 * WIDTH);
            a3.intoArray(out, to + d + 3 * WIDTH);
        }
        for (; d < headDim; d += WIDTH) {
            FloatVector a = FloatVector.fromArray(LANES, out, to + d);
            for (int row = 0; row < rows; row++) {
                FloatVector value = load(pool, values + row * rowBytes + d * FLOAT);
                a = FloatVector.broadcast(LANES, weights[from + row]).fma(value, a);
            }
            a.intoArray(out, to + d);
        }
    }

    private void accumulateScalar(
            float[] weights,
            int from,
            MemorySegment pool,
            long values,
            int rows,
            float[] out,
            int to) {
        for (int row = 0; row < rows; row++) {
            for (int d = 0; d < headDim; d++) {
                float value = get(pool, values + ((long) row * headDim + d) * FLOAT);
                out[to + d] = Math.fma(weights[from + row], value, out[to + d]);
            }
        }
    }

    private static FloatVector load(MemorySegment pool, long offset) {
        return FloatVector.fromMemorySegment(LANES, pool, offset, Lanes.ORDER);
    }

    private static float get(MemorySegment pool, long offset) {
        return pool.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset);
    }
}
