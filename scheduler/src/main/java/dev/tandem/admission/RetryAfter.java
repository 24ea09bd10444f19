package dev.tandem.admission;

/// When a refused client may come back: not before the predicted seconds have passed, and not with all the others. The
/// wait is rounded up to seconds, at least 1; then up to a quarter more, by a hash of the sequence id.
public final class RetryAfter {
    private RetryAfter() {}

    /// @param seconds predicted wait; infinite = unknown, which is answered with the longest
    /// @param millisMax longest wait without jitter, at least 1,000
    public static int millis(double seconds, long sequence, int millisMax) {
        double millis = Math.ceil(seconds) * 1000;
        int base = (int) Math.clamp(millis, 1000, millisMax);
        return base + (int) Long.remainderUnsigned(mix(sequence), base / 4 + 1);
    }

    /// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
