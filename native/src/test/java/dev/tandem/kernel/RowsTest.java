package dev.tandem.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import jdk.incubator.vector.FloatVector;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowsTest {
    private static final String REPEAT = TestSeed.repeat(RowsTest.class);

    @Test
    void exponentialIsTheSameInBothFormsAndNearTheTruth() {
        var species = Lanes.PRODUCT;
        float[] x = new float[species.length()];
        double worst = 0;
        for (float from = -87; from < 88; from += 0.0137f) {
            for (int i = 0; i < x.length; i++) {
                x[i] = Math.min(from + i * 0.00091f, 88);
            }
            float[] vector = Exponential.exp(FloatVector.fromArray(species, x, 0)).toArray();
            for (int i = 0; i < x.length; i++) {
                assertThat(vector[i]).isEqualTo(Exponential.exp(x[i]));
                double truth = Math.exp(x[i]);
                worst = Math.max(worst, Math.abs(vector[i] - truth) / truth);
            }
        }
        assertThat(worst).isLessThan(2e-7);
    }

    @Test
    void exponentialOfHugeArgumentsIsFiniteAndOfNanIsNan() {
        assertThat(Exponential.exp(-1e30f)).isBetween(0f, 2e-38f);
        assertThat(Exponential.exp(1e30f)).isBetween(1e38f, Float.MAX_VALUE);
        assertThat(Exponential.exp(0)).isEqualTo(1);
        assertThat(Exponential.exp(Float.NaN)).isNaN();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 9, 16, 64, 100, 192, 513})
    void sumOfSquaresEqualsTheScalarForm(int width) {
        float[] x = TestSeed.floats(TestSeed.random(), width + 5);
        float sum = Rows.sumOfSquares(x, 5, width);
        assertThat(sum).as(REPEAT).isEqualTo(Rows.sumOfSquaresScalar(x, 5, width));
        double truth = 0;
        for (int i = 5; i < x.length; i++) {
            truth += (double) x[i] * x[i];
        }
        assertThat((double) sum).as(REPEAT).isCloseTo(truth, within(1e-5 * truth));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 15, 16, 33, 100})
    void swiGluEqualsTheScalarForm(int width) {
        float[] gateUp = TestSeed.floats(TestSeed.random(), 2 * width);
        float[] vector = new float[width];
        float[] scalar = new float[width];
        Rows.swiGlu(gateUp, 0, width, vector, 0);
        Rows.swiGluScalar(gateUp, 0, width, scalar, 0, 0);
        assertThat(vector).as(REPEAT).containsExactly(scalar);
        for (int i = 0; i < width; i++) {
            double truth = gateUp[i] / (1 + Math.exp(-gateUp[i])) * gateUp[width + i];
            assertThat((double) vector[i]).as(REPEAT).isCloseTo(truth, within(1e-5));
        }
    }

    @Test
    void rmsNormDividesByTheRootMeanSquare() {
        float[] out = new float[4];
        Rows.rmsNorm(new float[] {3, -3, 3, -3}, 0, 4, new float[] {1, 1, 2, 2}, 0, out, 0);
        assertThat(out).containsExactly(1, -1, 2, -2);
    }

    @Test
    void rotationTurnsEachPairByItsAngleAndScalesByTheAttentionFactor() {
        var table = new RopeTable(new float[] {1, 0.5f}, 2, 1000);
        table.ensure(700);
        float[] x = {1, 0, 0, 1, 5, 5, 5, 5};
        table.rotate(x, 0, 1, 600);
        assertThat((double) x[0]).isCloseTo(2 * Math.cos(600), within(1e-6));
        assertThat((double) x[2]).isCloseTo(2 * Math.sin(600), within(1e-6));
        assertThat((double) x[1]).isCloseTo(-2 * Math.sin(300), within(1e-6));
        assertThat((double) x[3]).isCloseTo(2 * Math.cos(300), within(1e-6));
        assertThat(x[4]).isEqualTo(5);
    }
}
