package dev.tandem.sim.goodput;

import dev.tandem.sim.report.Chart;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.report.Plots;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Goodput against the rate offered, one chart per cell: the best static choice, the adaptive one, and what was offered.
final class GoodputPlots {
    /// A chart ends at this many times the best answer: beyond there is only overload.
    private static final double REACH = 2;

    private GoodputPlots() {}

    /// Writes `goodput-TTFT-TPOT.svg` for each cell, from the runs that the search made.
    ///
    /// @param folder made when it is not there
    static void write(Path folder, GoodputTable table, List<Objective> cells, RateGrid grid)
            throws IOException {
        Files.createDirectories(folder);
        for (int cell = 0; cell < cells.size(); cell++) {
            GoodputStudy.Row fixed = table.best(false, cell);
            GoodputStudy.Row adaptive = table.best(true, cell);
            double most = REACH * Math.max(answer(fixed, cell), answer(adaptive, cell));
            Objective objective = cells.get(cell);
            Chart chart = Plots.goodput("Goodput (simulated), " + objective.label());
            chart.line("offered", new double[] {0, most}, new double[] {0, most});
            add(chart, fixed, cell, grid, most);
            add(chart, adaptive, cell, grid, most);
            chart.write(
                    folder.resolve(
                            "goodput-%.0f-%.0f.svg"
                                    .formatted(objective.ttftMillis(), objective.tpotMillis())));
        }
    }

    private static double answer(GoodputStudy.@Nullable Row row, int cell) {
        return row == null ? 0 : row.answers().get(cell).ratePerSecond();
    }

    private static void add(
            Chart chart, GoodputStudy.@Nullable Row row, int cell, RateGrid grid, double most) {
        if (row == null) {
            return;
        }
        Map<Double, Double> points = new TreeMap<>();
        row.tried()
                .get(cell)
                .forEach(
                        (index, outcome) -> {
                            if (grid.rate(index) <= most) {
                                points.put(grid.rate(index), outcome.goodput(cell));
                            }
                        });
        double[] x = points.keySet().stream().mapToDouble(v -> v).toArray();
        double[] y = points.values().stream().mapToDouble(v -> v).toArray();
        chart.line(row.choice().name(), x, y);
    }
}
