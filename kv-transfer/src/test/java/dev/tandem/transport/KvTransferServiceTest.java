package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;

import dev.tandem.kv.Crc32c;
import dev.tandem.wire.KvAbort;
import dev.tandem.wire.KvCommit;
import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvPiece;
import dev.tandem.wire.KvPlaced;
import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvStatus;
import dev.tandem.wire.KvTransferGrpc;
import dev.tandem.wire.LeaseOutcome;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A raw client that breaks the rules, against the real server.
class KvTransferServiceTest {
    private static final int MILLIS = 60_000;
    private static final KvReceipt END = KvReceipt.getDefaultInstance();

    @TempDir Path folder;
    private TestWorker writer;
    private TestWorker receiver;
    private ManagedChannel channel;

    private static final class RawStream implements StreamObserver<KvReceipt> {
        final BlockingQueue<KvReceipt> receipts = new LinkedBlockingQueue<>();
        final CompletableFuture<Status> status = new CompletableFuture<>();
        StreamObserver<KvFrame> frames;

        RawStream(ManagedChannel channel) {
            frames = KvTransferGrpc.newStub(channel).push(this);
        }

        @Override
        public void onNext(KvReceipt receipt) {
            receipts.add(receipt);
        }

        @Override
        public void onError(Throwable cause) {
            status.complete(Status.fromThrowable(cause));
            receipts.add(END);
        }

        @Override
        public void onCompleted() {
            status.complete(Status.OK);
            receipts.add(END);
        }

        KvReceipt receipt() throws InterruptedException {
            return TestWorker.notHanging(receipts.poll(30, TimeUnit.SECONDS), "receipt");
        }

        RawStream block(KvPiece block) {
            frames.onNext(KvFrame.newBuilder().setPiece(block).build());
            return this;
        }

        RawStream commit(long lease, int blocks) {
            var commit = KvCommit.newBuilder().setLease(lease).setPieces(blocks);
            frames.onNext(KvFrame.newBuilder().setCommit(commit).build());
            return this;
        }

        RawStream abort(long lease) {
            var abort = KvAbort.newBuilder().setLease(lease).setReason("test");
            frames.onNext(KvFrame.newBuilder().setAbort(abort).build());
            return this;
        }
    }

    @BeforeEach
    void open() throws Exception {
        writer = new TestWorker(1, TestWorker.GRPC, folder);
        receiver = new TestWorker(2, TestWorker.BOTH, folder);
        writer.fillRandom(21);
        channel =
                NettyChannelBuilder.forAddress(new InetSocketAddress("127.0.0.1", receiver.port))
                        .usePlaintext()
                        .build();
    }

    @AfterEach
    void close() {
        channel.shutdownNow();
        receiver.close();
        writer.close();
    }

    @Test
    void corruptBytesAreRefusedAndTheLeaseIsOver() throws Exception {
        receiver.leases.grant(grant(1, writer, MILLIS, 9, 10));
        byte[] bytes = block(1, 0).getPayload().toByteArray();
        bytes[4321] ^= 4;
        KvPiece corrupt = block(1, 0).toBuilder().setPayload(ByteString.copyFrom(bytes)).build();
        var stream = new RawStream(channel).block(corrupt);
        assertReceipt(stream, 1, KvStatus.KV_STATUS_CORRUPTED, "CRC32C");
        assertEnded(1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        stream.block(block(1, 1)).commit(1, 2);
        assertReceipt(stream, 1, KvStatus.KV_STATUS_REFUSED, "has ended");
        assertReceipt(stream, 1, KvStatus.KV_STATUS_REFUSED, "has ended");
        receiver.assertNothingMore();
    }

    /// As over shared memory: says that the bytes are there, but they are not.
    @Test
    void aPlacedPieceWithTheWrongBytesInThePoolIsRefused() throws Exception {
        receiver.leases.grant(grant(1, writer, MILLIS, 9));
        KvPiece piece = block(1, 0);
        var placed =
                KvPlaced.newBuilder()
                        .setLease(1)
                        .setWriterIncarnation(piece.getWriterIncarnation())
                        .setReceiverIncarnation(piece.getReceiverIncarnation())
                        .addSlots(0)
                        .addOffsets(0)
                        .addLengths(piece.getLength())
                        .addCrc32C(piece.getCrc32C());
        var stream = new RawStream(channel);
        stream.frames.onNext(KvFrame.newBuilder().setPlaced(placed).build());
        assertReceipt(stream, 1, KvStatus.KV_STATUS_CORRUPTED, "CRC32C");
        assertEnded(1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
    }

    @Test
    void aForeignIncarnationIsRefusedAndTheLeaseLives() throws Exception {
        receiver.leases.grant(grant(1, writer, MILLIS, 9));
        var foreign = new RawStream(channel);
        foreign.block(block(1, 0).toBuilder().setWriterIncarnation(77).build());
        assertReceipt(foreign, 1, KvStatus.KV_STATUS_REFUSED, "another writer");
        foreign.block(block(1, 0).toBuilder().setReceiverIncarnation(77).build());
        assertReceipt(foreign, 1, KvStatus.KV_STATUS_REFUSED, "another incarnation");
        var right = new RawStream(channel).block(block(1, 0)).commit(1, 1);
        assertReceipt(right, 1, KvStatus.KV_STATUS_COMMITTED, "");
        assertEnded(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
        assertThat(receiver.pool.block(9).mismatch(writer.pool.block(0))).isEqualTo(-1);
    }

    @Test
    void aSlotTwiceIsRefused() throws Exception {
        receiver.leases.grant(grant(1, writer, MILLIS, 9, 10));
        var stream = new RawStream(channel).block(block(1, 0)).block(block(1, 0));
        assertReceipt(stream, 1, KvStatus.KV_STATUS_REFUSED, "received already");
        assertEnded(1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
    }

    @Test
    void theRestOfAnUnknownAttemptIsDroppedEvenIfTheGrantComesMeanwhile() throws Exception {
        var early = new RawStream(channel).block(block(1, 0));
        assertReceipt(early, 1, KvStatus.KV_STATUS_UNKNOWN_LEASE, "not known");
        receiver.leases.grant(grant(1, writer, MILLIS, 9, 10));
        early.block(block(1, 1)).commit(1, 2);
        early.frames.onCompleted();
        assertThat(early.receipt()).isSameAs(END);
        assertThat(receiver.updates).isEmpty();
        var again = new RawStream(channel).block(block(1, 0)).block(block(1, 1)).commit(1, 2);
        assertReceipt(again, 1, KvStatus.KV_STATUS_COMMITTED, "");
        assertEnded(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
    }

    @Test
    void oneStreamMayCarryManyLeasesAndAbortsAreAnswered() throws Exception {
        receiver.leases.grant(grant(1, writer, MILLIS, 9));
        receiver.leases.grant(grant(2, writer, MILLIS, 10));
        receiver.leases.grant(grant(3, writer, MILLIS, 11));
        var stream = new RawStream(channel).block(block(1, 0)).block(block(2, 0));
        stream.block(block(3, 0)).commit(1, 1).abort(2);
        assertReceipt(stream, 1, KvStatus.KV_STATUS_COMMITTED, "");
        assertReceipt(stream, 2, KvStatus.KV_STATUS_ABORTED, "");
        assertEnded(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
        assertEnded(2, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        stream.frames.onError(new IllegalStateException("the writer dies"));
        assertEnded(3, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        receiver.assertNothingMore();
    }

    @Test
    void tooLargeAndEmptyFramesBreakOnlyTheirOwnStream() throws Exception {
        var large = new RawStream(channel);
        ByteString payload = ByteString.copyFrom(new byte[64 << 10]);
        large.block(block(1, 0).toBuilder().setPayload(payload).build());
        assertThat(large.receipt()).isSameAs(END);
        assertThat(large.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        var empty = new RawStream(channel);
        empty.frames.onNext(KvFrame.getDefaultInstance());
        assertThat(empty.receipt()).isSameAs(END);
        assertThat(empty.status.get().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        receiver.leases.grant(grant(1, writer, MILLIS, 9));
        var good = new RawStream(channel).block(block(1, 0)).commit(1, 1);
        assertReceipt(good, 1, KvStatus.KV_STATUS_COMMITTED, "");
    }

    @Test
    void aStreamWithTooManyLeasesIsClosed() throws Exception {
        var stream = new RawStream(channel);
        for (int lease = 0; lease <= KvTransferService.STREAM_LEASES_MAX; lease++) {
            stream.commit(lease, 0);
        }
        KvReceipt receipt = stream.receipt();
        while (receipt != END) {
            assertThat(receipt.getStatus()).isEqualTo(KvStatus.KV_STATUS_UNKNOWN_LEASE);
            receipt = stream.receipt();
        }
        assertThat(stream.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }

    /// The writer's block number `slot`, as the given slot.
    private KvPiece block(long lease, int slot) {
        var bytes = writer.pool.block(slot).asByteBuffer();
        return KvPiece.newBuilder()
                .setLease(lease)
                .setWriterIncarnation(writer.incarnation)
                .setReceiverIncarnation(receiver.incarnation)
                .setSlot(slot)
                .setLength(bytes.remaining())
                .setCrc32C(Crc32c.of(writer.pool.block(slot)))
                .setPayload(ByteString.copyFrom(bytes))
                .build();
    }

    private static void assertReceipt(RawStream stream, long lease, KvStatus status, String reason)
            throws Exception {
        KvReceipt receipt = stream.receipt();
        assertThat(receipt.getLease()).isEqualTo(lease);
        assertThat(receipt.getStatus()).as(receipt.getReason()).isEqualTo(status);
        assertThat(receipt.getReason()).contains(reason);
    }

    private void assertEnded(long lease, LeaseOutcome outcome) throws Exception {
        var update = receiver.update();
        assertThat(update.getLease()).isEqualTo(lease);
        assertThat(update.getOutcome()).isEqualTo(outcome);
    }
}
