package dev.tandem.device;

import dev.tandem.kernel.PackedMatrix;

/// Measures products on a packed matrix. The first part of the time is not counted: it compiles the kernels.
final class CpuSpeed {
    private static final int MANY_ROWS = 48;
    private static final long WARM_UP_NANOS_MAX = 12_000_000;
    private static final long MEASURE_NANOS_MAX = 8_000_000;

    private CpuSpeed() {}

    static DeviceSpeed measure(CpuProducts products, PackedMatrix w) {
        float[] x = new float[MANY_ROWS * w.inputs()];
        float[] out = new float[MANY_ROWS * w.outputs()];
        double weights = (double) w.inputs() * w.outputs();
        double many = secondsPerProduct(products, w, x, out, MANY_ROWS);
        double one = secondsPerProduct(products, w, x, out, 1);
        return new DeviceSpeed(2 * weights * MANY_ROWS / many, weights * Float.BYTES / one);
    }

    /// Shortest time of one product: whatever else runs on the host only adds to it.
    private static double secondsPerProduct(
            CpuProducts products, PackedMatrix w, float[] x, float[] out, int rows) {
        repeat(products, w, x, out, rows, WARM_UP_NANOS_MAX);
        return repeat(products, w, x, out, rows, MEASURE_NANOS_MAX) * 1e-9;
    }

    private static long repeat(
            CpuProducts products, PackedMatrix w, float[] x, float[] out, int rows, long nanosMax) {
        long start = System.nanoTime();
        long shortest = Long.MAX_VALUE;
        for (long last = start, now = start; now - start < nanosMax; last = now) {
            products.multiply(x, w.inputs(), rows, w, out, w.outputs());
            now = System.nanoTime();
            shortest = Math.min(shortest, Math.max(1, now - last));
        }
        return shortest;
    }
}
