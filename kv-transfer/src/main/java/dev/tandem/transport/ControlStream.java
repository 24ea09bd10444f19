package dev.tandem.transport;

import dev.tandem.wire.KvAbort;
import dev.tandem.wire.KvCommit;
import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvPlaced;
import dev.tandem.wire.KvReceipt;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/// The writer's end of one `Push` stream, carrying one attempt at one lease. Every transport has one: gRPC's carries
/// the bytes, those of one-sided transports only say where they are. Owned by one thread.
public final class ControlStream implements ClientResponseObserver<OutgoingFrame, KvReceipt> {
    private final long lease;
    private final long writerIncarnation;
    private final long receiverIncarnation;
    private final BlockLink.Events events;
    private @Nullable ClientCallStreamObserver<OutgoingFrame> call;
    private final KvPlaced.Builder placed;

    /// One receipt decides the attempt. gRPC's thread only.
    private boolean decided;

    ControlStream(
            long lease, long writerIncarnation, long receiverIncarnation, BlockLink.Events events) {
        this.lease = lease;
        this.writerIncarnation = writerIncarnation;
        this.receiverIncarnation = receiverIncarnation;
        this.events = events;
        this.placed =
                KvPlaced.newBuilder()
                        .setLease(lease)
                        .setWriterIncarnation(writerIncarnation)
                        .setReceiverIncarnation(receiverIncarnation);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<OutgoingFrame> stream) {
        call = stream;
        stream.setOnReadyHandler(events::ready);
    }

    private ClientCallStreamObserver<OutgoingFrame> call() {
        if (call == null) {
            throw new IllegalStateException("the stream has not started");
        }
        return call;
    }

    public boolean ready() {
        return call().isReady();
    }

    /// Says that a piece is in the receiver's pool; goes out with the next [#flush].
    public void inPlace(int slot, long offset, long bytes, int crc32c) {
        placed.addSlots(slot).addOffsets((int) offset).addLengths((int) bytes).addCrc32C(crc32c);
    }

    /// Sends a piece with its bytes, which are read within the call.
    ///
    /// @param memory the writer's pool
    public void inline(int slot, long offset, MemorySegment memory, long from, long bytes) {
        call().onNext(
                        new OutgoingFrame.Piece(
                                lease,
                                writerIncarnation,
                                receiverIncarnation,
                                slot,
                                (int) offset,
                                memory,
                                from,
                                (int) bytes));
    }

    /// Sends what [#inPlace] has collected.
    public void flush() {
        if (placed.getSlotsCount() > 0) {
            send(KvFrame.newBuilder().setPlaced(placed));
            placed.clearSlots().clearOffsets().clearLengths().clearCrc32C();
        }
    }

    public void commit(int pieces) {
        flush();
        send(
                KvFrame.newBuilder()
                        .setCommit(KvCommit.newBuilder().setLease(lease).setPieces(pieces)));
    }

    /// Says why while there is room for it; else the receiver sees the stream break, which means the same.
    public void abort(String reason) {
        if (call().isReady()) {
            send(
                    KvFrame.newBuilder()
                            .setAbort(KvAbort.newBuilder().setLease(lease).setReason(reason)));
            call().onCompleted();
        } else {
            call().cancel(reason, null);
        }
    }

    public void finish() {
        call().onCompleted();
    }

    private void send(KvFrame.Builder frame) {
        call().onNext(new OutgoingFrame.Message(frame.build()));
    }

    @Override
    public void onNext(KvReceipt receipt) {
        if (!decided) {
            decided = true;
            events.receipt(receipt);
        } // the rest is read too: a stream with unread messages never ends, and keeps their buffers
    }

    @Override
    public void onError(Throwable cause) {
        Status status = Status.fromThrowable(cause);
        String detail = status.getDescription();
        events.closed(status.getCode() + (detail == null ? "" : ": " + detail));
    }

    @Override
    public void onCompleted() {
        events.closed("closed by the receiver");
    }
}
