package dev.tandem.sim.engine;

import java.util.Arrays;

/// What is going to happen, by virtual time: a heap with four children a node over one array of longs, so that adding and
/// taking allocate nothing. Events of the same time come out in the order in which they were added. Not thread-safe.
final class EventHeap {
    private static final int WIDTH = 4;
    private static final int TIME = 0;
    private static final int ORDER = 1;
    private static final int WHAT = 2;
    private static final int ARGUMENT = 3;

    private long[] entries = new long[64 * WIDTH];
    private int size;
    private long order;

    private long takenNanos;
    private long takenWhat;
    private long takenArgument;

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /// Time of the earliest event; only if there is one.
    long firstNanos() {
        return entries[TIME];
    }

    /// @param kind small and not negative
    /// @param target whom it concerns, at the kind's choice
    /// @param argument more of it, at the kind's choice
    void add(long nanos, int kind, int target, long argument) {
        if ((size + 1) * WIDTH > entries.length) {
            entries = Arrays.copyOf(entries, entries.length * 2);
        }
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >> 2;
            if (entries[parent * WIDTH + TIME] <= nanos) {
                break; // an older one of the same time goes first
            }
            System.arraycopy(entries, parent * WIDTH, entries, at * WIDTH, WIDTH);
            at = parent;
        }
        put(at, nanos, order++, packed(kind, target), argument);
    }

    static long packed(int kind, int target) {
        return (long) kind << 32 | target & 0xffffffffL;
    }

    static int kind(long packed) {
        return (int) (packed >>> 32);
    }

    static int target(long packed) {
        return (int) packed;
    }

    /// Takes the earliest event out; what it was is told by [#nanos] and the others until the next call.
    void take() {
        takenNanos = entries[TIME];
        takenWhat = entries[WHAT];
        takenArgument = entries[ARGUMENT];
        size--;
        if (size == 0) {
            return;
        }
        int last = size * WIDTH;
        long time = entries[last + TIME];
        long rank = entries[last + ORDER];
        int at = 0;
        while (true) {
            int child = earliestChild(at);
            if (child < 0 || !isBefore(child, time, rank)) {
                break;
            }
            System.arraycopy(entries, child * WIDTH, entries, at * WIDTH, WIDTH);
            at = child;
        }
        put(at, time, rank, entries[last + WHAT], entries[last + ARGUMENT]);
    }

    private int earliestChild(int at) {
        int first = at * 4 + 1;
        if (first >= size) {
            return -1;
        }
        int best = first;
        int end = Math.min(first + 4, size);
        for (int child = first + 1; child < end; child++) {
            if (isBefore(child, entries[best * WIDTH + TIME], entries[best * WIDTH + ORDER])) {
                best = child;
            }
        }
        return best;
    }

    private boolean isBefore(int at, long time, long rank) {
        long own = entries[at * WIDTH + TIME];
        return own < time || own == time && entries[at * WIDTH + ORDER] < rank;
    }

    private void put(int at, long nanos, long rank, long what, long argument) {
        int base = at * WIDTH;
        entries[base + TIME] = nanos;
        entries[base + ORDER] = rank;
        entries[base + WHAT] = what;
        entries[base + ARGUMENT] = argument;
    }

    long nanos() {
        return takenNanos;
    }

    int kind() {
        return kind(takenWhat);
    }

    int target() {
        return target(takenWhat);
    }

    long argument() {
        return takenArgument;
    }
}
