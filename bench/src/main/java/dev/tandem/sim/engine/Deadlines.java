package dev.tandem.sim.engine;

/// Timers that are set in the order in which they run out, as those of equally long leases are: a ring instead of the heap,
/// which stays small and fast without them. Not thread-safe.
final class Deadlines {
    private static final int WIDTH = 3;

    private long[] ring = new long[64 * WIDTH];
    private int mask = 63;
    private long head;
    private long tail;

    boolean isEmpty() {
        return head == tail;
    }

    /// Whether a timer that runs out then may be added: not before the one added last.
    boolean takes(long nanos) {
        return isEmpty() || nanos >= ring[slot(tail - 1)];
    }

    /// @param what kind and target, as the heap keeps them
    void add(long nanos, long what, long argument) {
        if (tail - head > mask) {
            grow();
        }
        int slot = slot(tail++);
        ring[slot] = nanos;
        ring[slot + 1] = what;
        ring[slot + 2] = argument;
    }

    private void grow() {
        long[] more = new long[ring.length * 2];
        int moreMask = mask * 2 + 1;
        for (long i = head; i < tail; i++) {
            System.arraycopy(ring, slot(i), more, (int) (i & moreMask) * WIDTH, WIDTH);
        }
        ring = more;
        mask = moreMask;
    }

    private int slot(long index) {
        return (int) (index & mask) * WIDTH;
    }

    /// When the first one runs out; only if there is one.
    long firstNanos() {
        return ring[slot(head)];
    }

    long firstWhat() {
        return ring[slot(head) + 1];
    }

    long firstArgument() {
        return ring[slot(head) + 2];
    }

    void removeFirst() {
        head++;
    }
}
