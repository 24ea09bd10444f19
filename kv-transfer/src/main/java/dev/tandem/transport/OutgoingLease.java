package dev.tandem.transport;

import dev.tandem.wire.KvSend;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import org.agrona.collections.IntArrayList;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.concurrent.TimeUnit;

/// One lease on the writer's side: all blocks told so far, kept until the end so that the whole lease can be
/// sent again. Owned by its lane's thread.
final class OutgoingLease {
    final long id;
    final long writerIncarnation;
    final List<TransferEndpoint> endpoints;
    final IntArrayList blocks = new IntArrayList();
    final IntArrayList slots = new IntArrayList(); // parallel to `blocks`
    long deadlineNanos;
    boolean last;

    // the attempt under way
    @Nullable BlockChannel channel;
    int next; // index of the block to put next
    boolean commitSent;
    long bytes;
    long startNanos;
    TransportKind kind = TransportKind.TRANSPORT_KIND_UNSPECIFIED;

    // between attempts
    boolean waiting;
    long retryAtNanos;
    long retryWaitMillis;

    OutgoingLease(KvSend first, long writerIncarnation, long receivedNanos, long retryWaitMillis) {
        this.id = first.getLease();
        this.writerIncarnation = writerIncarnation;
        this.endpoints = first.getEndpointsList();
        this.deadlineNanos = deadline(first, receivedNanos);
        this.retryWaitMillis = retryWaitMillis;
    }

    /// Appends a further send. The earliest deadline told holds.
    void add(KvSend send, long receivedNanos) {
        for (int i = 0; i < send.getBlocksCount(); i++) {
            blocks.addInt(send.getBlocks(i));
            slots.addInt(send.getSlots(i));
        }
        last |= send.getLast();
        long deadline = deadline(send, receivedNanos);
        if (deadline - deadlineNanos < 0) {
            deadlineNanos = deadline;
        }
    }

    private static long deadline(KvSend send, long receivedNanos) {
        long millis = Integer.toUnsignedLong(send.getDeadlineMillis());
        return receivedNanos + TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /// Whether there is something to put or to commit now.
    boolean hasWork(long now) {
        if (waiting && retryAtNanos - now > 0) {
            return false;
        }
        return next < blocks.size() || last && !commitSent;
    }

    /// The receiver does not know the lease: begin again later.
    void restartAt(long nanos) {
        channel = null;
        next = 0;
        commitSent = false;
        bytes = 0;
        waiting = true;
        retryAtNanos = nanos;
    }
}
