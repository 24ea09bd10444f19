package dev.tandem.engine;

/// Philox4x32-10, the counter-based random number generator of Salmon, Moraes, Dror and Shaw, "Parallel Random
/// Numbers: As Easy as 1, 2, 3" (SC 2011). A number is a pure function of (key, counter), so a token's random
/// number needs no history: it is the same after a preemption, on another worker, in any batch.
///
/// An instance holds the words of the last block and belongs to one thread.
final class Philox {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private int word0;
    private int word1;
    private int word2;
    private int word3;

    /// The random number of the token at `position` of a sequence with `seed`: key = the seed's low and high
    /// half, counter = (low half of the position, high half, 0, 0), value = the block's first two words.
    ///
    /// @return uniform in [0, 1), a multiple of 2^-53
    double uniform(long seed, long position) {
        generate((int) position, (int) (position >>> 32), 0, 0, (int) seed, (int) (seed >>> 32));
        long bits = (Integer.toUnsignedLong(word0) << 32) | Integer.toUnsignedLong(word1);
        return (bits >>> 11) * 0x1.0p-53;
    }

    /// Computes one block of four words, read by [#word].
    void generate(int counter0, int counter1, int counter2, int counter3, int key0, int key1) {
        int c0 = counter0;
        int c1 = counter1;
        int c2 = counter2;
        int c3 = counter3;
        int k0 = key0;
        int k1 = key1;
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * Integer.toUnsignedLong(c0);
            long product1 = MULTIPLIER_1 * Integer.toUnsignedLong(c2);
            c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        word0 = c0;
        word1 = c1;
        word2 = c2;
        word3 = c3;
    }

    /// @param index 0..3
    int word(int index) {
        return switch (index) {
            case 0 -> word0;
            case 1 -> word1;
            case 2 -> word2;
            case 3 -> word3;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }
}
