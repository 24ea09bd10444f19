package dev.tandem.sim.cost;

import java.util.Arrays;
import java.util.Locale;

/// Relative errors, and what their distribution looks like.
final class ErrorStatistics {
    private double[] values = new double[64];
    private int count;

    /// @param error relative, 0.1 for 10 %; its sign doesn't count
    void add(double error) {
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = Math.abs(error);
    }

    void addAll(ErrorStatistics other) {
        for (int i = 0; i < other.count; i++) {
            add(other.values[i]);
        }
    }

    int count() {
        return count;
    }

    /// @return the value that `share` of the errors don't exceed; NaN without any
    double quantile(double share) {
        if (count == 0) {
            return Double.NaN;
        }
        double[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return sorted[Math.clamp((int) Math.ceil(share * count) - 1, 0, count - 1)];
    }

    /// @return `share`'s quantile in percent, one decimal
    String percent(double share) {
        return count == 0 ? "-" : String.format(Locale.ROOT, "%.1f", 100 * quantile(share));
    }
}
