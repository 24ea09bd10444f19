package dev.tandem.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;

class MatmulTest {
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1",
        "1, 16, 16",
        "1, 130, 33",
        "2, 17, 7",
        "3, 31, 64",
        "4, 64, 5",
        "5, 65, 100",
        "6, 96, 48",
        "7, 1, 19",
        "11, 100, 1",
        "59, 40, 17",
        "61, 33, 50",
        "121, 70, 23"
    })
    void equalsTheScalarFormInEveryBit(int rows, int outputs, int inputs) {
        try (var arena = Arena.ofConfined()) {
            var random = TestSeed.random();
            PackedMatrix w = matrix(arena, outputs, inputs, random.nextLong());
            int xStride = inputs + 3;
            int outStride = outputs + 5;
            float[] x = TestSeed.floats(random, rows * xStride);
            float[] expected = new float[rows * outStride];
            float[] actual = new float[rows * outStride];
            Arrays.fill(expected, -77);
            Arrays.fill(actual, -77); // what lies beside the outputs must stay
            Matmul.multiplyScalar(x, xStride, rows, w, expected, outStride);
            Matmul.multiply(x, xStride, rows, w, actual, outStride, 0, w.panelCount());
            assertThat(actual).as(TestSeed.repeat(MatmulTest.class)).containsExactly(expected);
        }
    }

    @Test
    void packedWeightsAreTheRowsThatWereRead() {
        try (var arena = Arena.ofConfined()) {
            PackedMatrix w =
                    PackedMatrix.pack(
                            arena,
                            37,
                            3,
                            (row, to) -> {
                                for (int k = 0; k < 3; k++) {
                                    to[k] = row * 10 + k;
                                }
                            });
            assertThat(w.weight(36, 2)).isEqualTo(362);
            assertThat(w.weight(17, 0)).isEqualTo(170);
            assertThat(w.panels().address() % 64).isZero();
        }
    }

    @Test
    void panelsMayBeSplitAmongCallers() {
        try (var arena = Arena.ofConfined()) {
            var random = TestSeed.random();
            PackedMatrix w = matrix(arena, 201, 40, random.nextLong());
            float[] x = TestSeed.floats(random, 7 * 40);
            float[] whole = new float[7 * 201];
            float[] split = new float[7 * 201];
            Matmul.multiply(x, 40, 7, w, whole, 201, 0, w.panelCount());
            for (int panel = w.panelCount() - 1; panel >= 0; panel--) {
                Matmul.multiply(x, 40, 7, w, split, 201, panel, panel + 1);
            }
            assertThat(split).as(TestSeed.repeat(MatmulTest.class)).containsExactly(whole);
        }
    }

    @Test
    void tooSmallAnOutputIsRefused() {
        try (var arena = Arena.ofConfined()) {
            PackedMatrix w = matrix(arena, 20, 4, 1);
            assertThatThrownBy(
                            () -> Matmul.multiply(new float[8], 4, 2, w, new float[39], 20, 0, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("39 floats");
        }
    }

    private static PackedMatrix matrix(Arena arena, int outputs, int inputs, long seed) {
        float[] weights = TestSeed.floats(new Random(seed), outputs * inputs);
        return PackedMatrix.pack(
                arena,
                outputs,
                inputs,
                (row, to) -> System.arraycopy(weights, row * inputs, to, 0, inputs));
    }
}
