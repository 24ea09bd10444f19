package dev.tandem.routing;

import java.util.Arrays;

/// Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section
/// 3.4): a look-up table of prime size M. Each member walks the table by its own permutation
/// `(offset + j x skip) mod M` and the members take turns to claim their next free slot, a member of half the speed every
/// other turn. The parts differ by at most one slot per turn, far less than on a ring; when a member leaves, a few keys
/// more than its own move. M should be at least 100 times the number of members. Bounded load and hot keys:
/// [AffinityPolicy].
public final class Maglev extends AffinityPolicy {
    private static final int TABLE_SIZE_MAX = 1 << 23;

    private final int[] owners;
    private boolean filled;

    /// @param tableSize M, a prime
    public Maglev(Options options, int tableSize, long seed) {
        super(options, seed);
        requireTableSize(tableSize);
        this.owners = new int[tableSize];
    }

    static void requireTableSize(int tableSize) {
        if (tableSize > TABLE_SIZE_MAX || !isPrime(tableSize)) {
            throw new IllegalArgumentException(
                    "maglevTableSize must be a prime of at most "
                            + TABLE_SIZE_MAX
                            + ", is "
                            + tableSize);
        }
    }

    private static boolean isPrime(int number) {
        for (int divisor = 2; divisor <= number / divisor; divisor++) {
            if (number % divisor == 0) {
                return false;
            }
        }
        return number > 1;
    }

    @Override
    void build(long[] nameHashes, double[] speeds) {
        Arrays.fill(owners, -1);
        int members = nameHashes.length;
        filled = members > 0;
        int size = owners.length;
        int[] position = new int[members];
        int[] skip = new int[members];
        double[] due = new double[members];
        double most = 0;
        for (int i = 0; i < members; i++) {
            position[i] = Hashing.index(nameHashes[i], size);
            skip[i] = 1 + Hashing.index(Hashing.mix(nameHashes[i]), size - 1);
            most = Math.max(most, speeds[i]);
        }
        int claimed = 0;
        while (claimed < size && filled) {
            for (int i = 0; i < members && claimed < size; i++) {
                due[i] += speeds[i] / most; // the fastest claims one slot a turn
                if (due[i] >= 1) {
                    due[i]--;
                    while (owners[position[i]] >= 0) {
                        position[i] = (int) (((long) position[i] + skip[i]) % size);
                    }
                    owners[position[i]] = i;
                    claimed++;
                }
            }
        }
    }

    @Override
    int slots() {
        return filled ? owners.length : 0;
    }

    @Override
    int slotOf(long keyHash) {
        return Hashing.index(keyHash, owners.length);
    }

    @Override
    int ownerOf(int slot) {
        return owners[slot];
    }
}
