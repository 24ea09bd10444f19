package dev.tandem.transport;

import dev.tandem.wire.KvSend;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// One lease on the writer's side: all sends told so far, kept until the end so that the whole lease can be sent again,
/// and the place where sending stands. A send goes out in sweeps: the layers that are computed by now of all its
/// blocks, then the next layers. Owned by its lane's thread.
final class OutgoingLease {
    /// A send with the pass that computes it.
    private record Part(KvSend send, LayerProgress progress) {}

    final long id;
    final long writerIncarnation;
    final List<TransferEndpoint> endpoints;
    long deadlineNanos;
    boolean last;

    private final int layers;
    private final int pieceLayersMax;
    private final List<Part> parts = new ArrayList<>();
    private int blocks;

    // the attempt under way
    @Nullable BlockChannel channel;
    boolean commitSent;
    int pieces; // put on the channel
    long bytes;
    long startNanos;
    TransportKind kind = TransportKind.TRANSPORT_KIND_UNSPECIFIED;

    // where it stands: layers [sweepFrom, sweepTo) of block `index` of part `part` come next
    private int part;
    private int sweepFrom;
    private int sweepTo;
    private int index;

    // between attempts
    boolean waiting;
    long retryAtNanos;
    long retryWaitMillis;

    OutgoingLease(
            KvSend first,
            long writerIncarnation,
            long receivedNanos,
            int layers,
            int pieceLayersMax,
            long retryWaitMillis) {
        this.id = first.getLease();
        this.writerIncarnation = writerIncarnation;
        this.endpoints = first.getEndpointsList();
        this.deadlineNanos = deadline(first, receivedNanos);
        this.layers = layers;
        this.pieceLayersMax = pieceLayersMax;
        this.retryWaitMillis = retryWaitMillis;
    }

    /// Appends a further send. The earliest deadline told holds.
    void add(KvSend send, LayerProgress progress, long receivedNanos) {
        parts.add(new Part(send, progress));
        blocks += send.getBlocksCount();
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

    int blocks() {
        return blocks;
    }

    /// Whether there is something to put or to commit now.
    boolean hasWork(long now) {
        if (waiting && retryAtNanos - now > 0) {
            return false;
        }
        return hasPiece() || last && !commitSent && isSent();
    }

    /// Moves on to the next piece that can be sent; the accessors below tell of it.
    ///
    /// @return false when there is none for now
    boolean hasPiece() {
        while (part < parts.size()) {
            Part current = parts.get(part);
            if (index < current.send.getBlocksCount() && sweepFrom < sweepTo) {
                return true;
            }
            int ready = current.progress.layersReady();
            if (sweepTo == layers || current.send.getBlocksCount() == 0 && ready == layers) {
                part++;
                sweepTo = 0;
                sweepFrom = 0;
                index = 0;
            } else if (ready > sweepTo) {
                sweepFrom = sweepTo;
                sweepTo = Math.min(ready, sweepFrom + pieceLayersMax);
                index = 0;
            } else {
                return false;
            }
        }
        return false;
    }

    /// Whether every piece of every send told so far was put.
    boolean isSent() {
        return !hasPiece() && part == parts.size();
    }

    /// The writer's block.
    int block() {
        return parts.get(part).send.getBlocks(index);
    }

    int slot() {
        return parts.get(part).send.getSlots(index);
    }

    int layerFrom() {
        return sweepFrom;
    }

    int layerTo() {
        return sweepTo;
    }

    void advance(long pieceBytes) {
        index++;
        pieces++;
        bytes += pieceBytes;
    }

    /// When the last pass that computed for this lease was over; 0 = not yet.
    long computedNanos() {
        return parts.isEmpty() ? 0 : parts.getLast().progress.computedNanos();
    }

    /// The receiver does not know the lease: begin again later.
    void restartAt(long nanos) {
        channel = null;
        part = 0;
        sweepFrom = 0;
        sweepTo = 0;
        index = 0;
        commitSent = false;
        pieces = 0;
        bytes = 0;
        waiting = true;
        retryAtNanos = nanos;
    }
}
