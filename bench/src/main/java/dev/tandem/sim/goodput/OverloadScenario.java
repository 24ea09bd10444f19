package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Goodput while more is offered than can be served, at a steady rate for minutes: long enough that no queue can hide it, as
/// it can when a trace is over in seconds. Offered load that can't be served must not cost what can be.
///
/// With requests of equal length the most that can be served is one number, and goodput should stay at it. With mixed ones it
/// rises with the rate, since more short ones are there to choose from; so each point is compared with the best at no higher
/// a rate.
final class OverloadScenario {
    static final String EQUAL = "input=fixed:1000,output=fixed:200";
    static final String MIXED = "input=lognormal:1000:0.8:8000,output=lognormal:150:0.7:1000";

    private static final int SECONDS = 120;
    private static final double SHARE_WANTED = 0.9;
    private static final double[] TIMES = {0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5};

    /// 5 % apart from 4 to about 1,900 a second.
    private static final RateGrid GRID = new RateGrid(4, 0.05, 127);

    private final Cluster cluster;
    private final Objective objective;
    private final int seconds;
    private final long seed;

    /// @param goodput requests a second that met the objectives
    record Point(
            double times,
            double ratePerSecond,
            double goodput,
            double shareOfBest,
            long completed,
            long late,
            long refused) {}

    /// @param cluster an adaptive choice that holds the objective
    OverloadScenario(Cluster cluster, Objective objective, long seed) {
        this(cluster, objective, SECONDS, seed);
    }

    /// @param seconds of virtual time
    OverloadScenario(Cluster cluster, Objective objective, int seconds, long seed) {
        this.cluster = cluster;
        this.objective = objective;
        this.seconds = seconds;
        this.seed = seed;
    }

    /// @return Markdown
    String run(ObjectNode json) {
        return table("requests of equal length", EQUAL, json.putArray("overload_equal"))
                + table("mixed lengths", MIXED, json.putArray("overload_mixed"));
    }

    private String table(String name, String lengths, ArrayNode array) {
        var text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "Overload for %d s, %s (%s), %s; 1 x is where %.0f %% still meet both.%n%n",
                        seconds,
                        name,
                        lengths,
                        objective.label(),
                        100 * SHARE_WANTED));
        text.append(
                "| offered, x | req/s | goodput req/s | of the best so far | completed | of these"
                        + " late | refused |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (Point point : points(lengths)) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "| %.2f | %.1f | %.1f | %.1f %% | %d | %d | %d |%n",
                            point.times(),
                            point.ratePerSecond(),
                            point.goodput(),
                            100 * point.shareOfBest(),
                            point.completed(),
                            point.late(),
                            point.refused()));
            array.addObject()
                    .put("times", point.times())
                    .put("requests_per_second", point.ratePerSecond())
                    .put("goodput_requests_per_second", point.goodput())
                    .put("share_of_best", point.shareOfBest())
                    .put("completed", point.completed())
                    .put("late", point.late())
                    .put("refused", point.refused());
        }
        return text.append('\n').toString();
    }

    /// Goodput at multiples of the rate that the objectives allow, in the order of the rates.
    ///
    /// @param lengths `input` and `output` of [SyntheticSpec]
    List<Point> points(String lengths) {
        var search = new GoodputSearch(GRID, SHARE_WANTED, rate -> run(lengths, rate));
        double one = search.search(0).ratePerSecond();
        List<Point> points = new ArrayList<>();
        double best = 0;
        for (double times : TIMES) {
            Trial.Outcome outcome = run(lengths, one * times);
            double goodput = outcome.goodput(0);
            best = Math.max(best, goodput);
            points.add(
                    new Point(
                            times,
                            one * times,
                            goodput,
                            best == 0 ? 0 : goodput / best,
                            outcome.completed(),
                            outcome.completed() - outcome.met()[0],
                            outcome.refused()));
        }
        return points;
    }

    private Trial.Outcome run(String lengths, double rate) {
        String spec =
                String.format(
                        Locale.ROOT,
                        "requests=%d,rate=%s,%s",
                        Math.max(1, Math.round(rate * seconds)),
                        rate,
                        lengths);
        var trace = SyntheticSpec.parse(spec, seed);
        var workload = WorkloadOptions.all(cluster.blockTokens(), seed);
        var selection = TraceWorkload.select(trace, workload);
        return new ClusterTrial(cluster, trace, workload, selection, List.of(objective)).run(rate);
    }
}
