package dev.tandem.sim.cost;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// Times of matrix products `[m, k] x [k, n]`: a [LogGrid] over `n` and `k` at each measured `m`, and a power law between
/// two `m`. The measured `m` come in pairs such as 256 and 257, so that the step to the next tile stays sharp.
final class ProductTimes {
    private final double[] rows;
    private final List<LogGrid> grids = new ArrayList<>();

    /// @param byRows nanoseconds by `m`, then `n`, then `k`
    ProductTimes(TreeMap<Integer, TreeMap<Integer, TreeMap<Integer, Double>>> byRows) {
        rows = byRows.keySet().stream().mapToDouble(Integer::doubleValue).toArray();
        byRows.values().forEach(cells -> grids.add(new LogGrid(cells)));
    }

    /// @return the measured `m`, ascending
    double[] rows() {
        return rows;
    }

    /// @return nanoseconds at the i-th measured `m`
    double at(int i, double n, double k) {
        return grids.get(i).at(n, k);
    }
}
