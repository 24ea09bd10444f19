package dev.tandem.transport;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/// Counters of one worker's transfers, both directions. Each only grows; any thread may read or add.
public final class TransferMetrics {
    /// Why a lease failed on the writer's side.
    public enum SendFailure {
        /// No transport could be opened to the receiver.
        CONNECT,
        /// The connection broke before the receipt.
        CONNECTION_LOST,
        /// The receiver refused a piece or the commit.
        REFUSED,
        /// The receiver found a wrong checksum.
        CORRUPTED,
        /// The coordinator gave the lease up.
        ABORTED,
        /// The deadline passed.
        DEADLINE,
        /// Malformed, or more than the sender's limits allow.
        INVALID,
        /// The sender was closed or restarted.
        CLOSED
    }

    /// Why a receiver refused a frame.
    public enum Refusal {
        UNKNOWN_LEASE,
        ENDED_LEASE,
        RECEIVER_INCARNATION,
        WRITER_INCARNATION,
        STREAM,
        SLOT,
        LENGTH,
        OVERLAP,
        CHECKSUM,
        INCOMPLETE
    }

    final LongAdder piecesSent = new LongAdder();
    final LongAdder bytesSent = new LongAdder();
    final LongAdder piecesInline = new LongAdder();
    final LongAdder leasesSent = new LongAdder();
    final LongAdder exposedNanos = new LongAdder();
    final LongAdder retries = new LongAdder();
    final LongAdder fallbacks = new LongAdder();
    final LongAdder piecesReceived = new LongAdder();
    final LongAdder bytesReceived = new LongAdder();
    final LongAdder leasesGranted = new LongAdder();
    final LongAdder leasesCommitted = new LongAdder();
    final LongAdder leasesAborted = new LongAdder();
    final LongAdder leasesExpired = new LongAdder();
    final LongAdder leasesQuarantined = new LongAdder();
    private final Map<SendFailure, LongAdder> sendFailures = adders(SendFailure.class);
    private final Map<Refusal, LongAdder> refusals = adders(Refusal.class);

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> kinds) {
        return Arrays.stream(kinds.getEnumConstants())
                .collect(
                        Collectors.toMap(
                                kind -> kind,
                                kind -> new LongAdder(),
                                (a, b) -> a,
                                () -> new EnumMap<>(kinds)));
    }

    void count(SendFailure failure) {
        of(sendFailures, failure).increment();
    }

    void count(Refusal refusal) {
        of(refusals, refusal).increment();
    }

    private static <E extends Enum<E>> LongAdder of(Map<E, LongAdder> adders, E kind) {
        LongAdder adder = adders.get(kind);
        if (adder == null) {
            throw new IllegalStateException("no counter for " + kind);
        }
        return adder;
    }

    void committed(long nanos) {
        exposedNanos.add(nanos);
        leasesSent.increment();
    }

    /// Leases committed on the writer's side.
    public long leasesSent() {
        return leasesSent.sum();
    }

    /// By how much the transfers of [#leasesSent] have outlasted their computation, together.
    public long exposedNanos() {
        return exposedNanos.sum();
    }

    /// Pieces of blocks handed to a transport, repeats included.
    public long piecesSent() {
        return piecesSent.sum();
    }

    /// Bytes of [#piecesSent].
    public long bytesSent() {
        return bytesSent.sum();
    }

    /// Pieces that travelled inside their frame although shared memory was open: their lease was not in the
    /// ledger at that moment.
    public long piecesInline() {
        return piecesInline.sum();
    }

    /// Leases started again because the receiver did not know them yet.
    public long retries() {
        return retries.sum();
    }

    /// Times that a preferred transport could not be opened and the next one was tried.
    public long fallbacks() {
        return fallbacks.sum();
    }

    /// Leases failed on the writer's side, for that reason.
    public long sendFailures(SendFailure failure) {
        return of(sendFailures, failure).sum();
    }

    /// Pieces verified and accepted.
    public long piecesReceived() {
        return piecesReceived.sum();
    }

    public long bytesReceived() {
        return bytesReceived.sum();
    }

    public long leasesGranted() {
        return leasesGranted.sum();
    }

    public long leasesCommitted() {
        return leasesCommitted.sum();
    }

    public long leasesAborted() {
        return leasesAborted.sum();
    }

    public long leasesExpired() {
        return leasesExpired.sum();
    }

    /// Leases that had ended while a one-sided writer was in the middle of a copy, so that their blocks stayed held a
    /// little longer.
    public long leasesQuarantined() {
        return leasesQuarantined.sum();
    }

    /// Frames refused, for that reason.
    public long refusals(Refusal refusal) {
        return of(refusals, refusal).sum();
    }
}
