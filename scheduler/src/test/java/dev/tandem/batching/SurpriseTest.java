package dev.tandem.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.SplittableRandom;

class SurpriseTest {
    private static final long SEED = Long.getLong("tandem.seed", 1);
    private static final int WARM = 2_000;
    private static final int COUNTED = 20_000;

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 0.75, 0.9})
    void promisesWithItOnTopAreKeptThatOften(double share) {
        var random = new SplittableRandom(SEED);
        var surprise = new Surprise(share);
        int kept = 0;
        for (int i = 0; i < WARM + COUNTED; i++) {
            double predicted = 0.1;
            double actual = 0.1 - Math.log(1 - random.nextDouble()) * 0.05;
            kept += i >= WARM && actual <= predicted + surprise.seconds() ? 1 : 0;
            surprise.observe(predicted, actual);
        }
        assertThat((double) kept / COUNTED)
                .as("repeat with -Dtandem.seed=%d", SEED)
                .isCloseTo(share, within(0.02));
    }

    @Test
    void itForgetsALateTimeThatIsOver() {
        var surprise = new Surprise(0.9);
        for (int i = 0; i < 200; i++) {
            surprise.observe(0.1, 0.6);
        }
        assertThat(surprise.seconds()).isBetween(0.3, 0.7);
        for (int i = 0; i < 400; i++) {
            surprise.observe(0.1, 0.1);
        }
        assertThat(surprise.seconds()).isLessThan(0.1);
    }

    @Test
    void whatComesEarlyNeverMakesPredictionsSmaller() {
        var surprise = new Surprise(0.9);
        for (int i = 0; i < 100; i++) {
            surprise.observe(0.5, 0.1);
        }
        assertThat(surprise.seconds()).isZero();
    }

    @Test
    void aShareIsBetweenNoneAndAll() {
        assertThatThrownBy(() -> new Surprise(1)).hasMessageContaining("between 0 and 1");
        assertThatThrownBy(() -> new Surprise(0)).hasMessageContaining("between 0 and 1");
    }
}
