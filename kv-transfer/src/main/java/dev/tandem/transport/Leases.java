package dev.tandem.transport;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.PoolLedger;
import dev.tandem.kv.SharedKvPool;
import dev.tandem.transport.TransferMetrics.Refusal;
import dev.tandem.wire.KvBlock;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// The leases on one worker's pool, and the only code that lets foreign bytes into it.
///
/// ```
///            grant                    commit with every slot received
/// (unknown) ───────> LIVE ────────────────────────────────────────────> COMMITTED
///                     │  abort by the coordinator or the writer; writer's stream gone;
///                     ├─ its own bad block or count; grant invalid; restart, close ───> ABORTED
///                     └─ deadline passed (timer thread) ───────────────────────────────> EXPIRED
/// ```
/// Each arrow out of LIVE is taken once, under the lease's own lock, and reported to the listener by whoever took
/// it. The same lock is held while a block is verified and copied, so an update means: nothing is written under
/// this lease any more (one-sided writers: see [PoolLedger]). A frame of a foreign writer or for a foreign
/// incarnation is refused and does not harm the lease.
///
/// Locks: a lease's lock first, then `registry`; the listener is called with neither held. Ends of leases are
/// remembered for a while, to tell "over" from "not yet granted".
public final class Leases implements LeaseRegistry {
    /// Leases alive at once; more are aborted at the grant.
    static final int LEASES_MAX = 4096;

    /// Ended leases remembered.
    static final int ENDED_MAX = 16_384;

    private static final Logger log = LoggerFactory.getLogger(Leases.class);
    private static final long TIMER_WAIT_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);

    private final KvPool pool;
    private final @Nullable PoolLedger ledger;
    private final TransferMetrics metrics;
    private final LongSupplier nanoClock;
    private final RecentIds ended = new RecentIds(ENDED_MAX);
    private final Thread timer;

    private final ReentrantLock registry = new ReentrantLock();
    private final Condition changed = registry.newCondition();
    // guarded by `registry`
    private final Map<Long, Lease> live = new HashMap<>();
    private final TreeSet<Lease> byDeadline = new TreeSet<>(Lease::byDeadline);
    private final boolean[] leased; // by block
    private boolean closed;

    private volatile long incarnation;
    private volatile @Nullable Consumer<LeaseUpdate> listener;

    /// @param pool stays the caller's, to be closed after this
    /// @param incarnation of this worker
    public Leases(KvPool pool, long incarnation, TransferMetrics metrics) {
        this(pool, incarnation, metrics, System::nanoTime);
    }

    Leases(KvPool pool, long incarnation, TransferMetrics metrics, LongSupplier nanoClock) {
        this.pool = pool;
        this.ledger = pool instanceof SharedKvPool shared ? shared.ledger() : null;
        this.incarnation = incarnation;
        this.metrics = metrics;
        this.nanoClock = nanoClock;
        this.leased = new boolean[pool.blocks()];
        this.timer = Thread.ofPlatform().daemon().name("kv-lease-timer").start(this::runTimer);
    }

    @Override
    public void onUpdate(Consumer<LeaseUpdate> newListener) {
        listener = newListener;
    }

    /// An invalid grant (a block outside the pool, twice, or under another lease; too many leases; closed) is
    /// reported as aborted at once. A second grant of a known lease is ignored.
    ///
    /// @throws IllegalStateException no listener is set
    @Override
    public void grant(LeaseGrant grant) {
        if (listener == null) {
            throw new IllegalStateException(
                    "a lease was granted before anybody listens for its end");
        }
        int[] blocks = grant.getBlocksList().stream().mapToInt(Integer::intValue).toArray();
        long millis = Integer.toUnsignedLong(grant.getDeadlineMillis());
        long deadline = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(millis);
        var lease = new Lease(grant.getLease(), blocks, grant.getWriterIncarnation(), deadline);
        String problem;
        registry.lock();
        try {
            if (live.containsKey(lease.id) || ended.contains(lease.id)) {
                log.warn("lease {} was granted twice, the second grant is ignored", name(lease.id));
                return;
            }
            problem = problemOf(lease);
            if (problem == null) {
                insert(lease);
            } else {
                ended.add(lease.id);
            }
        } finally {
            registry.unlock();
        }
        if (problem == null) {
            metrics.leasesGranted.increment();
        } else {
            log.warn("lease {} is aborted at its grant: {}", name(lease.id), problem);
            report(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
    }

    private @Nullable String problemOf(Lease lease) {
        if (closed) {
            return "the worker is closing";
        }
        if (live.size() >= LEASES_MAX) {
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

    private void insert(Lease lease) {
        for (int slot = 0; slot < lease.blocks.length; slot++) {
            int block = lease.blocks[slot];
            leased[block] = true;
            if (ledger != null) {
                ledger.open(block, lease.id, lease.writerIncarnation, slot);
            }
        }
        live.put(lease.id, lease);
        byDeadline.add(lease);
        if (byDeadline.first() == lease) {
            changed.signal();
        }
    }

    @Override
    public void abort(LeaseAbort abort) {
        Lease lease = find(abort.getLease());
        if (lease != null) {
            end(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
    }

    /// Verifies one block and, unless it is in the pool already, writes it.
    ///
    /// @param stream identity of the writer's stream
    Verdict write(Object stream, KvBlock block) {
        if (block.getReceiverIncarnation() != incarnation) {
            return refuse(
                    Refusal.RECEIVER_INCARNATION, "meant for another incarnation of this worker");
        }
        Lease lease = find(block.getLease());
        if (lease == null) {
            return missing(block.getLease());
        }
        Verdict verdict;
        lease.lock.lock();
        try {
            Verdict barred = barred(lease, stream);
            if (barred != null) {
                return barred;
            }
            if (block.getWriterIncarnation() != lease.writerIncarnation) {
                return refuse(Refusal.WRITER_INCARNATION, "the lease is another writer's");
            }
            verdict = store(lease, block);
            if (verdict instanceof Verdict.Accepted) {
                lease.stream = stream;
            } else {
                finish(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            }
        } finally {
            lease.lock.unlock();
        }
        if (!(verdict instanceof Verdict.Accepted)) {
            report(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
        return verdict;
    }

    /// Ends a lease with success if every slot of its grant was received.
    ///
    /// @param blocks that the writer says it has sent
    Verdict commit(Object stream, long id, int blocks) {
        Lease lease = find(id);
        if (lease == null) {
            return missing(id);
        }
        boolean complete;
        int received;
        lease.lock.lock();
        try {
            Verdict barred = barred(lease, stream);
            if (barred != null) {
                return barred;
            }
            if (lease.stream == null && lease.blocks.length > 0) {
                return refuse(Refusal.STREAM, "nothing was sent under this lease on this stream");
            }
            received = lease.received.cardinality();
            complete = received == lease.blocks.length && received == blocks;
            finish(
                    lease,
                    complete
                            ? LeaseOutcome.LEASE_OUTCOME_COMMITTED
                            : LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        if (complete) {
            report(lease, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            return Verdict.ACCEPTED;
        }
        report(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        return refuse(
                Refusal.INCOMPLETE,
                "commit of %d blocks, but %d of %d slots were received"
                        .formatted(blocks, received, lease.blocks.length));
    }

    /// The writer's stream is gone or broke the rules: ends the lease if it is this stream's and lives.
    void disconnected(Object stream, long id) {
        Lease lease = find(id);
        if (lease == null) {
            return;
        }
        lease.lock.lock();
        try {
            if (lease.outcome != null || lease.stream != stream) {
                return;
            }
            finish(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        report(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
    }

    /// The writer gives its lease up.
    Verdict abandon(Object stream, long id) {
        Lease lease = find(id);
        if (lease == null) {
            return missing(id);
        }
        lease.lock.lock();
        try {
            Verdict barred = barred(lease, stream);
            if (barred != null) {
                return barred;
            }
            if (lease.stream == null) {
                return refuse(Refusal.STREAM, "nothing was sent under this lease on this stream");
            }
            finish(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        report(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        return Verdict.ACCEPTED;
    }

    /// The worker registers anew: aborts every lease and forgets the ended ones, since the next coordinator's
    /// lease ids may be the same. Writers of before are refused from here on.
    public void restart(long newIncarnation) {
        incarnation = newIncarnation;
        abortAll();
        if (pool instanceof SharedKvPool shared) {
            shared.incarnation(newIncarnation);
        }
        ended.clear();
    }

    /// Aborts every lease.
    @Override
    public void close() {
        registry.lock();
        try {
            closed = true;
            changed.signal();
        } finally {
            registry.unlock();
        }
        abortAll();
    }

    int bytesOfBlock() {
        return Math.toIntExact(pool.shape().blockBytes());
    }

    /// Ends what is due. Called by the timer thread; tests with a clock of their own call it themselves.
    void expireDue() {
        for (Lease lease : due()) {
            end(lease, LeaseOutcome.LEASE_OUTCOME_EXPIRED);
        }
    }

    private List<Lease> due() {
        var due = new ArrayList<Lease>();
        registry.lock();
        try {
            long now = nanoClock.getAsLong();
            for (Lease lease : byDeadline) {
                if (lease.deadlineNanos - now > 0) {
                    break;
                }
                due.add(lease);
            }
        } finally {
            registry.unlock();
        }
        return due;
    }

    /// Its own thread, so that a lease ends on time however quiet or busy the worker is.
    private void runTimer() {
        while (awaitDue()) {
            try {
                expireDue();
            } catch (RuntimeException e) {
                log.error("leases could not be expired", e); // the next round tries again
            }
        }
    }

    /// @return false when closed
    private boolean awaitDue() {
        registry.lock();
        try {
            while (!closed) {
                long wait = TIMER_WAIT_NANOS_MAX;
                if (!byDeadline.isEmpty()) {
                    wait = Math.min(wait, byDeadline.first().deadlineNanos - nanoClock.getAsLong());
                }
                if (wait <= 0) {
                    return true;
                }
                changed.awaitNanos(wait);
            }
            return false;
        } catch (InterruptedException e) {
            log.warn("the lease timer was interrupted and stops");
            return false;
        } finally {
            registry.unlock();
        }
    }

    private void abortAll() {
        List<Lease> all;
        registry.lock();
        try {
            all = List.copyOf(live.values());
        } finally {
            registry.unlock();
        }
        for (Lease lease : all) {
            end(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
    }

    private @Nullable Lease find(long id) {
        registry.lock();
        try {
            return live.get(id);
        } finally {
            registry.unlock();
        }
    }

    private Verdict missing(long id) {
        if (ended.contains(id)) {
            return refuse(Refusal.ENDED_LEASE, "the lease has ended");
        }
        metrics.count(Refusal.UNKNOWN_LEASE);
        return Verdict.UNKNOWN;
    }

    /// Why this stream may do nothing under the lease; null when it may. Called with the lease's lock held.
    private @Nullable Verdict barred(Lease lease, Object stream) {
        if (lease.outcome != null || lease.deadlineNanos - nanoClock.getAsLong() <= 0) {
            return refuse(
                    Refusal.ENDED_LEASE, "the lease has ended"); // the timer reports the expiry
        }
        if (lease.stream != null && lease.stream != stream) {
            return refuse(Refusal.STREAM, "another stream writes under this lease");
        }
        return null;
    }

    private Verdict store(Lease lease, KvBlock block) {
        int slot = block.getSlot();
        if (slot < 0 || slot >= lease.blocks.length) {
            return refuse(
                    Refusal.SLOT,
                    "no slot %d in a lease of %d".formatted(slot, lease.blocks.length));
        }
        if (lease.received.get(slot)) {
            return refuse(Refusal.SLOT, "slot %d was received already".formatted(slot));
        }
        long bytes = pool.shape().blockBytes();
        ByteBuffer payload = block.getPayload().asReadOnlyByteBuffer();
        boolean inPlace = !payload.hasRemaining() && ledger != null;
        if (Integer.toUnsignedLong(block.getLength()) != bytes
                || !inPlace && payload.remaining() != bytes) {
            return refuse(
                    Refusal.LENGTH,
                    "block of %d bytes with %d sent, %d expected"
                            .formatted(
                                    Integer.toUnsignedLong(block.getLength()),
                                    payload.remaining(),
                                    bytes));
        }
        MemorySegment target = pool.block(lease.blocks[slot]);
        int crc = inPlace ? Crc32c.of(target) : Crc32c.of(payload);
        if (crc != block.getCrc32C()) {
            return refuse(
                    Refusal.CHECKSUM,
                    "slot %d has CRC32C %08x, %08x expected"
                            .formatted(slot, crc, block.getCrc32C()));
        }
        if (!inPlace) {
            target.copyFrom(MemorySegment.ofBuffer(payload));
        }
        lease.received.set(slot);
        metrics.blocksReceived.increment();
        metrics.bytesReceived.add(bytes);
        return Verdict.ACCEPTED;
    }

    private Verdict refuse(Refusal refusal, String reason) {
        metrics.count(refusal);
        return new Verdict.Refused(reason);
    }

    private void end(Lease lease, LeaseOutcome outcome) {
        lease.lock.lock();
        try {
            if (lease.outcome != null) {
                return;
            }
            finish(lease, outcome);
        } finally {
            lease.lock.unlock();
        }
        report(lease, outcome);
    }

    /// The one way out of LIVE. Called with the lease's lock held; the caller reports after releasing it.
    private void finish(Lease lease, LeaseOutcome outcome) {
        if (lease.outcome != null) {
            throw new IllegalStateException("lease %s ended twice".formatted(name(lease.id)));
        }
        lease.outcome = outcome;
        registry.lock();
        try {
            for (int block : lease.blocks) {
                leased[block] = false;
                if (ledger != null) {
                    ledger.close(block);
                }
            }
            live.remove(lease.id);
            byDeadline.remove(lease);
            ended.add(lease.id);
        } finally {
            registry.unlock();
        }
    }

    private void report(Lease lease, LeaseOutcome outcome) {
        switch (outcome) {
            case LEASE_OUTCOME_COMMITTED -> metrics.leasesCommitted.increment();
            case LEASE_OUTCOME_ABORTED -> metrics.leasesAborted.increment();
            case LEASE_OUTCOME_EXPIRED -> metrics.leasesExpired.increment();
            case LEASE_OUTCOME_UNSPECIFIED, UNRECOGNIZED ->
                    throw new IllegalStateException("a lease can't end as " + outcome);
        }
        var update =
                LeaseUpdate.newBuilder()
                        .setLease(lease.id)
                        .setOutcome(outcome)
                        .setBytes(lease.received.cardinality() * pool.shape().blockBytes())
                        .build();
        Consumer<LeaseUpdate> hears = listener;
        if (hears == null) {
            throw new IllegalStateException("nobody listens for the ends of leases");
        }
        try {
            hears.accept(update);
        } catch (RuntimeException e) {
            log.error("the end of lease {} could not be reported", name(lease.id), e);
        }
    }

    private static String name(long id) {
        return Long.toUnsignedString(id);
    }
}
