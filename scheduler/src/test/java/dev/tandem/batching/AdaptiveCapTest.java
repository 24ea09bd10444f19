package dev.tandem.batching;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;

/// The cap against devices whose steps take `base + slope x rows`, always fully loaded.
class AdaptiveCapTest {
    private static final double OBJECTIVE = 50e6;
    private static final int WINDOW = 16;

    @ParameterizedTest
    @CsvSource({"5e6, 0.5e6", "20e6, 0.1e6", "1e6, 2e6", "30e6, 0.3e6"})
    void holdsTheObjectiveAndComesToRest(double base, double slope) {
        AdaptiveCap cap = new AdaptiveCap(4, 1024, OBJECTIVE, WINDOW);
        run(cap, 20_000, base, slope, null);
        int rested = cap.sequences();
        double step = base + slope * rested;
        assertThat(step).isLessThanOrEqualTo(OBJECTIVE);
        assertThat(step).isGreaterThan(0.75 * OBJECTIVE);
        for (int i = 0; i < 1_000; i++) {
            run(cap, WINDOW, base, slope, null);
            assertThat(cap.sequences()).as("after coming to rest").isEqualTo(rested);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void doesNotSwingWithNoise(long seed) {
        AdaptiveCap cap = new AdaptiveCap(4, 1024, OBJECTIVE, WINDOW);
        Random random = new Random(seed);
        run(cap, 20_000, 5e6, 0.5e6, random);
        int least = Integer.MAX_VALUE;
        int most = 0;
        for (int i = 0; i < 2_000; i++) {
            run(cap, WINDOW, 5e6, 0.5e6, random);
            least = Math.min(least, cap.sequences());
            most = Math.max(most, cap.sequences());
        }
        assertThat(most - least).as("from %d to %d", least, most).isLessThanOrEqualTo(most / 4);
    }

    @ParameterizedTest
    @CsvSource({"0.5e6, 1.0e6", "1.0e6, 0.5e6"})
    void followsADeviceThatChanges(double before, double after) {
        AdaptiveCap cap = new AdaptiveCap(4, 1024, OBJECTIVE, WINDOW);
        run(cap, 20_000, 5e6, before, null);
        run(cap, 20_000, 5e6, after, null);
        double step = 5e6 + after * cap.sequences();
        assertThat(step).isBetween(0.75 * OBJECTIVE, OBJECTIVE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 7})
    void neverFallsBelowItsLeast(int least) {
        AdaptiveCap cap = new AdaptiveCap(least, 64, OBJECTIVE, WINDOW);
        run(cap, 10_000, 100e6, 1e6, null);
        assertThat(cap.sequences()).isEqualTo(least);
    }

    private static void run(
            AdaptiveCap cap,
            int steps,
            double base,
            double slope,
            @org.jspecify.annotations.Nullable Random noise) {
        for (int i = 0; i < steps; i++) {
            int rows = cap.sequences();
            double factor = noise == null ? 1 : 0.9 + 0.2 * noise.nextDouble();
            cap.observe(rows, (long) ((base + slope * rows) * factor));
        }
    }
}
