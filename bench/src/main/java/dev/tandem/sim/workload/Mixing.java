package dev.tandem.sim.workload;

/// Numbers that look random and are functions of their arguments (the finalizer of SplitMix64, Steele et al., OOPSLA 2014).
final class Mixing {
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

    private Mixing() {}

    static long mix(long a, long b) {
        long z = a * GOLDEN + b + GOLDEN;
        z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
        return z ^ (z >>> 31);
    }

    /// In [0, 1).
    static double unit(long a, long b) {
        return (mix(a, b) >>> 11) * 0x1p-53;
    }
}
