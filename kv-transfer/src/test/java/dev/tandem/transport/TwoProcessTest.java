package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvPools;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransportKind;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Scanner;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A writer in a process of its own, which writes one-sided into this process's pool and is then killed.
class TwoProcessTest {
    private static final int MILLIS = 120_000;
    private static final long SEED = 31;

    /// The writer. Arguments: folder. Each line of the input is a `KvSend` in hexadecimal; each result goes out in
    /// the same form.
    public static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws IOException {
            try (var worker = new TestWorker(1, TestWorker.BOTH, Path.of(arguments[0]))) {
                worker.fillRandom(SEED);
                worker.sender.onResult(
                        result ->
                                System.out.println(HexFormat.of().formatHex(result.toByteArray())));
                var lines = new Scanner(System.in, "US-ASCII");
                while (lines.hasNextLine()) {
                    byte[] send = HexFormat.of().parseHex(lines.nextLine());
                    if (!worker.send(KvSend.parseFrom(send))) {
                        throw new IllegalStateException("the queue is full");
                    }
                }
            }
        }
    }

    @Test
    void writesOneSidedFromAnotherProcessAndDiesWithoutATrace(@TempDir Path folder)
            throws Exception {
        Process process = start(folder);
        try (var twin = new TestWorker(1, TestWorker.GRPC, folder);
                var receiver = new TestWorker(2, TestWorker.BOTH, folder);
                var results = new Scanner(process.getInputStream(), "US-ASCII");
                var sends = process.outputWriter()) {
            twin.fillRandom(SEED); // the same bytes as the writer's, to compare with
            int[] from = IntStream.range(0, 40).toArray();
            int[] to = IntStream.range(20, 60).toArray();
            receiver.leases.grant(grant(1, twin, MILLIS, to));
            sends.write(hex(TestWorker.send(1, receiver, MILLIS, true, 0, from)));
            sends.flush();
            SendResult result = SendResult.parseFrom(HexFormat.of().parseHex(results.nextLine()));
            assertThat(result.getCommitted()).as(result.getError()).isTrue();
            assertThat(result.getTransport()).isEqualTo(TransportKind.TRANSPORT_KIND_SHARED_MEMORY);
            assertThat(receiver.update().getOutcome())
                    .isEqualTo(LeaseOutcome.LEASE_OUTCOME_COMMITTED);
            for (int i = 0; i < from.length; i++) {
                assertThat(receiver.pool.block(to[i]).mismatch(twin.pool.block(from[i])))
                        .isEqualTo(-1);
            }
            receiver.leases.grant(grant(2, twin, MILLIS, 0, 1));
            sends.write(hex(TestWorker.send(2, receiver, MILLIS, false, 0, 7)));
            sends.flush();
            TestWorker.await(() -> receiver.metrics.piecesReceived() >= 41);
            process.destroyForcibly().waitFor();
            assertThat(receiver.update().getOutcome())
                    .isEqualTo(LeaseOutcome.LEASE_OUTCOME_ABORTED);
            assertThat(pools(folder)).hasSize(2); // the killed writer's is still there
            KvPools.shared(TestWorker.SHAPE, 1, 3, folder).close();
            assertThat(pools(folder)).containsExactly(receiver.pool.path());
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(Path folder) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static String hex(KvSend send) {
        return HexFormat.of().formatHex(send.toByteArray()) + "\n";
    }

    private static List<Path> pools(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
