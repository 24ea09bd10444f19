package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.workload.Trace;

import java.util.List;
import java.util.Locale;

/// Runs beyond the search: what happens past the peak, between tokens, and between clients.
final class Scenarios {
    private static final double[] OVERLOADS = {1, 1.5, 2, 5};

    private final GoodputStudy study;
    private final Choice choice;
    private final Trace trace;
    private final List<Objective> cells;

    Scenarios(GoodputStudy study, Choice choice, Trace trace, List<Objective> cells) {
        this.study = study;
        this.choice = choice;
        this.trace = trace;
        this.cells = cells;
    }

    /// @return Markdown
    String run(String name, int cell, ObjectNode json) {
        if (cell < 0 || cell >= cells.size()) {
            throw new IllegalArgumentException("there are cells 0 to " + (cells.size() - 1));
        }
        return switch (name) {
            case "overload" -> overload(cell, json);
            case "gap" -> new GapScenario(held(cell)).run(json);
            case "fairness" -> new FairnessScenario(held(cell)).run(json);
            default ->
                    throw new IllegalArgumentException(
                            "a scenario is overload, gap or fairness, not \"" + name + "\"");
        };
    }

    private Cluster held(int cell) {
        return choice.holding(cells.get(cell)).cluster();
    }

    /// Goodput at multiples of the rate that was found: offered load that can't be served must not cost what can be. The
    /// peak is the highest goodput of the points tried, not the rate of the answer.
    private String overload(int cell, ObjectNode json) {
        var search = study.searchOf(choice, cell);
        GoodputSearch.Answer answer = search.search(cell);
        double peak = 0;
        for (Trial.Outcome outcome : search.tried().values()) {
            peak = Math.max(peak, outcome.goodput(cell));
        }
        var text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "Overload, %s, %s, %s: %.2f req/s at 90 %%, peak goodput %.2f req/s of the"
                                + " rates tried.%n%n",
                        choice.name(),
                        trace.name(),
                        cells.get(cell).label(),
                        answer.ratePerSecond(),
                        peak));
        text.append("| offered, x | req/s | goodput req/s | of the peak | completed | refused |\n");
        text.append("|---|---|---|---|---|---|\n");
        ArrayNode array = json.putArray("overload");
        for (double times : OVERLOADS) {
            if (answer.index() < 0) {
                break;
            }
            int index = study.grid().nearest(answer.ratePerSecond() * times);
            Trial.Outcome outcome = search.outcome(index);
            double goodput = outcome.goodput(cell);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "| %.1f | %.2f | %.2f | %.1f %% | %d | %d |%n",
                            times,
                            study.grid().rate(index),
                            goodput,
                            100 * goodput / Math.max(peak, goodput),
                            outcome.completed(),
                            outcome.refused()));
            array.addObject()
                    .put("times", times)
                    .put("requests_per_second", study.grid().rate(index))
                    .put("goodput_requests_per_second", goodput)
                    .put("share_of_peak", goodput / Math.max(peak, goodput))
                    .put("completed", outcome.completed())
                    .put("refused", outcome.refused());
        }
        return text.toString();
    }
}
