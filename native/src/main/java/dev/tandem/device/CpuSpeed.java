package dev.tandem.device;

import dev.tandem.kernel.Matmul;
import dev.tandem.kernel.PackedMatrix;

/// Measures products on a packed matrix, after the kernels have been compiled: interpreted, they are a thousand times
/// slower, and what a worker announces would be wrong by as much.
final class CpuSpeed {
    private static final int MANY_ROWS = 48;
    private static final int WARM_UP_ROWS = 4;
    private static final int WARM_UP_PANELS = 4;
    private static final long WARM_UP_NANOS_MAX = 1_000_000_000;
    private static final long MEASURE_NANOS_MAX = 15_000_000;

    /// No interpreted kernel reaches it, every compiled one does.
    private static final double COMPILED_FLOPS_PER_SECOND_MIN = 2e9;

    private CpuSpeed() {}

    static DeviceSpeed measure(CpuProducts products, PackedMatrix w) {
        float[] x = new float[MANY_ROWS * w.inputs()];
        float[] out = new float[MANY_ROWS * w.outputs()];
        warmUp(w, x, out, WARM_UP_ROWS);
        warmUp(w, x, out, 1);
        double weights = (double) w.inputs() * w.outputs();
        double many = secondsPerProduct(products, w, x, out, MANY_ROWS);
        double one = secondsPerProduct(products, w, x, out, 1);
        return new DeviceSpeed(2 * weights * MANY_ROWS / many, weights * Float.BYTES / one);
    }

    /// Repeats a small piece of a product until it runs compiled.
    private static void warmUp(PackedMatrix w, float[] x, float[] out, int rows) {
        int panels = Math.min(WARM_UP_PANELS, w.panelCount());
        double flops = 2.0 * rows * w.inputs() * panels * PackedMatrix.PANEL;
        long start = System.nanoTime();
        for (long last = start, now = start; now - start < WARM_UP_NANOS_MAX; last = now) {
            Matmul.multiply(x, w.inputs(), rows, w, out, w.outputs(), 0, panels);
            now = System.nanoTime();
            if (flops / (now - last) * 1e9 >= COMPILED_FLOPS_PER_SECOND_MIN) {
                return;
            }
        }
    }

    /// Shortest time of one product: whatever else runs on the host only adds to it.
    private static double secondsPerProduct(
            CpuProducts products, PackedMatrix w, float[] x, float[] out, int rows) {
        long start = System.nanoTime();
        long shortest = Long.MAX_VALUE;
        for (long last = start, now = start; now - start < MEASURE_NANOS_MAX; last = now) {
            products.multiply(x, w.inputs(), rows, w, out, w.outputs());
            now = System.nanoTime();
            shortest = Math.min(shortest, Math.max(1, now - last));
        }
        return shortest * 1e-9;
    }
}
