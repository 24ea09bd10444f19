package dev.tandem.routing;

import java.util.Arrays;

/// Consistent hashing (Karger et al., STOC 1997; libketama): each member has `points x speed` points on a ring of 2^64
/// positions, and a key belongs to the owner of the first point at or after its own position. When a member leaves, only
/// its keys move; when one joins, it takes its part and nothing else moves. With p points the parts differ by about
/// 1/sqrt(p). Bounded load and hot keys: [AffinityPolicy].
public final class RingHash extends AffinityPolicy {
    private static final int OWNER_BITS = 16;
    private static final long OWNER_MASK = (1L << OWNER_BITS) - 1;
    private static final int POINTS_MAX = 1 << 14;

    private final int points;

    /// Position in the upper 48 bits, owner in the lower 16, ascending.
    private long[] ring = new long[0];

    /// @param points points of a member of speed 1
    public RingHash(Options options, int points, long seed) {
        super(options, seed);
        Require.atLeast("ringPoints", points, 1);
        this.points = points;
    }

    @Override
    void build(long[] nameHashes, double[] speeds) {
        if (nameHashes.length > OWNER_MASK) {
            throw new IllegalArgumentException(
                    "a ring holds at most " + OWNER_MASK + " replicas, not " + nameHashes.length);
        }
        int size = 0;
        for (double speed : speeds) {
            size += pointsOf(speed);
        }
        ring = new long[size];
        int next = 0;
        for (int member = 0; member < nameHashes.length; member++) {
            int count = pointsOf(speeds[member]);
            for (int point = 0; point < count; point++) {
                ring[next++] = (Hashing.at(nameHashes[member], point) & ~OWNER_MASK) | member;
            }
        }
        Arrays.sort(ring);
    }

    private int pointsOf(double speed) {
        return (int) Math.clamp(Math.round(points * speed), 1, POINTS_MAX);
    }

    @Override
    int slots() {
        return ring.length;
    }

    @Override
    int slotOf(long keyHash) {
        int low = 0;
        int high = ring.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ring[middle] < keyHash) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == ring.length ? 0 : low;
    }

    @Override
    int ownerOf(int slot) {
        return (int) (ring[slot] & OWNER_MASK);
    }
}
