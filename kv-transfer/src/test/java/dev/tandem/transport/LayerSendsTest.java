package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;
import static dev.tandem.transport.TestWorker.send;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.SendResult;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// Layers go out while later ones are computed, over real transports. The "computation" is this test's own thread.
class LayerSendsTest {
    private static final int MILLIS = 120_000;
    private static final KvShape SHAPE = new KvShape(6, 2, 16, 16); // 4 KiB a layer
    private static final int GROUP = 2;
    private static final int[] TO = {7, 3, 5};

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void aGroupArrivesBeforeTheNextIsComputed(TransferTest.Way way) throws Exception {
        try (var writer = worker(1, way);
                var receiver = worker(2, way)) {
            receiver.leases.grant(grant(1, writer, MILLIS, TO));
            var progress = new LayerProgress(SHAPE.layers(), GROUP);
            writer.sender.send(send(1, receiver, MILLIS, true, 0, 0, 1, 2), progress);
            for (int layer = 0; layer < SHAPE.layers(); layer++) {
                compute(writer.pool, layer);
                progress.layersDone(layer + 1);
                int ready = (layer + 1) / GROUP * GROUP;
                TestWorker.await(
                        () ->
                                receiver.metrics.piecesReceived()
                                        >= (long) TO.length * ready / GROUP);
                assertArrived(writer, receiver, ready);
            }
            SendResult result = writer.result(); // although the pass is not over
            assertThat(result.getCommitted()).as(result.getError()).isTrue();
            assertThat(result.getPieces()).isEqualTo(TO.length * SHAPE.layers() / GROUP);
            assertThat(result.getExposedNanos()).as("hidden behind the pass").isZero();
            assertThat(receiver.update().getOutcome())
                    .isEqualTo(LeaseOutcome.LEASE_OUTCOME_COMMITTED);
        }
    }

    @Test
    void whatOutlastsThePassIsToldAsExposed() throws Exception {
        try (var writer = worker(1, TransferTest.Way.GRPC);
                var receiver = worker(2, TransferTest.Way.GRPC)) {
            var progress = new LayerProgress(SHAPE.layers(), GROUP);
            writer.sender.send(send(1, receiver, MILLIS, true, 0, 0, 1, 2), progress);
            progress.complete();
            TestWorker.await(() -> writer.metrics.retries() > 0); // it is not granted yet
            long before = System.nanoTime();
            TestWorker.await(() -> System.nanoTime() - before > 1_000_000);
            receiver.leases.grant(grant(1, writer, MILLIS, TO));
            SendResult result = writer.result();
            assertThat(result.getCommitted()).as(result.getError()).isTrue();
            assertThat(result.getExposedNanos()).isGreaterThan(1_000_000);
            assertThat(writer.metrics.exposedNanos()).isEqualTo(result.getExposedNanos());
            assertThat(writer.metrics.leasesSent()).isEqualTo(1);
        }
    }

    /// A writer that falls behind sends larger pieces, up to the limit.
    @ParameterizedTest
    @EnumSource
    void layersThatWaitGoTogether(TransferTest.Way way) throws Exception {
        try (var writer = worker(1, way);
                var receiver = worker(2, way)) {
            receiver.leases.grant(grant(1, writer, MILLIS, TO));
            var progress = new LayerProgress(SHAPE.layers(), 1);
            progress.complete();
            writer.sender.send(send(1, receiver, MILLIS, true, 0, 0, 1, 2), progress);
            SendResult result = writer.result();
            assertThat(result.getCommitted()).as(result.getError()).isTrue();
            // 20 KiB a piece at most: five layers, then the sixth
            assertThat(result.getPieces()).isEqualTo(2 * TO.length);
        }
    }

    private TestWorker worker(long incarnation, TransferTest.Way way) throws IOException {
        var options = new SenderOptions(64, 64, 4, MILLIS, 2, 100, 60_000, 20 << 10);
        return new TestWorker(incarnation, way.offered, folder, SHAPE, 16, options);
    }

    private static void compute(KvPool pool, int layer) {
        for (int block = 0; block < TO.length; block++) {
            MemorySegment bytes = layer(pool, block, layer);
            for (long i = 0; i < SHAPE.layerBytes() / Integer.BYTES; i++) {
                bytes.setAtIndex(
                        ValueLayout.JAVA_INT,
                        i,
                        (int) (block * 1_000_000 + layer * 100_000 + i + 1));
            }
        }
    }

    private static void assertArrived(TestWorker writer, TestWorker receiver, int layers) {
        for (int i = 0; i < TO.length; i++) {
            for (int layer = 0; layer < SHAPE.layers(); layer++) {
                MemorySegment there = layer(receiver.pool, TO[i], layer);
                if (layer < layers) {
                    assertThat(there.mismatch(layer(writer.pool, i, layer))).isEqualTo(-1);
                } else {
                    assertThat(there.get(ValueLayout.JAVA_INT, 0)).as("read early").isZero();
                }
            }
        }
    }

    private static MemorySegment layer(KvPool pool, int block, int layer) {
        return pool.block(block).asSlice(layer * SHAPE.layerBytes(), SHAPE.layerBytes());
    }
}
