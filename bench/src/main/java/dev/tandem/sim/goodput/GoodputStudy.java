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
import java.util.Map;
import java.util.Objects;
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

    /// A choice's answers and the runs behind them, by cell; runs by their index in the grid.
    public record Row(
            Choice choice,
            List<GoodputSearch.Answer> answers,
            List<Map<Integer, Trial.Outcome>> tried,
            int runs) {}

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

    /// One choice's runs at any rate, remembered. An adaptive choice is told the cell's objectives.
    public Trial trial(Choice choice, int cell) {
        var cluster = choice.holding(cells.get(cell)).cluster();
        var trial = new ClusterTrial(cluster, trace, workload, selection, cells);
        return store.remembering(trial.key(fingerprint), trial);
    }

    public GoodputSearch searchOf(Choice choice, int cell) {
        return new GoodputSearch(grid, shareWanted, trial(choice, cell));
    }

    /// A choice's goodput in some cells. The runs of a static choice serve all of them.
    private Row search(Choice choice, List<Integer> wanted) {
        List<GoodputSearch.Answer> answers = new ArrayList<>();
        List<Map<Integer, Trial.Outcome>> tried = new ArrayList<>();
        int runs = 0;
        GoodputSearch search = searchOf(choice, wanted.getFirst());
        for (int cell : wanted) {
            if (choice.adaptive()) {
                search = searchOf(choice, cell);
            }
            answers.add(search.search(cell));
            tried.add(search.tried());
            runs += choice.adaptive() ? search.tried().size() : 0;
        }
        return new Row(choice, answers, tried, choice.adaptive() ? runs : search.tried().size());
    }

    /// All choices, in their order.
    ///
    /// @param progress one line per part done
    public List<Row> run(List<Choice> choices, int threads, PrintStream progress)
            throws InterruptedException {
        var done = new AtomicInteger();
        long started = System.nanoTime();
        List<List<Future<Row>>> futures = new ArrayList<>();
        int parts = 0;
        for (Choice choice : choices) {
            parts += choice.adaptive() ? cells.size() : 1;
        }
        int all = parts;
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (Choice choice : choices) {
                List<Future<Row>> ofChoice = new ArrayList<>();
                for (List<Integer> wanted : parts(choice)) {
                    ofChoice.add(
                            pool.submit(
                                    () -> {
                                        Row row = search(choice, wanted);
                                        tell(row, done.incrementAndGet(), all, started, progress);
                                        return row;
                                    }));
                }
                futures.add(ofChoice);
            }
        }
        List<Row> rows = new ArrayList<>();
        for (List<Future<Row>> ofChoice : futures) {
            rows.add(joined(ofChoice));
        }
        return rows;
    }

    /// The cells that are searched together.
    private List<List<Integer>> parts(Choice choice) {
        List<Integer> indexes = new ArrayList<>();
        for (int cell = 0; cell < cells.size(); cell++) {
            indexes.add(cell);
        }
        return choice.adaptive() ? indexes.stream().map(List::of).toList() : List.of(indexes);
    }

    private static Row joined(List<Future<Row>> futures) throws InterruptedException {
        List<GoodputSearch.Answer> answers = new ArrayList<>();
        List<Map<Integer, Trial.Outcome>> tried = new ArrayList<>();
        Choice choice = null;
        int runs = 0;
        for (Future<Row> future : futures) {
            try {
                Row row = future.get();
                choice = row.choice();
                answers.addAll(row.answers());
                tried.addAll(row.tried());
                runs += row.runs();
            } catch (ExecutionException e) {
                throw new IllegalStateException("a search failed: " + e.getCause(), e.getCause());
            }
        }
        return new Row(Objects.requireNonNull(choice), answers, tried, runs);
    }

    private static void tell(Row row, int done, int all, long started, PrintStream progress) {
        double seconds = (System.nanoTime() - started) / 1e9;
        double left = seconds / done * (all - done);
        progress.printf(
                Locale.ROOT,
                "%d of %d, %.0f s, about %.0f s left: %s, %d runs, %s req/s%n",
                done,
                all,
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
