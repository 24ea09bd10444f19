package dev.tandem.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Operations on single rows: RMSNorm, rotary positions, SwiGLU, sums. All float32; each row is computed by itself.
///
/// Loops without a carried sum are plain Java: the compiler may vectorise them, and every element is still the same
/// IEEE operations.
public final class Rows {
    private static final VectorSpecies<Float> SUM = Lanes.SUM;
    private static final VectorShuffle<Float> BY_FOUR = VectorShuffle.iota(SUM, 4, 1, true);
    private static final VectorShuffle<Float> BY_TWO = VectorShuffle.iota(SUM, 2, 1, true);

    private Rows() {}

    /// `out[i] = weight[i] * (x[i] / sqrt(mean(x^2) + epsilon))`, as `LlamaRMSNorm` rounds it. In place is allowed.
    ///
    /// @param width elements in the row
    public static void rmsNorm(
            float[] x, int from, int width, float[] weight, float epsilon, float[] out, int to) {
        float mean = sumOfSquares(x, from, width) / width;
        float scale = (float) (1 / Math.sqrt(mean + epsilon));
        for (int i = 0; i < width; i++) {
            out[to + i] = weight[i] * (x[from + i] * scale);
        }
    }

    /// Rotates one head: dimension i is paired with `i + width / 2` (the half-split form of transformers).
    ///
    /// @param cosines of the position's angles, at `[tableFrom, tableFrom + width / 2)`; likewise sines
    public static void rotate(
            float[] x, int from, int width, float[] cosines, float[] sines, int tableFrom) {
        int half = width / 2;
        for (int i = 0; i < half; i++) {
            float cosine = cosines[tableFrom + i];
            float sine = sines[tableFrom + i];
            float low = x[from + i];
            float high = x[from + half + i];
            x[from + i] = low * cosine - high * sine;
            x[from + half + i] = high * cosine + low * sine;
        }
    }

    /// `out[i] = silu(gate[i]) * up[i]`, where gate and up lie one after the other.
    ///
    /// @param gateUp `width` gates at `from`, then `width` ups
    public static void swiGlu(float[] gateUp, int from, int width, float[] out, int to) {
        int i = 0;
        VectorSpecies<Float> species = Lanes.PRODUCT;
        for (; i + species.length() <= width; i += species.length()) {
            FloatVector gate = FloatVector.fromArray(species, gateUp, from + i);
            FloatVector up = FloatVector.fromArray(species, gateUp, from + width + i);
            gate.div(Exponential.exp(gate.neg()).add(1)).mul(up).intoArray(out, to + i);
        }
        swiGluScalar(gateUp, from, width, out, to, i);
    }

    /// The same for the elements from `first` on, without vectors: the tail, and the reference.
    static void swiGluScalar(float[] gateUp, int from, int width, float[] out, int to, int first) {
        for (int i = first; i < width; i++) {
            float gate = gateUp[from + i];
            out[to + i] = gate / (Exponential.exp(-gate) + 1) * gateUp[from + width + i];
        }
    }

    /// `x[i] += y[i]`.
    public static void add(float[] x, int from, float[] y, int yFrom, int width) {
        for (int i = 0; i < width; i++) {
            x[from + i] += y[yFrom + i];
        }
    }

    /// Sum of squares in eight partial sums (element i in the i mod 8th), which [#tree] adds up.
    static float sumOfSquares(float[] x, int from, int width) {
        if (!Lanes.HAS_SUM || width % Lanes.PARTIAL_SUMS != 0) {
            return sumOfSquaresScalar(x, from, width);
        }
        FloatVector sums = FloatVector.zero(SUM);
        for (int i = 0; i < width; i += Lanes.PARTIAL_SUMS) {
            FloatVector v = FloatVector.fromArray(SUM, x, from + i);
            sums = v.fma(v, sums);
        }
        return tree(sums);
    }

    static float sumOfSquaresScalar(float[] x, int from, int width) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        for (int i = 0; i < width; i++) {
            float v = x[from + i];
            switch (i & 7) {
                case 0 -> s0 = Math.fma(v, v, s0);
                case 1 -> s1 = Math.fma(v, v, s1);
                case 2 -> s2 = Math.fma(v, v, s2);
                case 3 -> s3 = Math.fma(v, v, s3);
                case 4 -> s4 = Math.fma(v, v, s4);
                case 5 -> s5 = Math.fma(v, v, s5);
                case 6 -> s6 = Math.fma(v, v, s6);
                default -> s7 = Math.fma(v, v, s7);
            }
        }
        return tree(s0, s1, s2, s3, s4, s5, s6, s7);
    }

    /// Adds up eight partial sums in a fixed order: halves, quarters, pairs. (`reduceLanes` leaves the order open.)
    static float tree(FloatVector sums) {
        FloatVector halves = sums.add(sums.rearrange(BY_FOUR));
        FloatVector quarters = halves.add(halves.rearrange(BY_TWO));
        return quarters.lane(0) + quarters.lane(1);
    }

    static float tree(
            float s0, float s1, float s2, float s3, float s4, float s5, float s6, float s7) {
        return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7));
    }
}
