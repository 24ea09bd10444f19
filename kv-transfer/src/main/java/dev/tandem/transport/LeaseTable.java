package dev.tandem.transport;

import dev.tandem.wire.LeaseOutcome;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/// Which leases live, which blocks they hold, what is due. A lease that has ended keeps its blocks until every guard
/// says that nobody can write into them any more. Thread-safe; knows nothing of frames and bytes.
final class LeaseTable {
    /// Leases alive at once; more are refused at the grant.
    static final int LEASES_MAX = 4096;

    /// Ended leases remembered.
    static final int ENDED_MAX = 16_384;

    private static final long TIMER_WAIT_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);
    private static final long SILENCE_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final List<OneSidedGuard> guards;
    private final LongSupplier nanoClock;
    private final RecentIds ended = new RecentIds(ENDED_MAX);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // guarded by `lock`
    private final Map<Long, Lease> live = new HashMap<>();
    private final TreeSet<Lease> byDeadline = new TreeSet<>(Lease::byDeadline);
    private final List<Lease> unsilent =
            new ArrayList<>(); // ended, but a writer may be in the middle
    private final boolean[] leased; // by block
    private boolean closed;

    LeaseTable(int blocks, List<OneSidedGuard> guards, LongSupplier nanoClock) {
        this.leased = new boolean[blocks];
        this.guards = List.copyOf(guards);
        this.nanoClock = nanoClock;
    }

    /// What became of a grant.
    sealed interface Insertion {
        record Live() implements Insertion {}

        /// The lease was known before; nothing changed.
        record Repeated() implements Insertion {}

        /// The lease has ended at once.
        record Invalid(String problem) implements Insertion {}
    }

    /// Makes a lease live, with its blocks open to its writer.
    Insertion insert(Lease lease) {
        lock.lock();
        try {
            if (live.containsKey(lease.id) || ended.contains(lease.id)) {
                return new Insertion.Repeated();
            }
            String problem = problemOf(lease);
            if (problem != null) {
                ended.add(lease.id);
                return new Insertion.Invalid(problem);
            }
            for (int slot = 0; slot < lease.blocks.length; slot++) {
                leased[lease.blocks[slot]] = true;
                for (OneSidedGuard guard : guards) {
                    guard.open(lease.blocks[slot], lease.id, lease.writerIncarnation, slot);
                }
            }
            live.put(lease.id, lease);
            byDeadline.add(lease);
            if (byDeadline.first() == lease) {
                changed.signal();
            }
            return new Insertion.Live();
        } finally {
            lock.unlock();
        }
    }

    private @Nullable String problemOf(Lease lease) {
        if (closed) {
            return "the worker is closing";
        }
        if (live.size() + unsilent.size() >= LEASES_MAX) {
            return "there are %d leases already".formatted(LEASES_MAX);
        }
        boolean[] seen = new boolean[leased.length];
        for (int block : lease.blocks) {
            if (block < 0 || block >= leased.length) {
                return "no block %d in a pool of %d".formatted(block, leased.length);
            }
            if (leased[block] || seen[block]) {
                return "block %d is leased already".formatted(block);
            }
            seen[block] = true;
        }
        return null;
    }

    @Nullable Lease find(long id) {
        lock.lock();
        try {
            return live.get(id);
        } finally {
            lock.unlock();
        }
    }

    /// Whether the id is of a lease that has ended, as far as remembered.
    boolean hasEnded(long id) {
        return ended.contains(id);
    }

    List<Lease> live() {
        lock.lock();
        try {
            return List.copyOf(live.values());
        } finally {
            lock.unlock();
        }
    }

    List<Lease> due() {
        var due = new ArrayList<Lease>();
        lock.lock();
        try {
            long now = nanoClock.getAsLong();
            for (Lease lease : byDeadline) {
                if (lease.deadlineNanos - now > 0) {
                    break;
                }
                due.add(lease);
            }
            return due;
        } finally {
            lock.unlock();
        }
    }

    /// Takes a lease out that its owner has given an outcome.
    ///
    /// @return whether its blocks are silent, so that its end can be reported; if not, [#silent] gives it later
    boolean end(Lease lease) {
        lock.lock();
        try {
            live.remove(lease.id);
            byDeadline.remove(lease);
            ended.add(lease.id);
            if (isSilent(lease)) {
                free(lease);
                return true;
            }
            unsilent.add(lease);
            changed.signal();
            return false;
        } finally {
            lock.unlock();
        }
    }

    /// Ended leases whose blocks have fallen silent; each is given once.
    List<Lease> silent() {
        lock.lock();
        try {
            if (unsilent.isEmpty()) {
                return List.of();
            }
            var silent = new ArrayList<Lease>();
            for (Iterator<Lease> each = unsilent.iterator(); each.hasNext(); ) {
                Lease lease = each.next();
                if (isSilent(lease)) {
                    free(lease);
                    each.remove();
                    silent.add(lease);
                }
            }
            return silent;
        } finally {
            lock.unlock();
        }
    }

    /// Ended leases that wait for their writers.
    int quarantined() {
        lock.lock();
        try {
            return unsilent.size();
        } finally {
            lock.unlock();
        }
    }

    private boolean isSilent(Lease lease) {
        boolean silent = true;
        for (int slot = 0; slot < lease.blocks.length; slot++) {
            for (OneSidedGuard guard : guards) {
                int block = lease.blocks[slot];
                silent &= guard.close(block, lease.id, lease.writerIncarnation, slot);
            }
        }
        return silent;
    }

    private void free(Lease lease) {
        for (int block : lease.blocks) {
            leased[block] = false;
        }
    }

    /// Takes no more leases, and ends the timer's wait.
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// What is left for [#close]'s caller to report: the memory goes away, whoever writes to it.
    List<Lease> takeUnsilent() {
        lock.lock();
        try {
            var all = List.copyOf(unsilent);
            unsilent.clear();
            return all;
        } finally {
            lock.unlock();
        }
    }

    /// Waits until something may be due or silent.
    ///
    /// @return false when closed
    boolean awaitDue() throws InterruptedException {
        lock.lock();
        try {
            if (!closed && !unsilent.isEmpty()) {
                changed.awaitNanos(SILENCE_WAIT_NANOS);
                return !closed;
            }
            while (!closed && unsilent.isEmpty()) {
                long wait = TIMER_WAIT_NANOS_MAX;
                if (!byDeadline.isEmpty()) {
                    wait = Math.min(wait, byDeadline.first().deadlineNanos - nanoClock.getAsLong());
                }
                if (wait <= 0) {
                    return true;
                }
                changed.awaitNanos(wait);
            }
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /// Gives a lease its one outcome. Called with the lease's own lock held.
    static void setOutcome(Lease lease, LeaseOutcome outcome) {
        if (lease.outcome != null) {
            throw new IllegalStateException("lease %s ended twice".formatted(Lease.name(lease.id)));
        }
        lease.outcome = outcome;
    }
}
