package dev.tandem.transport.ucx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.GrpcConnection;
import dev.tandem.transport.GrpcDialer;
import dev.tandem.transport.KvTransferService;
import dev.tandem.transport.Leases;
import dev.tandem.transport.TestUcx;
import dev.tandem.transport.TransferMetrics;
import dev.tandem.transport.TransferMetrics.Refusal;
import dev.tandem.transport.TransferSecurity;
import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvStatus;
import dev.tandem.wire.KvUcxAttach;
import dev.tandem.wire.KvUcxGrpc;
import dev.tandem.wire.KvUcxNotice;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import io.grpc.Context;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openucx.jucx.UcxCallback;
import org.openucx.jucx.ucp.UcpConstants;
import org.openucx.jucx.ucp.UcpEndpoint;
import org.openucx.jucx.ucp.UcpEndpointParams;
import org.openucx.jucx.ucp.UcpRequest;
import org.openucx.jucx.ucp.UcpRequestParams;
import org.openucx.jucx.ucp.UcpWorker;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// What a door makes of a writer that does not keep to the rules: its messages are made by hand.
class UcxDoorTest {
    private static final KvShape SHAPE = new KvShape(2, 2, 16, 16);
    private static final int BLOCK = (int) SHAPE.blockBytes();
    private static final long SEED = Long.getLong("tandem.seed", 20261123L);
    private static final long WRITER = 5;
    private static final long RECEIVER = 6;
    private static final int MILLIS = 120_000;

    /// The door may be shut while a message is on its way.
    private static final UcxCallback QUIET =
            new UcxCallback() {
                @Override
                public void onError(int status, String message) {}
            };

    private final BlockingQueue<LeaseUpdate> updates = new LinkedBlockingQueue<>();
    private final TransferMetrics metrics = new TransferMetrics();
    private KvPool pool;
    private Leases leases;
    private UcxReceiver receiver;
    private KvTransferService service;
    private int port;

    @BeforeEach
    void open() throws IOException {
        TestUcx.use("");
        TestUcx.assumeUsable();
        pool = KvPools.privateMemory(SHAPE, 8);
        leases = new Leases(pool, RECEIVER, metrics);
        leases.onUpdate(updates::add);
        receiver = new UcxReceiver(TestUcx.runtime(), leases, RECEIVER);
        service = new KvTransferService(leases, pool, TransferSecurity.PLAINTEXT);
        port = service.start("127.0.0.1", 0, receiver);
    }

    @AfterEach
    void close() {
        if (service != null) {
            receiver.close();
            service.close();
            leases.close();
            pool.close();
        }
    }

    /// A writer that sends what it is told to.
    private final class RawWriter implements AutoCloseable {
        final MemorySegment data = Arena.ofAuto().allocate(BLOCK, 64);
        final MemorySegment header = Arena.ofAuto().allocate(64, 8);
        private final GrpcConnection connection;
        private final Context.CancellableContext call = Context.current().withCancellation();
        private final Iterator<KvUcxNotice> notices;
        private final UcpWorker worker;
        private final UcpEndpoint endpoint;

        RawWriter() throws Exception {
            var random = new Random(SEED);
            for (long at = 0; at < BLOCK; at += Long.BYTES) {
                data.set(ValueLayout.JAVA_LONG, at, random.nextLong());
            }
            connection = GrpcDialer.plaintext().open("127.0.0.1:" + port, RECEIVER, MILLIS);
            var attach =
                    KvUcxAttach.newBuilder()
                            .setWriterIncarnation(WRITER)
                            .setReceiverIncarnation(RECEIVER)
                            .build();
            notices =
                    call.call(() -> KvUcxGrpc.newBlockingStub(connection.channel()).attach(attach));
            ByteString address = notices.next().getWorkerAddress();
            var remote = ByteBuffer.allocateDirect(address.size());
            address.copyTo(remote);
            worker = TestUcx.runtime().newWorker();
            endpoint =
                    worker.newEndpoint(
                            new UcpEndpointParams()
                                    .setUcpAddress(remote.flip())
                                    .setPeerErrorHandlingMode()
                                    .setErrorHandler((of, status, message) -> {}));
        }

        void send(long headerBytes, long dataBytes) throws Exception {
            UcpRequest request =
                    endpoint.sendAmNonBlocking(
                            UcxMessage.AM_ID,
                            header.address(),
                            headerBytes,
                            data.address(),
                            dataBytes,
                            UcpConstants.UCP_AM_SEND_FLAG_EAGER,
                            QUIET,
                            new UcpRequestParams().setMemoryType(0));
            while (!request.isCompleted()) {
                worker.progress();
            }
            UcpRequest flushed = endpoint.flushNonBlocking(QUIET);
            while (!flushed.isCompleted()) {
                worker.progress();
            }
        }

        void piece(long attempt, long lease, long writer, long to, int slot, int crc)
                throws Exception {
            UcxMessage.write(header, UcxMessage.PIECE, slot, attempt, lease, writer, to);
            UcxMessage.writePlace(header, 0, crc);
            send(UcxMessage.HEADER_BYTES, BLOCK);
        }

        void commit(long attempt, long lease, int pieces) throws Exception {
            UcxMessage.write(header, UcxMessage.COMMIT, pieces, attempt, lease, WRITER, RECEIVER);
            send(UcxMessage.HEADER_BYTES, 0);
        }

        int crc() {
            return Crc32c.of(data, 0, BLOCK);
        }

        KvReceipt receipt(long attempt) {
            var receipt = notices.next().getReceipt();
            assertThat(receipt.getAttempt()).isEqualTo(attempt);
            return receipt.getReceipt();
        }

        @Override
        public void close() throws Exception {
            UcpRequest closing = endpoint.closeNonBlockingForce();
            while (!closing.isCompleted()) {
                worker.progress();
            }
            worker.close();
            call.cancel(null);
            connection.close();
        }
    }

    private void grant(long lease, Integer... blocks) {
        leases.grant(
                LeaseGrant.newBuilder()
                        .setLease(lease)
                        .addAllBlocks(List.of(blocks))
                        .setWriterIncarnation(WRITER)
                        .setDeadlineMillis(MILLIS)
                        .build());
    }

    private void assertEnds(long lease, LeaseOutcome outcome) throws Exception {
        LeaseUpdate update = updates.poll(MILLIS, TimeUnit.MILLISECONDS);
        assertThat(update).isNotNull();
        assertThat(update.getLease()).isEqualTo(lease);
        assertThat(update.getOutcome()).isEqualTo(outcome);
    }

    @Test
    void aCommitThatOvertakesItsPiecesWaitsForThem() throws Exception {
        try (var writer = new RawWriter()) {
            grant(1, 3, 4);
            writer.commit(1, 1, 2);
            writer.piece(1, 1, WRITER, RECEIVER, 0, writer.crc());
            assertThat(updates).isEmpty();
            writer.piece(1, 1, WRITER, RECEIVER, 1, writer.crc());
            assertThat(writer.receipt(1).getStatus()).isEqualTo(KvStatus.KV_STATUS_COMMITTED);
            assertEnds(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            assertThat(pool.block(4).mismatch(writer.data)).isEqualTo(-1);
        }
    }

    @Test
    void wrongBytesAreFoundAndEndTheLease() throws Exception {
        try (var writer = new RawWriter()) {
            var random = new Random(SEED);
            for (int lease = 1; lease <= 50; lease++) {
                grant(lease, 3);
                int crc = writer.crc();
                long bit = random.nextInt(8 * BLOCK);
                byte was = writer.data.get(ValueLayout.JAVA_BYTE, bit / 8);
                writer.data.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (was ^ 1 << bit % 8));
                writer.piece(lease, lease, WRITER, RECEIVER, 0, crc);
                assertThat(writer.receipt(lease).getStatus())
                        .as("bit %d, repeat with -Dtandem.seed=%d", bit, SEED)
                        .isEqualTo(KvStatus.KV_STATUS_CORRUPTED);
                assertEnds(lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
                writer.data.set(ValueLayout.JAVA_BYTE, bit / 8, was);
            }
            assertThat(metrics.refusals(Refusal.CHECKSUM)).isEqualTo(50);
        }
    }

    @Test
    void foreignersAndLateOnesAreRefusedAndHarmNobody() throws Exception {
        try (var writer = new RawWriter()) {
            grant(1, 3);
            writer.piece(1, 1, WRITER + 1, RECEIVER, 0, writer.crc());
            assertThat(writer.receipt(1).getReason()).contains("another writer");
            writer.piece(2, 1, WRITER, RECEIVER + 1, 0, writer.crc());
            assertThat(writer.receipt(2).getReason()).contains("another incarnation");
            writer.piece(3, 9, WRITER, RECEIVER, 0, writer.crc());
            assertThat(writer.receipt(3).getStatus()).isEqualTo(KvStatus.KV_STATUS_UNKNOWN_LEASE);
            assertThat(updates).isEmpty();
            writer.piece(4, 1, WRITER, RECEIVER, 0, writer.crc());
            writer.commit(4, 1, 1);
            assertThat(writer.receipt(4).getStatus()).isEqualTo(KvStatus.KV_STATUS_COMMITTED);
            assertEnds(1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            pool.block(3).fill((byte) 1);
            writer.piece(5, 1, WRITER, RECEIVER, 0, writer.crc());
            assertThat(writer.receipt(5).getReason()).contains("ended");
            assertThat(pool.block(3).get(ValueLayout.JAVA_BYTE, 77)).isEqualTo((byte) 1);
        }
    }

    @Test
    void aRepeatedPieceAndAWrongLengthEndTheLease() throws Exception {
        try (var writer = new RawWriter()) {
            grant(1, 3, 4);
            writer.piece(1, 1, WRITER, RECEIVER, 0, writer.crc());
            writer.piece(1, 1, WRITER, RECEIVER, 0, writer.crc());
            assertThat(writer.receipt(1).getReason()).contains("received already");
            assertEnds(1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            grant(2, 3);
            UcxMessage.write(writer.header, UcxMessage.PIECE, 0, 2, 2, WRITER, RECEIVER);
            UcxMessage.writePlace(writer.header, 0, Crc32c.of(writer.data, 0, 100));
            writer.send(UcxMessage.HEADER_BYTES, 100);
            assertThat(writer.receipt(2).getReason()).contains("whole layers");
            assertEnds(2, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
    }

    @Test
    void aMessageOfNoKnownFormShutsTheDoorAndAbortsTheWritersLeases() throws Exception {
        try (var writer = new RawWriter()) {
            grant(1, 3, 4);
            writer.piece(1, 1, WRITER, RECEIVER, 0, writer.crc());
            writer.send(UcxMessage.HEADER_BYTES - 8, 0);
            assertThatThrownBy(writer.notices::next).hasMessageContaining("unknown form");
            assertEnds(1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            assertThat(receiver.doors()).isZero();
        }
    }

    @Test
    void aWriterThatAttachesAnewReplacesItself() throws Exception {
        try (var first = new RawWriter()) {
            grant(1, 3, 4);
            first.piece(1, 1, WRITER, RECEIVER, 0, first.crc());
            try (var second = new RawWriter()) {
                assertThatThrownBy(first.notices::next).hasMessageContaining("shut");
                assertEnds(1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
                grant(2, 3);
                second.piece(1, 2, WRITER, RECEIVER, 0, second.crc());
                second.commit(1, 2, 1);
                assertThat(second.receipt(1).getStatus()).isEqualTo(KvStatus.KV_STATUS_COMMITTED);
            }
        }
    }

    @Test
    void aPairThatUcxCannotJoinIsToldSoAtOpening() throws Exception {
        try (UcxRuntime other = UcxRuntime.open(Map.of("TLS", "self"))) {
            var endpoint =
                    TransferEndpoint.newBuilder()
                            .setKind(TransportKind.TRANSPORT_KIND_UCX)
                            .setAddress("127.0.0.1:" + port)
                            .build();
            var transport = new UcxTransport(other, GrpcDialer.plaintext(), WRITER);
            assertThatThrownBy(() -> transport.open(endpoint, RECEIVER, MILLIS))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("unreachable");
            assertThatThrownBy(() -> transport.open(endpoint, RECEIVER + 1, MILLIS))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another incarnation");
        }
    }

    @Test
    void isSaidPlainlyWhenUcxFindsNoTransport() {
        assertThatThrownBy(() -> UcxRuntime.open(Map.of("TLS", "none-such")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("UCX can't be used");
    }
}
