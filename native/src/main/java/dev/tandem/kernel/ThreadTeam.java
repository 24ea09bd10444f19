package dev.tandem.kernel;

import org.jspecify.annotations.Nullable;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// The caller and a fixed number of helper threads that share one job at a time. A job is cut into parts by the caller,
/// the same parts whatever the number of threads; who computes a part is left to chance, so a helper that the system
/// has descheduled delays nobody. Parts must write to disjoint places.
///
/// Idle helpers spin for some ten microseconds, because the next product of a step follows at once, then park:
/// processes of one host share its cores.
///
/// One thread calls [#run]; nothing is allocated there.
public final class ThreadTeam implements AutoCloseable {
    private static final int PARTS_BITS = 20;
    private static final long PARTS_MASK = (1L << PARTS_BITS) - 1;

    /// Most parts of a job.
    public static final int PARTS_MAX = (int) PARTS_MASK;

    private static final int IDLE_SPINS_MAX = 400;
    private static final long WAIT_NANOS_MAX = 100_000;

    /// Part of a job.
    @FunctionalInterface
    public interface Task {
        /// @param thread who runs it, `[0, threads)`, 0 the caller: for scratch memory of one's own
        void run(int part, int thread);
    }

    /// Number of the job (24 bits), its parts (20 bits), the next part nobody has taken (20 bits): one word, so that a
    /// helper that wakes late can't take a part of a job other than the one it looked at.
    private final AtomicLong state = new AtomicLong();

    private final AtomicInteger partsDone = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Helper[] helpers;
    private volatile @Nullable Task task;
    private volatile @Nullable Thread waiting;
    private volatile boolean closed;

    /// @param threads including the caller, at least 1
    public ThreadTeam(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team of " + threads + " threads");
        }
        helpers = new Helper[threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Helper(i + 1);
            helpers[i].start();
        }
    }

    public int threads() {
        return helpers.length + 1;
    }

    /// Runs all parts `[0, parts)` and returns when the last has ended; the caller takes part. Everything that parts
    /// wrote is visible to the caller afterwards.
    ///
    /// @throws IllegalStateException a part failed; its exception is the cause
    public void run(int parts, Task job) {
        if (helpers.length == 0 || parts <= 1) {
            for (int part = 0; part < parts; part++) {
                job.run(part, 0);
            }
            return;
        }
        if (parts > PARTS_MAX || closed) {
            throw new IllegalArgumentException(
                    closed ? "the team is closed" : parts + " parts, at most " + PARTS_MAX);
        }
        long number = (state.get() >>> (2 * PARTS_BITS)) + 1;
        partsDone.set(0);
        task = job;
        state.set((number << (2 * PARTS_BITS)) | ((long) parts << PARTS_BITS));
        for (Helper helper : helpers) {
            if (helper.parked) {
                LockSupport.unpark(helper);
            }
        }
        while (takePart(0)) {}
        awaitParts(parts);
        task = null;
        Throwable failed = failure.getAndSet(null);
        if (failed != null) {
            throw new IllegalStateException("a kernel failed on a helper thread", failed);
        }
    }

    /// Ends the helpers.
    @Override
    public void close() {
        closed = true;
        for (Helper helper : helpers) {
            LockSupport.unpark(helper);
        }
        boolean interrupted = false;
        for (Helper helper : helpers) {
            while (helper.isAlive()) {
                try {
                    helper.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitParts(int parts) {
        for (int spins = 0; partsDone.get() < parts; spins++) {
            if (spins < IDLE_SPINS_MAX) {
                Thread.onSpinWait();
            } else {
                waiting = Thread.currentThread();
                if (partsDone.get() < parts) {
                    LockSupport.parkNanos(this, WAIT_NANOS_MAX);
                }
                waiting = null;
            }
        }
    }

    private boolean hasPart() {
        long seen = state.get();
        return (seen & PARTS_MASK) < ((seen >>> PARTS_BITS) & PARTS_MASK);
    }

    /// Takes and runs one part; false when none is left.
    private boolean takePart(int thread) {
        long seen = state.get();
        int part = (int) (seen & PARTS_MASK);
        int parts = (int) ((seen >>> PARTS_BITS) & PARTS_MASK);
        if (part >= parts) {
            return false;
        }
        Task job =
                task; // belongs to `seen` if the next line succeeds: the job can't end before this
        // part has
        if (!state.compareAndSet(seen, seen + 1)) {
            return true;
        }
        try {
            Objects.requireNonNull(job).run(part, thread);
        } catch (Throwable e) { // handed to the caller of run
            failure.compareAndSet(null, e);
        } finally {
            if (partsDone.incrementAndGet() == parts) {
                Thread caller = waiting;
                if (caller != null) {
                    LockSupport.unpark(caller);
                }
            }
        }
        return true;
    }

    private final class Helper extends Thread {
        volatile boolean parked;

        private final int thread;

        Helper(int thread) {
            super("tandem-kernel-" + thread);
            this.thread = thread;
            setDaemon(true);
        }

        @Override
        public void run() {
            int spins = 0;
            while (!closed) {
                if (takePart(thread)) {
                    spins = 0;
                } else if (spins++ < IDLE_SPINS_MAX) {
                    Thread.onSpinWait();
                } else {
                    parked = true;
                    if (!hasPart() && !closed) {
                        LockSupport.park(ThreadTeam.this);
                    }
                    parked = false;
                    spins = 0;
                }
            }
        }
    }
}
