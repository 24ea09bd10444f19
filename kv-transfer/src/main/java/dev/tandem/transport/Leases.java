package dev.tandem.transport;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.SharedKvPool;
import dev.tandem.transport.TransferMetrics.Refusal;
import dev.tandem.wire.KvPlaced;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/// The leases on one worker's pool, and the only code that lets foreign bytes into it.
///
/// ```
///            grant                    commit with every layer of every slot received
/// (unknown) ───────> LIVE ────────────────────────────────────────────> COMMITTED
///                     │  abort by the coordinator or the writer; writer's stream gone;
///                     ├─ its own bad piece or count; grant invalid; close ────────────> ABORTED
///                     └─ deadline passed (timer thread) ───────────────────────────────> EXPIRED
/// ```
/// Each arrow out of LIVE is taken once, under the lease's own lock. The same lock is held while a piece is verified and
/// copied. The end is reported to the listener by whoever took the arrow; or, where a one-sided writer may still be in
/// the middle of a copy, by the timer once that writer is silent ([OneSidedGuard]). So an update means: nothing is
/// written under this lease any more. A frame of a foreign writer or for a foreign incarnation is refused and does not
/// harm the lease.
///
/// Locks: a lease's lock first, then the table's; the listener is called with neither held. Ends of leases are
/// remembered for a while, to tell "over" from "not yet granted".
public final class Leases implements LeaseRegistry {
    private static final Logger log = LoggerFactory.getLogger(Leases.class);

    private final KvPool pool;
    private final TransferMetrics metrics;
    private final LongSupplier nanoClock;
    private final LeaseTable table;
    private final PieceIntake intake;
    private final Thread timer;
    private final long incarnation;
    private volatile @Nullable Consumer<LeaseUpdate> listener;

    /// A shared pool is written one-sided by workers of the same host, a private one by frames only.
    ///
    /// @param pool stays the caller's, to be closed after this
    /// @param incarnation of this worker
    public Leases(KvPool pool, long incarnation, TransferMetrics metrics) {
        this(pool, incarnation, guards(pool), metrics, System::nanoTime);
    }

    /// As above, with guards of the caller's beside the pool's own.
    ///
    /// @param more doors of other one-sided transports
    public Leases(
            KvPool pool, long incarnation, List<OneSidedGuard> more, TransferMetrics metrics) {
        this(
                pool,
                incarnation,
                Stream.concat(guards(pool).stream(), more.stream()).toList(),
                metrics,
                System::nanoTime);
    }

    Leases(
            KvPool pool,
            long incarnation,
            List<OneSidedGuard> guards,
            TransferMetrics metrics,
            LongSupplier nanoClock) {
        this.pool = pool;
        this.incarnation = incarnation;
        this.metrics = metrics;
        this.nanoClock = nanoClock;
        this.table = new LeaseTable(pool.blocks(), guards, nanoClock);
        this.intake = new PieceIntake(pool, !guards.isEmpty(), metrics);
        this.timer = Thread.ofPlatform().daemon().name("kv-lease-timer").start(this::runTimer);
    }

    static List<OneSidedGuard> guards(KvPool pool) {
        return pool instanceof SharedKvPool shared ? List.of(new LedgerGuard(shared)) : List.of();
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
        int layers = pool.shape().layers();
        long writer = grant.getWriterIncarnation();
        var lease = new Lease(grant.getLease(), blocks, layers, writer, deadline);
        switch (table.insert(lease)) {
            case LeaseTable.Insertion.Live() -> metrics.leasesGranted.increment();
            case LeaseTable.Insertion.Repeated() ->
                    log.warn(
                            "lease {} was granted twice, the second grant is ignored",
                            Lease.name(lease.id));
            case LeaseTable.Insertion.Invalid(String problem) -> {
                log.warn("lease {} is aborted at its grant: {}", Lease.name(lease.id), problem);
                lease.outcome = LeaseOutcome.LEASE_OUTCOME_ABORTED;
                report(lease);
            }
        }
    }

    @Override
    public void abort(LeaseAbort abort) {
        Lease lease = table.find(abort.getLease());
        if (lease != null) {
            end(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
    }

    /// Verifies one piece and writes it.
    ///
    /// @param stream identity of the writer's stream
    Verdict write(Object stream, IncomingFrame.Piece piece) {
        return receive(
                stream,
                piece.lease,
                piece.writerIncarnation,
                piece.receiverIncarnation,
                lease -> intake.store(lease, piece));
    }

    /// What one writer brings under one lease, for transports other than gRPC.
    ///
    /// @param receiverIncarnation that the writer means
    public IncomingAttempt attempt(long lease, long writerIncarnation, long receiverIncarnation) {
        return new IncomingAttempt(this, lease, writerIncarnation, receiverIncarnation);
    }

    /// Verifies one piece and copies it in.
    Verdict write(
            IncomingAttempt attempt,
            int slot,
            long offset,
            MemorySegment source,
            long from,
            long bytes,
            int crc32c) {
        return receive(
                attempt,
                attempt.lease,
                attempt.writerIncarnation,
                attempt.receiverIncarnation,
                lease -> intake.store(lease, slot, offset, source, from, bytes, crc32c));
    }

    /// Verifies pieces that a one-sided writer has written.
    Verdict placed(Object stream, KvPlaced placed) {
        return receive(
                stream,
                placed.getLease(),
                placed.getWriterIncarnation(),
                placed.getReceiverIncarnation(),
                lease -> verify(lease, placed));
    }

    private Verdict verify(Lease lease, KvPlaced placed) {
        int pieces = placed.getSlotsCount();
        if (placed.getOffsetsCount() != pieces
                || placed.getLengthsCount() != pieces
                || placed.getCrc32CCount() != pieces) {
            return refuse(Refusal.LENGTH, "lists of unequal length");
        }
        for (int i = 0; i < pieces; i++) {
            Verdict verdict =
                    intake.verify(
                            lease,
                            placed.getSlots(i),
                            Integer.toUnsignedLong(placed.getOffsets(i)),
                            Integer.toUnsignedLong(placed.getLengths(i)),
                            placed.getCrc32C(i));
            if (!(verdict instanceof Verdict.Accepted)) {
                return verdict;
            }
        }
        return Verdict.ACCEPTED;
    }

    /// Lets `bytes` into a lease if that writer may add to it on that stream; what is wrong with the bytes ends the
    /// lease, what is wrong with the writer does not.
    private Verdict receive(
            Object stream,
            long id,
            long writerIncarnation,
            long receiverIncarnation,
            Function<Lease, Verdict> bytes) {
        if (receiverIncarnation != incarnation) {
            return refuse(
                    Refusal.RECEIVER_INCARNATION, "meant for another incarnation of this worker");
        }
        Lease lease = table.find(id);
        if (lease == null) {
            return missing(id);
        }
        Verdict verdict;
        boolean silent = false;
        lease.lock.lock();
        try {
            Verdict barred = barred(lease, stream);
            if (barred != null) {
                return barred;
            }
            if (writerIncarnation != lease.writerIncarnation) {
                return refuse(Refusal.WRITER_INCARNATION, "the lease is another writer's");
            }
            verdict = bytes.apply(lease);
            if (verdict instanceof Verdict.Accepted) {
                lease.stream = stream;
                return verdict;
            }
            silent = finish(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        reportIf(silent, lease);
        return verdict;
    }

    /// Ends a lease with success if every layer of every slot was received.
    ///
    /// @param pieces that the writer says it has sent
    Verdict commit(Object stream, long id, int pieces) {
        Lease lease = table.find(id);
        if (lease == null) {
            return missing(id);
        }
        boolean complete;
        boolean silent;
        lease.lock.lock();
        try {
            Verdict barred = barred(lease, stream);
            if (barred != null) {
                return barred;
            }
            if (lease.stream == null && lease.blocks.length > 0) {
                return refuse(Refusal.STREAM, "nothing was sent under this lease on this stream");
            }
            complete = lease.isComplete() && lease.pieces == pieces;
            silent =
                    finish(
                            lease,
                            complete
                                    ? LeaseOutcome.LEASE_OUTCOME_COMMITTED
                                    : LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        reportIf(silent, lease);
        return complete
                ? Verdict.ACCEPTED
                : refuse(
                        Refusal.INCOMPLETE,
                        "commit of %d pieces, but %d pieces, and %s"
                                .formatted(pieces, lease.pieces, lease.progress()));
    }

    /// The writer's stream is gone or broke the rules: ends the lease if it is this stream's and lives.
    void disconnected(Object stream, long id) {
        Lease lease = table.find(id);
        if (lease == null) {
            return;
        }
        boolean silent;
        lease.lock.lock();
        try {
            if (lease.outcome != null || lease.stream != stream) {
                return;
            }
            silent = finish(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        reportIf(silent, lease);
    }

    /// The writer gives its lease up.
    Verdict abandon(Object stream, long id) {
        Lease lease = table.find(id);
        if (lease == null) {
            return missing(id);
        }
        boolean silent;
        lease.lock.lock();
        try {
            Verdict barred = barred(lease, stream);
            if (barred != null) {
                return barred;
            }
            if (lease.stream == null) {
                return refuse(Refusal.STREAM, "nothing was sent under this lease on this stream");
            }
            silent = finish(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        } finally {
            lease.lock.unlock();
        }
        reportIf(silent, lease);
        return Verdict.ACCEPTED;
    }

    /// Aborts every lease. Those that wait for a writer's silence are reported too: the pool goes away, nobody gets its
    /// blocks.
    @Override
    public void close() {
        table.close();
        for (Lease lease : table.live()) {
            end(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
        table.takeUnsilent().forEach(this::report);
        if (Thread.currentThread() == timer) {
            return; // closed from a listener
        }
        try {
            timer.join(); // it asks the guards, so it must not outlive the pool
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    int bytesOfBlock() {
        return Math.toIntExact(pool.shape().blockBytes());
    }

    /// Leases that have ended while a writer may be in the middle of a copy.
    public int quarantined() {
        return table.quarantined();
    }

    /// Ends what is due and reports what has fallen silent. Called by the timer thread; tests with a clock of their own
    /// call it themselves.
    void expireDue() {
        for (Lease lease : table.due()) {
            end(lease, LeaseOutcome.LEASE_OUTCOME_EXPIRED);
        }
        table.silent().forEach(this::report);
    }

    /// Its own thread, so that a lease ends on time however quiet or busy the worker is.
    private void runTimer() {
        try {
            while (table.awaitDue()) {
                try {
                    expireDue();
                } catch (RuntimeException e) {
                    log.error("leases could not be expired", e); // the next round tries again
                }
            }
        } catch (InterruptedException e) {
            log.warn("the lease timer was interrupted and stops");
        }
    }

    private Verdict missing(long id) {
        if (table.hasEnded(id)) {
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

    private Verdict refuse(Refusal refusal, String reason) {
        metrics.count(refusal);
        return new Verdict.Refused(reason);
    }

    private void end(Lease lease, LeaseOutcome outcome) {
        boolean silent;
        lease.lock.lock();
        try {
            if (lease.outcome != null) {
                return;
            }
            silent = finish(lease, outcome);
        } finally {
            lease.lock.unlock();
        }
        reportIf(silent, lease);
    }

    /// The one way out of LIVE. Called with the lease's lock held.
    ///
    /// @return whether the caller reports the end, after releasing the lock; else the timer does
    private boolean finish(Lease lease, LeaseOutcome outcome) {
        LeaseTable.setOutcome(lease, outcome);
        boolean silent = table.end(lease);
        if (!silent) {
            metrics.leasesQuarantined.increment();
            log.info(
                    "lease {} has ended in the middle of a copy; its blocks stay held until that is"
                            + " over",
                    Lease.name(lease.id));
        }
        return silent;
    }

    private void reportIf(boolean silent, Lease lease) {
        if (silent) {
            report(lease);
        }
    }

    private void report(Lease lease) {
        LeaseOutcome outcome = lease.outcome;
        if (outcome == null) {
            throw new IllegalStateException("a lease without an outcome has not ended");
        }
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
                        .setBytes(lease.bytes)
                        .build();
        Consumer<LeaseUpdate> hears = listener;
        if (hears == null) {
            throw new IllegalStateException("nobody listens for the ends of leases");
        }
        try {
            hears.accept(update);
        } catch (RuntimeException e) {
            log.error("the end of lease {} could not be reported", Lease.name(lease.id), e);
        }
    }
}
