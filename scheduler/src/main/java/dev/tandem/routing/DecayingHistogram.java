package dev.tandem.routing;

import java.util.Arrays;

/// Quantiles of recent values: a log-linear histogram with 16 buckets per power of two (a bucket is at most 6.25 % wide,
/// the scheme of HdrHistogram) whose counts are halved every half-life. Halving is exact in binary, so the
/// quantiles are the same on every machine. Fixed size, allocates nothing after construction.
final class DecayingHistogram {
    private static final int BUCKET_BITS = 4;
    private static final int BUCKETS_PER_OCTAVE = 1 << BUCKET_BITS;
    private static final int HALVINGS_MAX = 64; // by then nothing is left

    private final double[] counts;
    private final int exponentMin;
    private final double least;
    private final double most;
    private final long halfLifeNanos;
    private long nextHalvingNanos;
    private boolean started;
    private double total;

    /// Values below `2^exponentMin` or from `2^exponentMax` on count as the nearest value inside.
    DecayingHistogram(int exponentMin, int exponentMax, long halfLifeNanos) {
        this.exponentMin = exponentMin;
        this.least = Math.scalb(1.0, exponentMin);
        this.most = Math.nextDown(Math.scalb(1.0, exponentMax));
        this.halfLifeNanos = halfLifeNanos;
        this.counts = new double[(exponentMax - exponentMin) << BUCKET_BITS];
    }

    void record(double value, long nowNanos) {
        decay(nowNanos);
        double bounded = value >= least ? Math.min(value, most) : least;
        int exponent = Math.getExponent(bounded);
        int linear =
                (int) (Double.doubleToRawLongBits(bounded) >>> (52 - BUCKET_BITS))
                        & (BUCKETS_PER_OCTAVE - 1);
        counts[((exponent - exponentMin) << BUCKET_BITS) + linear]++;
        total++;
    }

    /// @return what every count was multiplied by: 1, 1/2, 1/4, ...
    double decay(long nowNanos) {
        if (!started) {
            started = true;
            nextHalvingNanos = nowNanos + halfLifeNanos;
        }
        int halvings = 0;
        while (nowNanos - nextHalvingNanos >= 0 && halvings < HALVINGS_MAX) {
            halvings++;
            nextHalvingNanos += halfLifeNanos;
        }
        if (halvings == 0) {
            return 1;
        }
        if (halvings == HALVINGS_MAX) {
            nextHalvingNanos = nowNanos + halfLifeNanos;
        }
        double factor = Math.scalb(1.0, -halvings);
        total = 0;
        for (int i = 0; i < counts.length; i++) {
            counts[i] *= factor;
            total += counts[i];
        }
        return factor;
    }

    /// Values recorded, each halved once per half-life since.
    double total() {
        return total;
    }

    /// @param quantile 0 to 1
    /// @return the value, interpolated within its bucket; `ifEmpty` when nothing is known
    double quantile(double quantile, double ifEmpty) {
        if (total <= 0) {
            return ifEmpty;
        }
        double rest = quantile * total;
        int last = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0) {
                last = i;
                if (rest <= counts[i]) {
                    return floor(i) + (floor(i + 1) - floor(i)) * (rest / counts[i]);
                }
                rest -= counts[i];
            }
        }
        return floor(last + 1); // only rounding gets here
    }

    private double floor(int bucket) {
        double linear = 1 + (bucket & (BUCKETS_PER_OCTAVE - 1)) / (double) BUCKETS_PER_OCTAVE;
        return Math.scalb(linear, exponentMin + (bucket >> BUCKET_BITS));
    }

    void clear() {
        Arrays.fill(counts, 0);
        total = 0;
    }
}
