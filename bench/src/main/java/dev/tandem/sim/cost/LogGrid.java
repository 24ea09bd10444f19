package dev.tandem.sim.cost;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// Measured times over two sizes, interpolated bilinearly in log space: between two points a power law, which is exact both where
/// the time is constant (launch bound) and where it is proportional (bandwidth or compute bound). Exact at the points.
///
/// A cell that was not measured (large x large does not fit the memory) is its neighbour at the next smaller `x`, in proportion.
/// Beyond the grid the last power law goes on; below it the first value holds.
final class LogGrid {
    private final double[] x;
    private final double[] y;
    private final double[][] time;

    /// @param cells time by `x`, then `y`; sizes and times above 0
    LogGrid(TreeMap<Integer, TreeMap<Integer, Double>> cells) {
        TreeSet<Integer> all = new TreeSet<>();
        cells.values().forEach(row -> all.addAll(row.keySet()));
        if (all.isEmpty()) {
            throw new IllegalArgumentException("no measured times");
        }
        x = cells.keySet().stream().mapToDouble(Integer::doubleValue).toArray();
        y = all.stream().mapToDouble(Integer::doubleValue).toArray();
        time = new double[x.length][y.length];
        int i = 0;
        for (TreeMap<Integer, Double> row : cells.values()) {
            for (int j = 0; j < y.length; j++) {
                time[i][j] = row.getOrDefault((int) y[j], Double.NaN);
            }
            i++;
        }
        fillHoles();
    }

    private void fillHoles() {
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < y.length; j++) {
                if (Double.isNaN(time[i][j])) {
                    if (i > 0) {
                        time[i][j] = time[i - 1][j] * x[i] / x[i - 1];
                    } else if (j > 0) {
                        time[i][j] = time[i][j - 1] * y[j] / y[j - 1];
                    } else {
                        throw new IllegalArgumentException("the smallest size was not measured");
                    }
                }
            }
        }
    }

    /// @return the time at these sizes, in the unit of the cells
    double at(double xAt, double yAt) {
        int i = segment(x, xAt);
        if (x.length == 1) {
            return alongY(0, yAt);
        }
        return between(x[i], alongY(i, yAt), x[i + 1], alongY(i + 1, yAt), Math.max(xAt, x[0]));
    }

    private double alongY(int i, double yAt) {
        if (y.length == 1) {
            return time[i][0];
        }
        int j = segment(y, yAt);
        return between(y[j], time[i][j], y[j + 1], time[i][j + 1], Math.max(yAt, y[0]));
    }

    /// @return the power law through two points, at `at`
    static double between(double x0, double t0, double x1, double t1, double at) {
        return t0 * Math.pow(t1 / t0, Math.log(at / x0) / Math.log(x1 / x0));
    }

    /// @return the index of the segment that holds `at`, the first or last one where none does
    static int segment(double[] axis, double at) {
        int found = Arrays.binarySearch(axis, at);
        int below = found >= 0 ? found : -found - 2;
        return Math.max(0, Math.min(below, axis.length - 2));
    }

    /// Predicts every point that has measured neighbours on both sides along one axis from these two alone.
    ///
    /// @param cells  as given to the constructor
    /// @param errors gets `|predicted / measured - 1|` of each
    static void leaveOneOut(Map<?, TreeMap<Integer, Double>> cells, ErrorStatistics errors) {
        for (TreeMap<Integer, Double> row : cells.values()) {
            for (Map.Entry<Integer, Double> point : row.entrySet()) {
                Map.Entry<Integer, Double> before = row.lowerEntry(point.getKey());
                Map.Entry<Integer, Double> after = row.higherEntry(point.getKey());
                if (before != null && after != null) {
                    double predicted =
                            between(
                                    before.getKey(),
                                    before.getValue(),
                                    after.getKey(),
                                    after.getValue(),
                                    point.getKey());
                    errors.add(Math.abs(predicted / point.getValue() - 1));
                }
            }
        }
    }
}
