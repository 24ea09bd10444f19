package dev.tandem.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

import java.lang.foreign.MemorySegment;

/// The register tiles of [Matmul], written out so that every accumulator stays in a register. Eight accumulators
/// hide the latency of a fused multiply-add; tiles of five and six rows were slower, for the compiler then spills.
///
/// `x0` and `out0` are the indices of the first row's first input and of its first output in the panel; `valid` says
/// how many outputs of the panel exist.
final class MatmulTiles {
    private static final VectorSpecies<Float> LANES = Lanes.PRODUCT;
    private static final long VECTOR_BYTES = (long) Lanes.PRODUCT_LENGTH * Float.BYTES;
    private static final long STEP_BYTES = 2 * VECTOR_BYTES;

    private MatmulTiles() {}

    /// Four rows by one panel.
    static void fourRows(
            float[] x,
            int x0,
            int xStride,
            PackedMatrix w,
            int panel,
            float[] out,
            int out0,
            int outStride,
            int valid) {
        int inputs = w.inputs();
        MemorySegment weights = w.panels().asSlice(panel * w.panelBytes(), w.panelBytes());
        FloatVector a0 = FloatVector.zero(LANES);
        FloatVector b0 = FloatVector.zero(LANES);
        FloatVector a1 = FloatVector.zero(LANES);
        FloatVector b1 = FloatVector.zero(LANES);
        FloatVector a2 = FloatVector.zero(LANES);
        FloatVector b2 = FloatVector.zero(LANES);
        FloatVector a3 = FloatVector.zero(LANES);
        FloatVector b3 = FloatVector.zero(LANES);
        int x1 = x0 + xStride;
        int x2 = x1 + xStride;
        int x3 = x2 + xStride;
        for (int k = 0; k < inputs; k++) {
            long offset = (long) k * STEP_BYTES;
            FloatVector left = load(weights, offset);
            FloatVector right = load(weights, offset + VECTOR_BYTES);
            FloatVector v0 = FloatVector.broadcast(LANES, x[x0 + k]);
            a0 = v0.fma(left, a0);
            b0 = v0.fma(right, b0);
            FloatVector v1 = FloatVector.broadcast(LANES, x[x1 + k]);
            a1 = v1.fma(left, a1);
            b1 = v1.fma(right, b1);
            FloatVector v2 = FloatVector.broadcast(LANES, x[x2 + k]);
            a2 = v2.fma(left, a2);
            b2 = v2.fma(right, b2);
            FloatVector v3 = FloatVector.broadcast(LANES, x[x3 + k]);
            a3 = v3.fma(left, a3);
            b3 = v3.fma(right, b3);
        }
        store(a0, b0, out, out0, valid);
        store(a1, b1, out, out0 + outStride, valid);
        store(a2, b2, out, out0 + 2 * outStride, valid);
        store(a3, b3, out, out0 + 3 * outStride, valid);
    }

    /// Two rows by one panel.
    static void twoRows(
            float[] x,
            int x0,
            int xStride,
            PackedMatrix w,
            int panel,
            float[] out,
            int out0,
            int outStride,
            int valid) {
        int inputs = w.inputs();
        MemorySegment weights = w.panels().asSlice(panel * w.panelBytes(), w.panelBytes());
        FloatVector a0 = FloatVector.zero(LANES);
        FloatVector b0 = FloatVector.zero(LANES);
        FloatVector a1 = FloatVector.zero(LANES);
        FloatVector b1 = FloatVector.zero(LANES);
        int x1 = x0 + xStride;
        for (int k = 0; k < inputs; k++) {
            long offset = (long) k * STEP_BYTES;
            FloatVector left = load(weights, offset);
            FloatVector right = load(weights, offset + VECTOR_BYTES);
            FloatVector v0 = FloatVector.broadcast(LANES, x[x0 + k]);
            a0 = v0.fma(left, a0);
            b0 = v0.fma(right, b0);
            FloatVector v1 = FloatVector.broadcast(LANES, x[x1 + k]);
            a1 = v1.fma(left, a1);
            b1 = v1.fma(right, b1);
        }
        store(a0, b0, out, out0, valid);
        store(a1, b1, out, out0 + outStride, valid);
    }

    /// One row by one panel.
    static void oneRow(
            float[] x, int x0, PackedMatrix w, int panel, float[] out, int out0, int valid) {
        int inputs = w.inputs();
        MemorySegment weights = w.panels().asSlice(panel * w.panelBytes(), w.panelBytes());
        FloatVector a0 = FloatVector.zero(LANES);
        FloatVector b0 = FloatVector.zero(LANES);
        for (int k = 0; k < inputs; k++) {
            long offset = (long) k * STEP_BYTES;
            FloatVector left = load(weights, offset);
            FloatVector right = load(weights, offset + VECTOR_BYTES);
            FloatVector v0 = FloatVector.broadcast(LANES, x[x0 + k]);
            a0 = v0.fma(left, a0);
            b0 = v0.fma(right, b0);
        }
        store(a0, b0, out, out0, valid);
    }

    /// One row by four whole panels: eight chains hide the latency of a decode's products.
    static void oneRowFourPanels(
            float[] x, int x0, PackedMatrix w, int panel, float[] out, int out0) {
        int inputs = w.inputs();
        MemorySegment weights0 = w.panels().asSlice(panel * w.panelBytes(), w.panelBytes());
        MemorySegment weights1 = w.panels().asSlice((panel + 1) * w.panelBytes(), w.panelBytes());
        MemorySegment weights2 = w.panels().asSlice((panel + 2) * w.panelBytes(), w.panelBytes());
        MemorySegment weights3 = w.panels().asSlice((panel + 3) * w.panelBytes(), w.panelBytes());
        FloatVector a0 = FloatVector.zero(LANES);
        FloatVector b0 = FloatVector.zero(LANES);
        FloatVector a1 = FloatVector.zero(LANES);
        FloatVector b1 = FloatVector.zero(LANES);
        FloatVector a2 = FloatVector.zero(LANES);
        FloatVector b2 = FloatVector.zero(LANES);
        FloatVector a3 = FloatVector.zero(LANES);
        FloatVector b3 = FloatVector.zero(LANES);
        for (int k = 0; k < inputs; k++) {
            long offset = (long) k * STEP_BYTES;
            FloatVector v = FloatVector.broadcast(LANES, x[x0 + k]);
            a0 = v.fma(load(weights0, offset), a0);
            b0 = v.fma(load(weights0, offset + VECTOR_BYTES), b0);
            a1 = v.fma(load(weights1, offset), a1);
            b1 = v.fma(load(weights1, offset + VECTOR_BYTES), b1);
            a2 = v.fma(load(weights2, offset), a2);
            b2 = v.fma(load(weights2, offset + VECTOR_BYTES), b2);
            a3 = v.fma(load(weights3, offset), a3);
            b3 = v.fma(load(weights3, offset + VECTOR_BYTES), b3);
        }
        store(a0, b0, out, out0, PackedMatrix.PANEL);
        store(a1, b1, out, out0 + PackedMatrix.PANEL, PackedMatrix.PANEL);
        store(a2, b2, out, out0 + 2 * PackedMatrix.PANEL, PackedMatrix.PANEL);
        store(a3, b3, out, out0 + 3 * PackedMatrix.PANEL, PackedMatrix.PANEL);
    }

    private static FloatVector load(MemorySegment weights, long offset) {
        return FloatVector.fromMemorySegment(LANES, weights, offset, Lanes.ORDER);
    }

    private static void store(FloatVector left, FloatVector right, float[] out, int to, int valid) {
        if (valid == PackedMatrix.PANEL) {
            left.intoArray(out, to);
            right.intoArray(out, to + Lanes.PRODUCT_LENGTH);
        } else {
            left.intoArray(out, to, LANES.indexInRange(0, valid));
            if (valid > Lanes.PRODUCT_LENGTH) {
                right.intoArray(
                        out,
                        to + Lanes.PRODUCT_LENGTH,
                        LANES.indexInRange(Lanes.PRODUCT_LENGTH, valid));
            }
        }
    }
}
