package dev.tandem.sim.goodput;

import dev.tandem.sim.report.Objective;
import dev.tandem.sim.workload.Trace;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// The goodput of many choices over one trace, for many pairs of objectives. Its answers do not depend on the number of
/// threads: choices know nothing of each other.
public final class GoodputStudy {
    private final Trace trace;
    private final WorkloadOptions workload;
    private final TraceWorkload.Selection selection;
    private final List<Objective> cells;
    private final RateGrid grid;
    private final double shareWanted;
    private final TrialStore store;
    private final long fingerprint = CodeFingerprint.of();

    /// A choice's answers, one per cell.
    public record Row(Choice choice, List<GoodputSearch.Answer> answers, int runs) {}

    public GoodputStudy(
            Trace trace,
            WorkloadOptions workload,
            List<Objective> cells,
            RateGrid grid,
            double shareWanted,
            TrialStore store) {
        this.trace = trace;
        this.workload = workload;
        this.selection = TraceWorkload.select(trace, workload);
        this.cells = List.copyOf(cells);
        this.grid = grid;
        this.shareWanted = shareWanted;
        this.store = store;
    }

    public List<Objective> cells() {
        return cells;
    }

    public RateGrid grid() {
        return grid;
    }

    /// One choice's runs at any rate, remembered.
    public Trial trial(Choice choice) {
        var trial = new ClusterTrial(choice.cluster(), trace, workload, selection, cells);
        return store.remembering(trial.key(fingerprint), trial);
    }

    /// A choice's goodput in every cell.
    public Row search(Choice choice) {
        var search = new GoodputSearch(grid, shareWanted, trial(choice));
        List<GoodputSearch.Answer> answers = new ArrayList<>();
        for (int cell = 0; cell < cells.size(); cell++) {
            answers.add(search.search(cell));
        }
        return new Row(choice, answers, search.tried().size());
    }

    /// All choices, in their order.
    ///
    /// @param progress one line per choice done
    public List<Row> run(List<Choice> choices, int threads, PrintStream progress)
            throws InterruptedException {
        var done = new AtomicInteger();
        long started = System.nanoTime();
        List<Future<Row>> futures = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (Choice choice : choices) {
                futures.add(
                        pool.submit(
                                () -> {
                                    Row row = search(choice);
                                    tell(row, done.incrementAndGet(), choices, started, progress);
                                    return row;
                                }));
            }
        }
        List<Row> rows = new ArrayList<>();
        for (Future<Row> future : futures) {
            try {
                rows.add(future.get());
            } catch (ExecutionException e) {
                throw new IllegalStateException("a search failed: " + e.getCause(), e.getCause());
            }
        }
        return rows;
    }

    private static void tell(
            Row row, int done, List<Choice> choices, long started, PrintStream progress) {
        double seconds = (System.nanoTime() - started) / 1e9;
        double left = seconds / done * (choices.size() - done);
        progress.printf(
                Locale.ROOT,
                "%d of %d, %.0f s, about %.0f s left: %s, %d runs, %s req/s%n",
                done,
                choices.size(),
                seconds,
                left,
                row.choice().name(),
                row.runs(),
                Arrays.toString(
                        row.answers().stream()
                                .map(a -> String.format(Locale.ROOT, "%.2f", a.ratePerSecond()))
                                .toArray()));
    }
}
