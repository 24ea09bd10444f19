package dev.tandem.sim.engine;

/// The one clock of a run and what is going to happen by it. Not thread-safe.
final class Agenda {
    // Kinds of events. Timers come first: they alone don't keep a run alive.
    static final int TICK = 0;
    static final int SAMPLE = 1;
    static final int LEASE_EXPIRES = 2;
    static final int WRITER_GIVES_UP = 3;
    private static final int TIMERS = 4;
    static final int ARRIVAL = 4;
    static final int CANCEL = 5;
    static final int EXECUTED = 6;
    static final int RESULT = 7;
    static final int GRANT = 8;
    static final int ABORT = 9;
    static final int BLOCKS_ARRIVE = 10;
    static final int BLOCK_LANDS = 11;
    static final int SEND_COMMITTED = 12;
    static final int SEND_REFUSED = 13;
    static final int LEASE_BREAKS = 14;
    static final int LEASE_ENDED = 15;
    static final int SEND_ENDED = 16;
    static final int FAULT = 17;
    static final int DIES = 18;
    static final int LOST = 19;
    static final int REJOINS = 20;
    static final int RESUMES = 21;
    static final int TIER_WORKS = 22;
    static final int TIER_TOLD = 23;

    private final EventHeap heap = new EventHeap();
    private final Deadlines deadlines = new Deadlines();
    private int target;
    private long argument;
    private int pending;
    private long nowNanos;
    private long lastNanos;
    private long events;

    long now() {
        return nowNanos;
    }

    /// Time of the last event that was no timer.
    long lastNanos() {
        return lastNanos;
    }

    long events() {
        return events;
    }

    /// Events ahead that are no timers.
    int pending() {
        return pending;
    }

    boolean isEmpty() {
        return heap.isEmpty() && deadlines.isEmpty();
    }

    void at(long nanos, int kind, int toTarget, long withArgument) {
        if (kind >= TIMERS) {
            pending++;
        }
        boolean isDeadline = kind == LEASE_EXPIRES || kind == WRITER_GIVES_UP;
        if (isDeadline && deadlines.takes(nanos)) {
            deadlines.add(nanos, EventHeap.packed(kind, toTarget), withArgument);
        } else {
            heap.add(nanos, kind, toTarget, withArgument);
        }
    }

    /// Goes on to the next event; of the same time, deadlines come last.
    ///
    /// @return its kind
    int next() {
        events++;
        boolean isDeadline =
                !deadlines.isEmpty()
                        && (heap.isEmpty() || deadlines.firstNanos() < heap.firstNanos());
        return isDeadline ? nextDeadline() : nextOfHeap();
    }

    private int nextDeadline() {
        nowNanos = Math.max(nowNanos, deadlines.firstNanos());
        long what = deadlines.firstWhat();
        target = EventHeap.target(what);
        argument = deadlines.firstArgument();
        deadlines.removeFirst();
        return EventHeap.kind(what);
    }

    private int nextOfHeap() {
        heap.take();
        int kind = heap.kind();
        nowNanos = Math.max(nowNanos, heap.nanos());
        target = heap.target();
        argument = heap.argument();
        if (kind >= TIMERS) {
            pending--;
            lastNanos = nowNanos;
        }
        return kind;
    }

    int target() {
        return target;
    }

    long argument() {
        return argument;
    }

    /// The clock jumps: what was due in between happens late.
    void jump(long nanos) {
        nowNanos += nanos;
    }
}
