package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;
import static dev.tandem.transport.TestWorker.send;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvShape;
import dev.tandem.transport.TransferMetrics.SendFailure;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransportKind;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Scanner;
import java.util.stream.IntStream;

/// Transfers over UCX between workers of one process and of two, with real sockets. UCX chooses the way (`UCX_TLS`
/// in the environment restricts it); without a network card for RDMA it is TCP.
class UcxTransferTest {
    private static final int MILLIS = 120_000;
    private static final long SEED = Long.getLong("tandem.seed", 20261123L);
    private static final String REPEAT = "repeat with -Dtest=UcxTransferTest -Dtandem.seed=" + SEED;

    /// On a busy machine, a process that has just started may take seconds to connect.
    private static final SenderOptions PATIENT =
            new SenderOptions(1024, 1024, 64, MILLIS, 2, 100, 60_000, 1 << 20);

    @TempDir Path folder;

    /// 2 MiB a block: more than sockets buffer when several are under way.
    private static final KvShape LARGE = new KvShape(32, 8, 16, 64);

    private static TestWorker ucxWorker(long incarnation, Path folder) throws IOException {
        return ucxWorker(incarnation, folder, TestWorker.SHAPE);
    }

    private static TestWorker ucxWorker(long incarnation, Path folder, KvShape shape)
            throws IOException {
        int blocks = shape.equals(LARGE) ? 16 : 64;
        return new TestWorker(incarnation, TestWorker.UCX, folder, shape, blocks, PATIENT);
    }

    String ways() {
        return ""; // UCX chooses
    }

    @BeforeEach
    void needsUcx() {
        TestUcx.use(ways());
        TestUcx.assumeUsable();
    }

    @Test
    void movesBlocksToTheirSlots() throws Exception {
        try (var writer = ucxWorker(1, folder);
                var receiver = ucxWorker(2, folder)) {
            writer.fillRandom(SEED);
            receiver.leases.grant(grant(1, writer, MILLIS, 9, 4, 60));
            assertThat(writer.send(send(1, receiver, MILLIS, false, 0, 3, 5))).isTrue();
            assertThat(writer.send(send(1, receiver, MILLIS, true, 2, 63))).isTrue();
            assertCommitted(writer.result(), 1);
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            assertEqualBlocks(writer, new int[] {3, 5, 63}, receiver, new int[] {9, 4, 60});
            writer.assertNothingMore();
            receiver.assertNothingMore();
        }
    }

    @Test
    void manyLeasesOfLargeBlocksArriveWholeInAnyOrder() throws Exception {
        var shape = new KvShape(8, 4, 16, 64); // 256 KiB a block
        var random = new Random(SEED);
        try (var writer = new TestWorker(1, TestWorker.UCX, folder, shape, 128, PATIENT);
                var receiver = new TestWorker(2, TestWorker.UCX, folder, shape, 128, PATIENT)) {
            writer.fillRandom(SEED);
            int[] to = IntStream.range(0, 128).toArray();
            for (int i = to.length - 1; i > 0; i--) {
                int other = random.nextInt(i + 1);
                int swapped = to[i];
                to[i] = to[other];
                to[other] = swapped;
            }
            for (int lease = 0; lease < 32; lease++) {
                int first = 4 * lease;
                int[] targets = {to[first], to[first + 1], to[first + 2], to[first + 3]};
                // some are granted late: the writer has to try again
                if (lease % 3 != 0) {
                    receiver.leases.grant(grant(lease, writer, MILLIS, targets));
                }
                int[] blocks = IntStream.range(first, first + 4).toArray();
                assertThat(writer.send(send(lease, receiver, MILLIS, true, 0, blocks))).isTrue();
                if (lease % 3 == 0) {
                    receiver.leases.grant(grant(lease, writer, MILLIS, targets));
                }
            }
            for (int lease = 0; lease < 32; lease++) {
                SendResult result = writer.result();
                assertThat(result.getCommitted()).as(result.getError() + ", " + REPEAT).isTrue();
            }
            for (int block = 0; block < 128; block++) {
                assertThat(receiver.pool.block(to[block]).mismatch(writer.pool.block(block)))
                        .as("block %d, %s", block, REPEAT)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void anAbortEndsTheLeaseOnBothSidesAndTheLinkGoesOn() throws Exception {
        try (var writer = ucxWorker(1, folder);
                var receiver = ucxWorker(2, folder)) {
            writer.fillRandom(SEED);
            receiver.leases.grant(grant(1, writer, MILLIS, 0, 1));
            writer.send(send(1, receiver, MILLIS, false, 0, 20));
            TestWorker.await(() -> receiver.metrics.piecesReceived() >= 1);
            writer.sender.abort(LeaseAbort.newBuilder().setLease(1).build());
            SendResult result = writer.result();
            assertThat(result.getCommitted()).isFalse();
            assertThat(result.getError()).contains("given up");
            assertEnded(receiver.update(), 1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            // by the receiver's coordinator
            receiver.leases.grant(grant(2, writer, MILLIS, 0, 1));
            receiver.leases.abort(LeaseAbort.newBuilder().setLease(2).build());
            assertEnded(receiver.update(), 2, LeaseOutcome.LEASE_OUTCOME_ABORTED);
            writer.send(send(2, receiver, MILLIS, true, 0, 20, 21));
            assertThat(writer.result().getError()).contains("has ended");
            assertThat(receiver.pool.block(1).mismatch(receiver.pool.block(2)))
                    .as("nothing was written into it")
                    .isEqualTo(-1);
            receiver.leases.grant(grant(3, writer, MILLIS, 1));
            writer.send(send(3, receiver, MILLIS, true, 0, 22));
            assertCommitted(writer.result(), 3);
            assertEqualBlocks(writer, new int[] {22}, receiver, new int[] {1});
        }
    }

    @Test
    void aReceiverThatStartedAnewTakesNothingMeantForTheOneBefore() throws Exception {
        try (var writer = ucxWorker(1, folder)) {
            writer.fillRandom(SEED);
            KvSend late;
            try (var before = ucxWorker(2, folder)) {
                before.leases.grant(grant(1, writer, MILLIS, 0, 1));
                writer.send(send(1, before, MILLIS, false, 0, 20));
                TestWorker.await(() -> before.metrics.piecesReceived() >= 1);
                late = send(2, before, MILLIS, true, 0, 21);
            }
            SendResult lost = writer.result();
            assertThat(lost.getLease()).isEqualTo(1);
            assertThat(lost.getCommitted()).isFalse();
            try (var after = ucxWorker(3, folder)) {
                after.leases.grant(grant(2, writer, MILLIS, 0));
                var misled = late.toBuilder().clearEndpoints().addAllEndpoints(after.endpoints());
                writer.send(misled.build());
                assertThat(writer.result().getError()).contains("another incarnation");
                writer.send(send(3, after, MILLIS, true, 0, 21));
                after.leases.grant(grant(3, writer, MILLIS, 1));
                assertCommitted(writer.result(), 3);
                assertEqualBlocks(writer, new int[] {21}, after, new int[] {1});
            }
        }
    }

    @Test
    void anotherTransportIsTakenWhenTheReceiverOpensNoDoor() throws Exception {
        var ucxFirst = List.of(TransportKind.TRANSPORT_KIND_UCX, TransportKind.TRANSPORT_KIND_GRPC);
        try (var writer = new TestWorker(1, ucxFirst, folder);
                var receiver = new TestWorker(2, TestWorker.GRPC, folder)) {
            receiver.leases.grant(grant(1, writer, MILLIS, 5));
            var send = send(1, receiver, MILLIS, true, 0, 7).toBuilder();
            var claimed =
                    send.getEndpoints(0).toBuilder().setKind(TransportKind.TRANSPORT_KIND_UCX);
            writer.send(send.addEndpoints(claimed).build());
            SendResult result = writer.result();
            assertThat(result.getCommitted()).as(result.getError()).isTrue();
            assertThat(result.getTransport()).isEqualTo(TransportKind.TRANSPORT_KIND_GRPC);
            assertThat(writer.metrics.fallbacks()).isEqualTo(1);
        }
    }

    /// One end in a process of its own. Arguments: `writer`, `receiver` or `large-receiver`, folder. A writer reads `KvSend`s from its
    /// input, in hexadecimal, one a line, and writes each result in that form; a receiver grants blocks 0 to 15 as
    /// leases 1 to 16, says where it is, as a `KvSend` without blocks, and reports each update.
    public static final class Peer {
        private Peer() {}

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[1]);
            PrintStream out = System.out;
            boolean writes = arguments[0].equals("writer");
            KvShape shape = arguments[0].startsWith("large") ? LARGE : TestWorker.SHAPE;
            try (var worker = ucxWorker(writes ? 1 : 2, folder, shape);
                    var lines = new Scanner(System.in, "US-ASCII")) {
                worker.fillRandom(SEED);
                worker.sender.onResult(result -> out.println(hex(result.toByteArray())));
                if (!writes) {
                    try (var twin = new TestWorker(1, TestWorker.GRPC, folder)) {
                        for (int block = 0; block < 16; block++) {
                            worker.leases.grant(grant(block + 1, twin, MILLIS, block));
                        }
                    }
                    out.println(hex(TestWorker.send(0, worker, MILLIS, false, 0).toByteArray()));
                }
                while (lines.hasNextLine()) {
                    worker.send(KvSend.parseFrom(HexFormat.of().parseHex(lines.nextLine())));
                }
            }
        }

        private static String hex(byte[] bytes) {
            return HexFormat.of().formatHex(bytes);
        }
    }

    @Test
    void aWriterKilledInTheMiddleAgainAndAgainHarmsNobodyElse() throws Exception {
        try (var other = ucxWorker(7, folder);
                var receiver = ucxWorker(2, folder)) {
            other.fillRandom(SEED);
            for (int round = 0; round < 4; round++) {
                Process process = start("writer");
                try (var sends = process.outputWriter();
                        var twin = new TestWorker(1, TestWorker.GRPC, folder)) {
                    long lease = 10 + round;
                    receiver.leases.grant(
                            grant(lease, twin, MILLIS, IntStream.range(0, 60).toArray()));
                    long before = receiver.metrics.piecesReceived();
                    KvSend open =
                            send(
                                    lease,
                                    receiver,
                                    MILLIS,
                                    false,
                                    0,
                                    IntStream.range(0, 50).toArray());
                    sends.write(HexFormat.of().formatHex(open.toByteArray()) + "\n");
                    sends.flush();
                    TestWorker.await(() -> receiver.metrics.piecesReceived() > before);
                    process.destroyForcibly().waitFor();
                    assertEnded(receiver.update(), lease, LeaseOutcome.LEASE_OUTCOME_ABORTED);
                } finally {
                    process.destroyForcibly();
                }
                receiver.leases.grant(grant(100 + round, other, MILLIS, 61));
                other.send(send(100 + round, receiver, MILLIS, true, 0, round));
                assertCommitted(other.result(), 100 + round);
                assertEnded(receiver.update(), 100 + round, LeaseOutcome.LEASE_OUTCOME_COMMITTED);
                assertEqualBlocks(other, new int[] {round}, receiver, new int[] {61});
            }
        }
    }

    @Test
    void aReceiverKilledInTheMiddleFailsTheLeaseAndNothingElse() throws Exception {
        Process process = start("receiver");
        try (var writer = ucxWorker(1, folder);
                var other = ucxWorker(3, folder);
                var lines = new Scanner(process.getInputStream(), "US-ASCII")) {
            KvSend to = KvSend.parseFrom(HexFormat.of().parseHex(lines.nextLine()));
            KvSend.Builder one = to.toBuilder().addBlocks(1).addSlots(0);
            writer.send(one.setLease(1).setLast(true).build());
            assertCommitted(writer.result(), 1);
            writer.send(one.setLease(2).setLast(false).build()); // stays open
            TestWorker.await(() -> writer.metrics.piecesSent() >= 2);
            process.destroyForcibly().waitFor();
            SendResult failed = writer.result();
            assertThat(failed.getLease()).isEqualTo(2);
            assertThat(failed.getCommitted()).isFalse();
            assertThat(writer.metrics.sendFailures(SendFailure.CONNECTION_LOST)).isPositive();
            other.leases.grant(grant(3, writer, MILLIS, 4));
            writer.send(send(3, other, MILLIS, true, 0, 5));
            assertCommitted(writer.result(), 3);
        } finally {
            process.destroyForcibly();
        }
    }

    /// The case in which UCX 1.13 ends the receiver's process when blocks are put one-sided.
    @Test
    void aReceiverThatStoodStillUntilItsWriterGaveUpGoesOn() throws Exception {
        Process process = start("large-receiver");
        try (var writer = ucxWorker(1, folder, LARGE);
                var lines = new Scanner(process.getInputStream(), "US-ASCII")) {
            writer.fillRandom(SEED);
            KvSend to = KvSend.parseFrom(HexFormat.of().parseHex(lines.nextLine()));
            KvSend.Builder one = to.toBuilder().addBlocks(1).addSlots(0).setLast(true);
            writer.send(one.setLease(1).build());
            assertCommitted(writer.result(), 1);
            signal(process, "STOP");
            for (int lease = 2; lease <= 15; lease++) {
                writer.send(one.setLease(lease).setDeadlineMillis(1500).build());
            }
            for (int lease = 2; lease <= 15; lease++) {
                assertThat(writer.result().getCommitted()).isFalse();
            }
            signal(process, "CONT");
            writer.send(one.setLease(16).setDeadlineMillis(MILLIS).build());
            assertCommitted(writer.result(), 16);
            assertThat(process.isAlive()).isTrue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static void signal(Process process, String signal) throws Exception {
        var kill = new ProcessBuilder("kill", "-" + signal, "" + process.pid()).inheritIO();
        assertThat(kill.start().waitFor()).isZero();
    }

    private Process start(String role) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                        "-Dtandem.seed=" + SEED,
                        "-D" + TestUcx.WAYS_PROPERTY + "=" + ways(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Peer.class.getName(),
                        role,
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void assertCommitted(SendResult result, long lease) {
        assertThat(result.getCommitted()).as(result.getError()).isTrue();
        assertThat(result.getLease()).isEqualTo(lease);
        assertThat(result.getTransport()).isEqualTo(TransportKind.TRANSPORT_KIND_UCX);
    }

    private static void assertEnded(LeaseUpdate update, long lease, LeaseOutcome outcome) {
        assertThat(update.getLease()).isEqualTo(lease);
        assertThat(update.getOutcome()).isEqualTo(outcome);
    }

    private static void assertEqualBlocks(
            TestWorker writer, int[] from, TestWorker receiver, int[] to) {
        for (int i = 0; i < from.length; i++) {
            assertThat(receiver.pool.block(to[i]).mismatch(writer.pool.block(from[i])))
                    .as("slot %d, %s", i, REPEAT)
                    .isEqualTo(-1);
        }
    }
}
