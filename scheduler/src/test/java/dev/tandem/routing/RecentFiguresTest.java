package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Random;

/// Quantiles and rates of recent values, and what is remembered of a worker.
class RecentFiguresTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void quantilesAreWithinABucketOfTheExactOnes() {
        Random random = new Random(Seeds.SEED);
        DecayingHistogram histogram = new DecayingHistogram(-14, 10, Long.MAX_VALUE / 2);
        double[] values = new double[20_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.exp(random.nextGaussian() * 1.5 - 2);
            histogram.record(values[i], i);
        }
        Arrays.sort(values);
        for (double quantile : new double[] {0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999}) {
            double exact = values[(int) (quantile * values.length)];
            assertThat(histogram.quantile(quantile, 0))
                    .as(Seeds.repeat(getClass()))
                    .isCloseTo(exact, within(0.0625 * exact));
        }
    }

    @Test
    void valuesOutsideCountAtTheEdges() {
        DecayingHistogram histogram = new DecayingHistogram(-2, 2, SECOND);
        assertThat(histogram.quantile(0.5, 7)).isEqualTo(7);
        histogram.record(0, 0);
        assertThat(histogram.quantile(1, 7)).isBetween(0.25, 0.27);
        histogram.record(1e9, 0);
        histogram.record(Double.POSITIVE_INFINITY, 0);
        assertThat(histogram.quantile(1, 7)).isEqualTo(4);
        histogram.record(Double.NaN, 0);
        assertThat(histogram.total()).isEqualTo(4);
    }

    @Test
    void theHistogramForgetsByHalves() {
        DecayingHistogram histogram = new DecayingHistogram(-2, 8, SECOND);
        for (int i = 0; i < 100; i++) {
            histogram.record(1, 0);
        }
        for (int i = 0; i < 30; i++) {
            histogram.record(100, 2 * SECOND);
        }
        assertThat(histogram.total()).isEqualTo(55); // 25 + 30
        assertThat(histogram.quantile(0.5, 0)).isGreaterThan(90);
        assertThat(histogram.decay(1000 * SECOND)).isPositive().isLessThan(1e-18);
    }

    @Test
    void aRateIsRightEarlyAndFollowsChanges() {
        DecayingRate rate = new DecayingRate(10 * SECOND);
        long now = 5 * SECOND;
        rate.add(50, now);
        assertThat(rate.perSecond(now)).as("nothing watched yet").isZero();
        for (int i = 0; i < 1000; i++) {
            now += SECOND / 10;
            rate.add(50, now);
            if (i > 50) {
                assertThat(rate.perSecond(now)).isCloseTo(500, within(10.0));
            }
        }
        for (int i = 0; i < 600; i++) {
            now += SECOND / 10;
            rate.add(5, now);
        }
        assertThat(rate.perSecond(now)).isBetween(49.0, 65.0);
        assertThat(rate.perSecond(now + 1_000_000 * SECOND)).isLessThan(0.01);
    }

    @Test
    void healthTellsMeanPercentileAndErrorsAndForgetsThem() {
        Health health = new Health("a", 10 * SECOND);
        assertThat(health.latencyP95()).isEqualTo(1);
        for (int i = 0; i < 100; i++) {
            health.recordSuccess(i % 10 == 0 ? 8 : 1, 0);
        }
        health.recordError(0);
        assertThat(health.latencyP95()).isBetween(8.0, 8.6);
        assertThat(health.latencyMean()).isBetween(1.0, 4.0);
        assertThat(health.errorRate()).isCloseTo(1 / 101.0, within(1e-9));
        assertThat(new Health("b", SECOND).errorRate()).isZero();
        double mean = health.latencyMean();
        health.decay(10 * SECOND);
        assertThat(health.latencyMean() - 1).isCloseTo((mean - 1) / 2, within(1e-12));
        assertThat(health.outcomes()).isEqualTo(50.5);
        health.decay(1000 * SECOND);
        assertThat(health.latencyP95()).isEqualTo(1);
        assertThat(health.latencyMean()).isCloseTo(1, within(1e-6));
    }

    @Test
    void oneErrorOfOneOutcomeIsNotAHundredPercent() {
        Health health = new Health("a", SECOND);
        health.recordError(0);
        assertThat(health.errorRate()).isEqualTo(0.125);
    }

    @Test
    void aNameThatComesBackKeepsItsHistoryUntilTooManyAreAway() {
        HealthBook book = new HealthBook(2, SECOND);
        Health first = book.joined("a");
        first.timesEjected = 3;
        book.lost(first, 1);
        assertThat(book.joined("a")).isSameAs(first);
        Health old = book.joined("a"); // a new incarnation before the old one is given up
        book.lost(old, 2);
        assertThat(first.isPresent()).isTrue();
        book.lost(first, 3);
        for (String name : new String[] {"b", "c", "d"}) {
            book.joined(name);
        }
        book.lost(book.get(2), 4);
        assertThat(book.size()).isEqualTo(4);
        book.lost(book.get(1), 5); // a, c, b are away: a has been longest
        assertThat(book.size()).isEqualTo(3);
        assertThat(book.joined("a")).isNotSameAs(first);
        assertThat(book.joined("a").timesEjected).isZero();
    }
}
