package dev.tandem.transport;

import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvStatus;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/// One writer's attempt at one lease as its receiver sees it, for transports that bring the pieces themselves. The
/// first accepted piece ties the lease to this object, as it does to a stream of gRPC. Owned by one thread.
public final class IncomingAttempt {
    final long lease;
    final long writerIncarnation;
    final long receiverIncarnation;
    private final Leases leases;
    private boolean wrote;

    IncomingAttempt(Leases leases, long lease, long writerIncarnation, long receiverIncarnation) {
        this.leases = leases;
        this.lease = lease;
        this.writerIncarnation = writerIncarnation;
        this.receiverIncarnation = receiverIncarnation;
    }

    /// Checks a piece and copies it into its block, both under the lease's lock: once the lease has ended, nothing is
    /// written.
    ///
    /// @param source memory that nobody writes to meanwhile, bytes `[from, from + bytes)` of it
    /// @return null when the piece is in; otherwise what to tell the writer, and the attempt is over
    public @Nullable KvReceipt piece(
            int slot, long offset, MemorySegment source, long from, long bytes, int crc32c) {
        Verdict verdict = leases.write(this, slot, offset, source, from, bytes, crc32c);
        if (verdict instanceof Verdict.Accepted) {
            wrote = true;
            return null;
        }
        return end(verdict, KvStatus.KV_STATUS_UNSPECIFIED);
    }

    /// Ends the lease with success if all of it was received in that many pieces.
    ///
    /// @return what to tell the writer; the attempt is over
    public KvReceipt commit(int pieces) {
        return end(leases.commit(this, lease, pieces), KvStatus.KV_STATUS_COMMITTED);
    }

    /// The writer has given up or is gone: aborts the lease if it is this attempt's.
    public void abandon() {
        if (wrote) {
            leases.disconnected(this, lease);
        }
    }

    private KvReceipt end(Verdict verdict, KvStatus ifAccepted) {
        var receipt = KvReceipt.newBuilder().setLease(lease);
        switch (verdict) {
            case Verdict.Accepted() -> receipt.setStatus(ifAccepted);
            case Verdict.Unknown() ->
                    receipt.setStatus(KvStatus.KV_STATUS_UNKNOWN_LEASE)
                            .setReason("the lease is not known here");
            case Verdict.Refused(String reason) -> {
                abandon();
                receipt.setStatus(KvStatus.KV_STATUS_REFUSED).setReason(reason);
            }
            case Verdict.Corrupted(String reason) ->
                    receipt.setStatus(KvStatus.KV_STATUS_CORRUPTED).setReason(reason);
        }
        return receipt.build();
    }
}
