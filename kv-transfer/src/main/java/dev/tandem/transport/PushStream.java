package dev.tandem.transport;

import com.google.protobuf.ByteString;

import dev.tandem.wire.KvAbort;
import dev.tandem.wire.KvBlock;
import dev.tandem.wire.KvCommit;
import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvReceipt;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;

import org.jspecify.annotations.Nullable;

/// The writer's end of one `Push` stream, carrying one attempt at one lease. Both transports use it: frames of
/// gRPC carry the bytes, frames of shared memory only say that they are there.
final class PushStream implements ClientResponseObserver<KvFrame, KvReceipt> {
    private final long lease;
    private final long writerIncarnation;
    private final long receiverIncarnation;
    private final BlockLink.Events events;
    private @Nullable ClientCallStreamObserver<KvFrame> call;

    PushStream(
            long lease, long writerIncarnation, long receiverIncarnation, BlockLink.Events events) {
        this.lease = lease;
        this.writerIncarnation = writerIncarnation;
        this.receiverIncarnation = receiverIncarnation;
        this.events = events;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<KvFrame> stream) {
        call = stream;
        stream.disableAutoRequestWithInitial(1); // one receipt decides the attempt
        stream.setOnReadyHandler(events::ready);
    }

    private ClientCallStreamObserver<KvFrame> call() {
        if (call == null) {
            throw new IllegalStateException("the stream has not started");
        }
        return call;
    }

    boolean ready() {
        return call().isReady();
    }

    /// @param payload empty when the bytes are in the receiver's pool already
    void block(int slot, long bytes, int crc32c, ByteString payload) {
        var block =
                KvBlock.newBuilder()
                        .setLease(lease)
                        .setWriterIncarnation(writerIncarnation)
                        .setReceiverIncarnation(receiverIncarnation)
                        .setSlot(slot)
                        .setLength((int) bytes)
                        .setCrc32C(crc32c)
                        .setPayload(payload);
        call().onNext(KvFrame.newBuilder().setBlock(block).build());
    }

    void commit(int blocks) {
        var commit = KvCommit.newBuilder().setLease(lease).setBlocks(blocks);
        call().onNext(KvFrame.newBuilder().setCommit(commit).build());
    }

    /// Says why while there is room for it; else the receiver sees the stream break, which means the same.
    void abort(String reason) {
        if (call().isReady()) {
            var abort = KvAbort.newBuilder().setLease(lease).setReason(reason);
            call().onNext(KvFrame.newBuilder().setAbort(abort).build());
            call().onCompleted();
        } else {
            call().cancel(reason, null);
        }
    }

    void finish() {
        call().onCompleted();
    }

    @Override
    public void onNext(KvReceipt receipt) {
        events.receipt(receipt);
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
