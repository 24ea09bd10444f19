package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;
import static dev.tandem.transport.TestWorker.send;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvShape;
import dev.tandem.transport.TransferMetrics.SendFailure;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransportKind;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// Whole transfers between two workers in one process: real pools, files and sockets.
class TransferTest {
    private static final int MILLIS = 120_000;

    enum Way {
        SHARED_MEMORY(TestWorker.BOTH, TransportKind.TRANSPORT_KIND_SHARED_MEMORY),
        GRPC(TestWorker.GRPC, TransportKind.TRANSPORT_KIND_GRPC);

        final List<TransportKind> offered;
        final TransportKind kind;

        Way(List<TransportKind> offered, TransportKind kind) {
            this.offered = offered;
            this.kind = kind;
        }
    }

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void movesBlocksToTheirSlots(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            writer.fillRandom(11);
            int[] from = {0, 63, 5, 17, 33};
            int[] to = {40, 2, 0, 63, 11};
            receiver.leases.grant(grant(7, writer, MILLIS, to));
            assertThat(writer.send(send(7, receiver, MILLIS, true, 0, from))).isTrue();
            assertCommitted(writer.result(), 7, way.kind, 5);
            assertEnded(receiver.update(), 7, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            assertEqualBlocks(writer, from, receiver, to);
            assertThat(receiver.pool.block(41).get(java.lang.foreign.ValueLayout.JAVA_LONG, 0))
                    .isZero();
            assertThat(receiver.metrics.piecesReceived()).isEqualTo(5);
            assertThat(writer.metrics.piecesInline()).isZero();
            writer.assertNothingMore();
            receiver.assertNothingMore();
        }
    }

    @ParameterizedTest
    @EnumSource
    void chunksOfSeveralLeasesMayInterleave(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            writer.fillRandom(12);
            receiver.leases.grant(grant(1, writer, MILLIS, 0, 1, 2, 3));
            receiver.leases.grant(grant(2, writer, MILLIS, 10, 11));
            writer.send(send(1, receiver, MILLIS, false, 0, 20));
            writer.send(send(2, receiver, MILLIS, false, 0, 30));
            writer.send(send(1, receiver, MILLIS, false, 1, 21, 22));
            writer.send(send(2, receiver, MILLIS, true, 1, 31));
            assertCommitted(writer.result(), 2, way.kind, 2);
            writer.send(send(1, receiver, MILLIS, true, 3, 23));
            assertCommitted(writer.result(), 1, way.kind, 4);
            assertEqualBlocks(
                    writer,
                    new int[] {20, 21, 22, 23, 30, 31},
                    receiver,
                    new int[] {0, 1, 2, 3, 10, 11});
            assertEnded(receiver.update(), 2, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            receiver.assertNothingMore();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLeaseWithoutBlocksCommits(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            receiver.leases.grant(grant(1, writer, MILLIS));
            writer.send(send(1, receiver, MILLIS, true, 0));
            assertCommitted(writer.result(), 1, way.kind, 0);
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void blocksThatOvertakeTheirGrantAreSentAgain(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            writer.fillRandom(13);
            int[] from = IntStream.range(0, 30).toArray();
            int[] to = IntStream.range(30, 60).toArray();
            writer.send(send(1, receiver, MILLIS, false, 0, 0, 1, 2, 3, 4));
            TestWorker.await(
                    () -> writer.metrics.retries() >= 2); // the receiver has said "unknown" twice
            receiver.leases.grant(grant(1, writer, MILLIS, to));
            writer.send(send(1, receiver, MILLIS, true, 5, IntStream.range(5, 30).toArray()));
            assertCommitted(writer.result(), 1, way.kind, 30);
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            assertEqualBlocks(writer, from, receiver, to);
            assertThat(receiver.metrics.refusals(TransferMetrics.Refusal.SLOT)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLeaseThatIsNeverGrantedFailsAtItsDeadline(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            writer.send(send(1, receiver, 60, true, 0, 0, 1));
            assertFailed(writer, 1, SendFailure.DEADLINE, "deadline");
            receiver.assertNothingMore();
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAbortInTheMiddleEndsBothSidesOnce(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            writer.fillRandom(14);
            receiver.leases.grant(grant(1, writer, MILLIS, 0, 1, 2, 3));
            writer.send(send(1, receiver, MILLIS, false, 0, 20, 21));
            TestWorker.await(() -> receiver.metrics.piecesReceived() >= 2);
            receiver.leases.abort(LeaseAbort.newBuilder().setLease(1).build());
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            writer.send(send(1, receiver, MILLIS, false, 2, 22));
            assertFailed(writer, 1, SendFailure.REFUSED, "has ended");
            // chunks that come after the failure are dropped
            assertThat(writer.send(send(1, receiver, MILLIS, true, 3, 23))).isTrue();
            assertThat(receiver.pool.block(2).get(java.lang.foreign.ValueLayout.JAVA_LONG, 0))
                    .isZero();
            // the next lease uses the same link
            receiver.leases.grant(grant(2, writer, MILLIS, 2));
            writer.send(send(2, receiver, MILLIS, true, 0, 22));
            assertCommitted(writer.result(), 2, way.kind, 1);
            assertEnded(receiver.update(), 2, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            writer.assertNothingMore();
            receiver.assertNothingMore();
        }
    }

    @ParameterizedTest
    @EnumSource
    void anExpiryInTheMiddleEndsBothSidesOnce(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            receiver.leases.grant(grant(1, writer, 80, 0, 1));
            writer.send(send(1, receiver, MILLIS, false, 0, 20));
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_EXPIRED);
            writer.send(send(1, receiver, MILLIS, true, 1, 21));
            assertFailed(writer, 1, SendFailure.REFUSED, "refused");
            writer.assertNothingMore();
            receiver.assertNothingMore();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aReceiverThatGoesAwayMeansOneFailedResult(Way way) throws Exception {
        try (var writer = new TestWorker(1, way.offered, folder);
                var receiver = new TestWorker(2, way.offered, folder)) {
            receiver.leases.grant(grant(1, writer, MILLIS, 0, 1));
            writer.send(send(1, receiver, MILLIS, false, 0, 20));
            TestWorker.await(() -> receiver.metrics.piecesReceived() >= 1);
            receiver.service.close();
            assertFailed(writer, 1, SendFailure.CONNECTION_LOST, "connection lost");
            // the receiver's side has noticed as well
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            writer.send(send(1, receiver, MILLIS, true, 1, 21));
            writer.send(send(2, receiver, MILLIS, true, 0, 22));
            assertFailed(writer, 2, SendFailure.CONNECT, "no transport could be opened");
            writer.assertNothingMore();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWriterThatGoesAwayFreesTheLeaseBeforeItsDeadline(Way way) throws Exception {
        try (var receiver = new TestWorker(2, way.offered, folder)) {
            try (var writer = new TestWorker(1, way.offered, folder)) {
                receiver.leases.grant(grant(1, writer, 600_000, 0, 1));
                writer.send(send(1, receiver, MILLIS, false, 0, 20));
                TestWorker.await(() -> receiver.metrics.piecesReceived() >= 1);
                writer.sender.close();
                assertFailed(writer, 1, SendFailure.CLOSED, "closed");
                assertThat(writer.send(send(2, receiver, MILLIS, true, 0, 1))).isFalse();
                writer.assertNothingMore();
            }
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        }
    }

    @Test
    void fallsBackToGrpcWhenThePoolCannotBeMapped() throws Exception {
        try (var writer = new TestWorker(1, TestWorker.BOTH, folder);
                var receiver = new TestWorker(2, TestWorker.BOTH, folder)) {
            writer.fillRandom(15);
            Files.delete(receiver.pool.path());
            receiver.leases.grant(grant(1, writer, MILLIS, 9));
            writer.send(send(1, receiver, MILLIS, true, 0, 20));
            assertCommitted(writer.result(), 1, TransportKind.TRANSPORT_KIND_GRPC, 1);
            assertEqualBlocks(writer, new int[] {20}, receiver, new int[] {9});
            assertThat(writer.metrics.fallbacks()).isEqualTo(1);
        }
    }

    @Test
    void sharedMemoryIsNotTriedWithAnotherHost() throws Exception {
        try (var writer = new TestWorker(1, TestWorker.BOTH, folder);
                var receiver = new TestWorker(2, TestWorker.BOTH, folder)) {
            receiver.leases.grant(grant(1, writer, MILLIS, 9));
            var send = send(1, receiver, MILLIS, true, 0, 20).toBuilder();
            send.getEndpointsBuilderList().forEach(endpoint -> endpoint.setHost("elsewhere"));
            writer.send(send.build());
            assertCommitted(writer.result(), 1, TransportKind.TRANSPORT_KIND_GRPC, 1);
        }
    }

    @Test
    void aDeadReceiverDoesNotHoldUpTheOthers() throws Exception {
        var patient = new SenderOptions(8, 8, 2, MILLIS, 2, 100, 60_000, 1 << 20);
        try (var silent = new ServerSocket(0); // accepts, never speaks
                var writer =
                        new TestWorker(1, TestWorker.GRPC, folder, TestWorker.SHAPE, 64, patient);
                var receiver = new TestWorker(2, TestWorker.GRPC, folder)) {
            receiver.leases.grant(grant(2, writer, MILLIS, 9));
            var dead = send(1, receiver, MILLIS, true, 0, 20).toBuilder();
            dead.setReceiverIncarnation(3);
            dead.getEndpointsBuilder(0).setAddress("127.0.0.1:" + silent.getLocalPort());
            writer.send(dead.build());
            writer.send(send(2, receiver, MILLIS, true, 0, 20));
            assertCommitted(writer.result(), 2, TransportKind.TRANSPORT_KIND_GRPC, 1);
            writer.assertNothingMore(); // the other one still waits for its connection
            silent.close();
            assertFailed(writer, 1, SendFailure.CONNECT, "no connection");
        }
    }

    @Test
    void malformedSendsFailAndHarmNothingElse() throws Exception {
        try (var writer = new TestWorker(1, TestWorker.GRPC, folder);
                var receiver = new TestWorker(2, TestWorker.GRPC, folder)) {
            writer.send(send(1, receiver, MILLIS, true, 0, 64));
            assertFailed(writer, 1, SendFailure.INVALID, "no block 64");
            writer.send(send(2, receiver, MILLIS, true, 0, 1).toBuilder().addSlots(5).build());
            assertFailed(writer, 2, SendFailure.INVALID, "1 blocks for 2 slots");
            var nowhere = send(3, receiver, MILLIS, true, 0, 1).toBuilder();
            nowhere.setReceiverIncarnation(3).getEndpointsBuilder(0).setAddress("nonsense");
            writer.send(nowhere.build());
            assertFailed(writer, 3, SendFailure.CONNECT, "not host:port");
            writer.send(
                    send(4, receiver, MILLIS, true, 0, 1).toBuilder()
                            .setReceiverIncarnation(4)
                            .clearEndpoints()
                            .build());
            assertFailed(writer, 4, SendFailure.CONNECT, "no transport in common");
            receiver.leases.grant(grant(5, writer, MILLIS, 9));
            writer.send(send(5, receiver, MILLIS, true, 0, 20));
            assertCommitted(writer.result(), 5, TransportKind.TRANSPORT_KIND_GRPC, 1);
        }
    }

    @Test
    void aFullQueueRefusesAndReportsNothing() throws Exception {
        var tight = new SenderOptions(2, 8, 1, MILLIS, 2, 100, 60_000, 1 << 20);
        try (var silent = new ServerSocket(0);
                var receiver = new TestWorker(2, TestWorker.GRPC, folder);
                var writer =
                        new TestWorker(1, TestWorker.GRPC, folder, TestWorker.SHAPE, 64, tight)) {
            var stuck = send(1, receiver, MILLIS, true, 0, 1).toBuilder();
            stuck.getEndpointsBuilder(0).setAddress("127.0.0.1:" + silent.getLocalPort());
            assertThat(writer.send(stuck.build())).isTrue();
            TestWorker.await(
                    () ->
                            writer.sender.sendsQueued.get()
                                    <= 0); // until the lane is busy connecting
            assertThat(writer.send(send(2, receiver, MILLIS, true, 0, 1))).isTrue();
            assertThat(writer.send(send(3, receiver, MILLIS, true, 0, 1))).isTrue();
            assertThat(writer.send(send(4, receiver, MILLIS, true, 0, 1))).isFalse();
            // another receiver would be one too many
            assertThat(
                            writer.send(
                                    send(5, receiver, MILLIS, true, 0, 1).toBuilder()
                                            .setReceiverIncarnation(9)
                                            .build()))
                    .isFalse();
            Thread closer = Thread.ofPlatform().start(writer.sender::close);
            silent.close(); // lets the connection attempt end
            closer.join();
            Set<Long> failed = new HashSet<>();
            for (SendResult result; (result = writer.results.poll()) != null; ) {
                assertThat(result.getCommitted()).isFalse();
                assertThat(failed.add(result.getLease())).isTrue();
            }
            assertThat(failed).containsExactlyInAnyOrder(1L, 2L, 3L);
        }
    }

    /// Blocks of real size, many leases at once; figures only, nothing about time is asserted.
    @ParameterizedTest
    @EnumSource
    void manyLargeBlocksArriveWhole(Way way) throws Exception {
        var shape = new KvShape(16, 4, 16, 64); // 512 KiB a block
        int blocks = 256;
        SenderOptions options = SenderOptions.defaults();
        try (var writer = new TestWorker(1, way.offered, folder, shape, blocks, options);
                var receiver = new TestWorker(2, way.offered, folder, shape, blocks, options)) {
            writer.fillRandom(16);
            double best = 0;
            for (int round = 0; round < 4; round++) {
                long start = System.nanoTime();
                for (int lease = 0; lease < 16; lease++) {
                    int[] sixteen = IntStream.range(lease * 16, lease * 16 + 16).toArray();
                    long id = round * 16L + lease;
                    receiver.leases.grant(grant(id, writer, MILLIS, sixteen));
                    assertThat(writer.send(send(id, receiver, MILLIS, true, 0, sixteen))).isTrue();
                }
                for (int lease = 0; lease < 16; lease++) {
                    SendResult result = writer.result();
                    assertThat(result.getCommitted()).as(result.getError()).isTrue();
                }
                double seconds = (System.nanoTime() - start) / 1e9;
                best = Math.max(best, blocks * shape.blockBytes() / seconds / 1e9);
                assertThat(receiver.pool.memory().mismatch(writer.pool.memory())).isEqualTo(-1);
                receiver.pool.memory().fill((byte) 0);
            }
            System.out.printf("%s: %.2f GB/s, checksums included (best of 4)%n", way, best);
        }
    }

    private static void assertCommitted(
            SendResult result, long lease, TransportKind kind, int blocks) {
        assertThat(result.getCommitted()).as(result.getError()).isTrue();
        assertThat(result.getLease()).isEqualTo(lease);
        assertThat(result.getTransport()).isEqualTo(kind);
        assertThat(result.getBytes()).isEqualTo(blocks * TestWorker.SHAPE.blockBytes());
        assertThat(result.getNanos()).isPositive();
    }

    private static void assertFailed(
            TestWorker writer, long lease, SendFailure failure, String error) throws Exception {
        SendResult result = writer.result();
        assertThat(result.getCommitted()).isFalse();
        assertThat(result.getLease()).isEqualTo(lease);
        assertThat(result.getError()).contains(error);
        assertThat(writer.metrics.sendFailures(failure)).isPositive();
    }

    private static void assertEnded(LeaseUpdate update, long lease, LeaseOutcome outcome) {
        assertThat(update.getLease()).isEqualTo(lease);
        assertThat(update.getOutcome()).isEqualTo(outcome);
    }

    private static void assertEqualBlocks(
            TestWorker writer, int[] from, TestWorker receiver, int[] to) throws IOException {
        for (int i = 0; i < from.length; i++) {
            assertThat(receiver.pool.block(to[i]).mismatch(writer.pool.block(from[i])))
                    .as("slot %d", i)
                    .isEqualTo(-1);
        }
    }
}
