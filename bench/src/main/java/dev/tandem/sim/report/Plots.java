package dev.tandem.sim.report;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The plots of one run.
public final class Plots {
    private Plots() {}

    /// Writes `ttft.svg`, `tpot.svg` and `queue.svg`.
    ///
    /// @param folder made when it is not there
    /// @return the files
    public static List<Path> write(Path folder, SimulationReport report) throws IOException {
        Files.createDirectories(folder);
        Collector collector = report.collector();
        Objective objective = collector.objectives().getFirst();
        Chart ttft =
                distribution("Time to first token (simulated)", "TTFT, ms")
                        .bound("objective", objective.ttftMillis());
        Chart tpot =
                distribution("Time per output token (simulated)", "TPOT, ms")
                        .bound("objective", objective.tpotMillis());
        addShares(ttft, "all", collector.all().ttftMicros());
        addShares(tpot, "all", collector.all().tpotMicros());
        if (collector.tenants().size() > 1) {
            collector
                    .tenants()
                    .forEach(
                            (name, group) -> {
                                addShares(ttft, name, group.ttftMicros());
                                addShares(tpot, name, group.tpotMicros());
                            });
        }
        Timeline timeline = collector.timeline();
        Chart queue =
                new Chart("Sequences over time (simulated)", "time, s", false, "sequences", false)
                        .line("waiting", timeline.seconds(), timeline.waiting())
                        .line("running", timeline.seconds(), timeline.running());
        List<Path> files = new ArrayList<>();
        files.add(write(folder, "ttft.svg", ttft));
        files.add(write(folder, "tpot.svg", tpot));
        files.add(write(folder, "queue.svg", queue));
        return files;
    }

    private static Path write(Path folder, String name, Chart chart) throws IOException {
        Path file = folder.resolve(name);
        chart.write(file);
        return file;
    }

    private static Chart distribution(String title, String label) {
        return new Chart(title, label, true, "share of requests", false);
    }

    /// The cumulative distribution, from the histogram's own buckets.
    static void addShares(Chart chart, String name, Histogram micros) {
        List<double[]> points = new ArrayList<>();
        for (HistogramIterationValue value : micros.recordedValues()) {
            points.add(
                    new double[] {
                        Math.max(1, value.getValueIteratedTo()) / 1e3, value.getPercentile() / 100
                    });
        }
        double[] x = new double[points.size()];
        double[] y = new double[points.size()];
        for (int i = 0; i < x.length; i++) {
            x[i] = points.get(i)[0];
            y[i] = points.get(i)[1];
        }
        chart.line(name, x, y);
    }

    /// Goodput against the rate offered, one line per choice.
    public static Chart goodput(String title) {
        return new Chart(title, "requests offered per second", false, "goodput, requests/s", false);
    }
}
