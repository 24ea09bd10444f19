package dev.tandem.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvPools;
import dev.tandem.kv.SharedKvPool;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// A writer in a process of its own that stops in the middle of a one-sided copy for longer than its lease lives.
@Timeout(120)
class QuarantineTest {
    private static final long WRITER = 77;
    private static final long RECEIVER = 5;
    private static final long LEASE = 9;
    private static final int BLOCK = 3;
    private static final int MILLIS = 1000;

    @TempDir Path folder;

    private final AtomicLong clock = new AtomicLong();
    private final TransferMetrics metrics = new TransferMetrics();
    private final BlockingQueue<LeaseUpdate> updates = new LinkedBlockingQueue<>();
    private SharedKvPool pool;
    private Leases leases;

    @BeforeEach
    void open() throws IOException {
        pool = KvPools.shared(TestWorker.SHAPE, 8, RECEIVER, folder);
        leases = new Leases(pool, RECEIVER, Leases.guards(pool), metrics, clock::get);
        leases.onUpdate(updates::add);
    }

    @AfterEach
    void close() {
        leases.close();
        pool.close();
    }

    /// The writer. Arguments: pool. Claims the block, says so, and finishes the copy when it reads a line.
    public static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws IOException {
            try (SharedKvPool pool =
                    KvPools.attach(Path.of(arguments[0]), TestWorker.SHAPE, RECEIVER)) {
                pool.enter(WRITER);
                if (!pool.ledger().claim(BLOCK, LEASE, WRITER, 0)) {
                    throw new IllegalStateException("the block is not open");
                }
                System.out.println("claimed");
                if (System.in.read() < 0) {
                    return;
                }
                pool.block(BLOCK).fill((byte) 'w');
                pool.ledger().release(BLOCK);
                System.out.println("released");
                System.out.println(pool.ledger().claim(BLOCK, LEASE, WRITER, 0));
            }
        }
    }

    @Test
    void blocksStayHeldUntilTheWriterHasFinishedItsCopy() throws Exception {
        leases.grant(grant(LEASE, MILLIS));
        Process writer = start(pool.path());
        try (BufferedReader says = writer.inputReader();
                var tell = writer.outputWriter()) {
            assertThat(says.readLine()).isEqualTo("claimed");
            assertHeldAfterTheDeadline();
            tell.write("go\n");
            tell.flush();
            assertThat(says.readLine()).isEqualTo("released");
            assertEnded(update(), LEASE, LeaseOutcome.LEASE_OUTCOME_EXPIRED);
            assertThat(says.readLine()).as("a late claim").isEqualTo("false");
            assertThat(leases.quarantined()).isZero();
            assertThat(pool.block(BLOCK).get(ValueLayout.JAVA_BYTE, 0))
                    .as("written before the end was told")
                    .isEqualTo((byte) 'w');
            leases.grant(grant(LEASE + 2, MILLIS));
            assertThat(updates).isEmpty(); // the block can be leased again
            assertThat(metrics.leasesGranted()).isEqualTo(2);
        } finally {
            writer.destroyForcibly().waitFor();
        }
    }

    @Test
    void aKilledWriterIsSilent() throws Exception {
        leases.grant(grant(LEASE, MILLIS));
        Process writer = start(pool.path());
        try (BufferedReader says = writer.inputReader()) {
            assertThat(says.readLine()).isEqualTo("claimed");
            assertHeldAfterTheDeadline();
        } finally {
            writer.destroyForcibly().waitFor();
        }
        assertEnded(update(), LEASE, LeaseOutcome.LEASE_OUTCOME_EXPIRED);
        assertThat(leases.quarantined()).isZero();
    }

    @Test
    void anAbortWaitsToo() throws Exception {
        leases.grant(grant(LEASE, MILLIS));
        Process writer = start(pool.path());
        try (BufferedReader says = writer.inputReader()) {
            assertThat(says.readLine()).isEqualTo("claimed");
            leases.abort(LeaseAbort.newBuilder().setLease(LEASE).build());
            assertThat(leases.quarantined()).isEqualTo(1);
            assertThat(updates).isEmpty();
        } finally {
            writer.destroyForcibly().waitFor();
        }
        assertEnded(update(), LEASE, LeaseOutcome.LEASE_OUTCOME_ABORTED);
    }

    private void assertHeldAfterTheDeadline() throws Exception {
        clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(MILLIS));
        leases.expireDue();
        assertThat(metrics.leasesQuarantined()).isEqualTo(1);
        assertThat(updates).isEmpty();
        leases.grant(grant(LEASE + 1, MILLIS));
        assertEnded(update(), LEASE + 1, LeaseOutcome.LEASE_OUTCOME_ABORTED);
        assertThat(leases.quarantined()).isEqualTo(1);
    }

    private LeaseUpdate update() throws InterruptedException {
        return TestWorker.notHanging(updates.poll(60, TimeUnit.SECONDS), "lease update");
    }

    private static LeaseGrant grant(long lease, int millis) {
        return LeaseGrant.newBuilder()
                .setLease(lease)
                .addBlocks(BLOCK)
                .setWriterIncarnation(WRITER)
                .setDeadlineMillis(millis)
                .build();
    }

    private static void assertEnded(LeaseUpdate update, long lease, LeaseOutcome outcome) {
        assertThat(update.getLease()).isEqualTo(lease);
        assertThat(update.getOutcome()).isEqualTo(outcome);
    }

    private static Process start(Path pool) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        pool.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
