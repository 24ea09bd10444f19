package dev.tandem.routing;

/// The hashes behind every pseudo-random decision and every affinity table: integer arithmetic only, the same on every
/// machine and in every run.
final class Hashing {
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

    private Hashing() {}

    /// Finalizer "variant 13" of Stafford, as in SplitMix64 (Steele et al., OOPSLA 2014): a bijection in which each
    /// input bit flips each output bit with probability 1/2.
    static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /// The `index`-th number of the stream that starts at `seed` (SplitMix64).
    static long at(long seed, long index) {
        return mix(seed + (index + 1) * GOLDEN_RATIO);
    }

    /// The draw that belongs to this attempt at placing this sequence.
    static long draw(long seed, long sequence, int attempt) {
        return at(at(seed, sequence), attempt);
    }

    /// FNV-1a over the UTF-16 units, then mixed: `String.hashCode` has 32 bits and is too regular.
    static long of(String text) {
        long hash = 0xCBF29CE484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001B3L;
        }
        return mix(hash);
    }

    /// Evenly over 0..bound-1.
    static int index(long hash, int bound) {
        return (int) Math.unsignedMultiplyHigh(hash, bound);
    }

    /// Evenly over [0, 1).
    static double unit(long hash) {
        return (hash >>> 11) * 0x1p-53;
    }
}
