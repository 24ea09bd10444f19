package dev.tandem.routing;

import java.util.Arrays;

/// Which affinity keys make up a large part of the recent requests: the space-saving sketch (Metwally et al., ICDT 2005)
/// with a fixed number of counters, all halved every half-life. A key that isn't counted takes over the smallest counter
/// with its count as possible error; `count - error` is what is certain, so a key is never called hot wrongly.
final class HotKeys {
    private static final int HALVINGS_MAX = 64;

    private final long[] keys;
    private final double[] counts;
    private final double[] errors;
    private final long halfLifeNanos;
    private int used;
    private double total;
    private long nextHalvingNanos;
    private boolean started;

    HotKeys(int counters, long halfLifeNanos) {
        this.keys = new long[counters];
        this.counts = new double[counters];
        this.errors = new double[counters];
        this.halfLifeNanos = halfLifeNanos;
    }

    /// Counts one request of the key.
    ///
    /// @return the share of recent requests that is certainly this key's, this one included
    double record(long key, long nowNanos) {
        decay(nowNanos);
        total++;
        int smallest = 0;
        for (int i = 0; i < used; i++) {
            if (keys[i] == key) {
                counts[i]++;
                return (counts[i] - errors[i]) / total;
            }
            if (counts[i] < counts[smallest]) {
                smallest = i;
            }
        }
        if (used < keys.length) {
            smallest = used++;
            counts[smallest] = 0;
        }
        keys[smallest] = key;
        errors[smallest] = counts[smallest];
        counts[smallest]++;
        return 1 / total;
    }

    /// Recent requests, decayed.
    double total() {
        return total;
    }

    private void decay(long nowNanos) {
        if (!started) {
            started = true;
            nextHalvingNanos = nowNanos + halfLifeNanos;
        }
        int halvings = 0;
        while (nowNanos - nextHalvingNanos >= 0 && halvings < HALVINGS_MAX) {
            halvings++;
            nextHalvingNanos += halfLifeNanos;
        }
        if (halvings == HALVINGS_MAX) {
            nextHalvingNanos = nowNanos + halfLifeNanos;
            used = 0;
            total = 0;
            Arrays.fill(counts, 0);
        } else if (halvings > 0) {
            double factor = Math.scalb(1.0, -halvings);
            total *= factor;
            for (int i = 0; i < used; i++) {
                counts[i] *= factor;
                errors[i] *= factor;
            }
        }
    }
}
