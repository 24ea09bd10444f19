package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.Random;

class SlowStartTest {
    private static final long MILLI = 1_000_000;
    private final SlowStart slowStart = new SlowStart(SlowStart.Options.defaults());
    private final Health health = new Health("a", 30_000 * MILLI);
    private long now;

    @Test
    void timeAloneRaisesNothing() {
        slowStart.begin(health, 0);
        slowStart.succeeded(health, 1, 3_600_000 * MILLI);
        assertThat(health.weight()).isEqualTo(0.1);
    }

    @Test
    void observationsAloneRaiseNothing() {
        slowStart.begin(health, 0);
        for (int i = 0; i < 10_000; i++) {
            slowStart.succeeded(health, 1, 999 * MILLI);
        }
        assertThat(health.weight()).isEqualTo(0.1);
        slowStart.succeeded(health, 1, 1000 * MILLI);
        assertThat(health.weight()).isEqualTo(0.2);
    }

    @Test
    void goodWindowsDoubleAndBadOnesHalve() {
        slowStart.begin(health, 0);
        window(1.4, 0);
        window(1.0, 0);
        assertThat(health.weight()).isEqualTo(0.4);
        window(1.6, 0); // too slow
        assertThat(health.weight()).isEqualTo(0.2);
        window(1, 1); // an error of 8 outcomes
        window(1, 1);
        window(1, 8);
        assertThat(health.weight()).as("never below the least").isEqualTo(0.1);
        for (double expected : new double[] {0.2, 0.4, 0.8, 1, 1}) {
            window(1, 0);
            assertThat(health.weight()).isEqualTo(expected);
        }
        window(9, 4);
        assertThat(health.weight()).as("warm: not watched any more").isEqualTo(1);
    }

    @Test
    void itOnlyEverClimbsAfterAGoodWindow() {
        Random random = new Random(Seeds.SEED);
        slowStart.begin(health, 0);
        int sinceChange = 0;
        int climbs = 0;
        long changed = 0;
        double sum = 0;
        int errors = 0;
        for (int i = 0; i < 50_000; i++) {
            now += random.nextInt(400) * MILLI;
            double before = health.weight();
            sinceChange++;
            if (random.nextInt(40) == 0) {
                errors++;
                slowStart.failed(health, now);
            } else {
                double ratio = 0.5 + 1.9 * random.nextDouble();
                sum += ratio;
                slowStart.succeeded(health, ratio, now);
            }
            if (health.weight() > before) {
                climbs++;
                assertThat(sinceChange).as(Seeds.repeat(getClass())).isGreaterThanOrEqualTo(8);
                assertThat(now - changed)
                        .as(Seeds.repeat(getClass()))
                        .isGreaterThanOrEqualTo(1000 * MILLI);
                assertThat(sum / (sinceChange - errors))
                        .as(Seeds.repeat(getClass()))
                        .isLessThanOrEqualTo(1.5);
                assertThat(errors)
                        .as(Seeds.repeat(getClass()))
                        .isLessThanOrEqualTo(sinceChange / 20);
            }
            if (health.windowObservations == 0) {
                sinceChange = 0;
                sum = 0;
                errors = 0;
                changed = now;
            }
            if (health.weight() == 1) {
                slowStart.begin(health, now);
                sinceChange = 0;
                sum = 0;
                errors = 0;
                changed = now;
            }
        }
        assertThat(climbs).isGreaterThan(100);
    }

    /// Eight outcomes in a second, `errors` of them bad.
    private void window(double ratio, int errors) {
        now += 1000 * MILLI;
        for (int i = 0; i < 8; i++) {
            if (i < errors) {
                slowStart.failed(health, now);
            } else {
                slowStart.succeeded(health, ratio, now);
            }
        }
    }
}
