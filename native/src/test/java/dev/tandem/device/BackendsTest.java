package dev.tandem.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.kv.KvShape;

import org.junit.jupiter.api.Test;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

class BackendsTest {
    private static final Path FOLDER = ReferenceModelsTest.folder("llama-mha-untied-f32");

    @Test
    void opensWithShapeFingerprintAndSpeed() throws Exception {
        try (OpenedModel model = Backends.open(FOLDER, "auto", 0, 8)) {
            Backend backend = model.backend();
            assertThat(backend.kvShape()).isEqualTo(new KvShape(4, 4, 8, 16));
            assertThat(backend.vocabulary()).isEqualTo(512);
            assertThat(backend.contextTokensMax()).isEqualTo(1024);
            assertThat(backend.deviceName()).startsWith("CPU, ");
            assertThat(model.fingerprint()).matches("[0-9a-f]{64}");
            assertThat(model.speed().flopsPerSecond()).isGreaterThan(1e6);
            assertThat(model.speed().bytesPerSecond()).isGreaterThan(1e6);
        }
    }

    @Test
    void devicesThatAreNotHereAreRefusedInOneSentence() {
        assertThatThrownBy(() -> Backends.open(FOLDER, "cuda", 1, 16))
                .isInstanceOf(DeviceUnavailableException.class)
                .hasMessage("device cuda: this build has no CUDA backend; use --device cpu.");
        assertThatThrownBy(() -> Backends.open(FOLDER, "tpu", 1, 16))
                .isInstanceOf(DeviceUnavailableException.class)
                .hasMessageContaining("\"tpu\" is not known");
        assertThatThrownBy(() -> Backends.open(FOLDER, "cpu", -1, 16))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Backends.open(FOLDER, "cpu", 1, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyRowsThatSampleHaveLogits() throws Exception {
        try (OpenedModel model = Backends.open(FOLDER, "cpu", 1, 16);
                var pool = TestPools.filledWithNaN(model.backend().kvShape(), 3)) {
            var batch = new RaggedBatch();
            batch.addRow(new int[] {1, 2, 3}, 0, 3, new int[] {0}, 1, false);
            batch.addRow(new int[] {4, 5}, 0, 2, new int[] {1}, 1, true);
            batch.addRow(new int[] {6}, 0, 1, new int[] {2}, 1, false);
            Logits logits = model.backend().forward(batch, pool);
            assertThat(logits.rows()).isEqualTo(1);
            float[] second = logits.row(0).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
            batch.clear();
            batch.addRow(new int[] {4, 5}, 0, 2, new int[] {2}, 1, true);
            float[] alone =
                    model.backend()
                            .forward(batch, pool)
                            .row(0)
                            .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
            assertThat(second).containsExactly(alone);
            batch.clear();
            assertThat(model.backend().forward(batch, pool).rows()).isZero();
        }
    }

    @Test
    void badBatchesAreRefusedAndWriteNothing() throws Exception {
        try (OpenedModel model = Backends.open(FOLDER, "cpu", 1, 16);
                var driver = new ModelDriver(model.backend(), 4, new Random(1));
                var pool = TestPools.filledWithNaN(model.backend().kvShape(), 2);
                var foreign = TestPools.filledWithNaN(new KvShape(4, 4, 8, 16), 2)) {
            Backend backend = model.backend();
            int[] good = {0};
            for (RaggedBatch bad :
                    List.of(
                            row(new int[] {512}, good),
                            row(new int[] {-1}, good),
                            row(new int[] {1}, new int[] {2}),
                            row(new int[] {1}, new int[] {-1}),
                            row(new int[1025], new int[65]))) {
                assertThatThrownBy(() -> backend.forward(bad, pool))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            assertThatThrownBy(() -> backend.forward(row(new int[] {1}, good), foreign))
                    .hasMessageContaining("the pool's blocks are");
            for (long i = 0; i < pool.memory().byteSize() / Float.BYTES; i++) {
                assertThat(pool.memory().getAtIndex(ValueLayout.JAVA_FLOAT, i)).isNaN();
            }
            float[] after = driver.chunked(driver.sequence(new int[] {1, 2}, 2), 2);
            assertThat(after).doesNotContain(Float.NaN);
        }
    }

    private static RaggedBatch row(int[] tokens, int[] blocks) {
        var batch = new RaggedBatch();
        batch.addRow(tokens, 0, tokens.length, blocks, blocks.length, true);
        return batch;
    }
}
