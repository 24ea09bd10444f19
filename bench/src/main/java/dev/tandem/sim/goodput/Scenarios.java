package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.report.Objective;

import java.util.List;

/// Runs beyond the search: what happens past the peak, between tokens, and between clients.
final class Scenarios {
    private final Choice choice;
    private final List<Objective> cells;
    private final long seed;

    Scenarios(Choice choice, List<Objective> cells, long seed) {
        this.choice = choice;
        this.cells = cells;
        this.seed = seed;
    }

    /// @return Markdown
    String run(String name, int cell, ObjectNode json) {
        if (cell < 0 || cell >= cells.size()) {
            throw new IllegalArgumentException("there are cells 0 to " + (cells.size() - 1));
        }
        return switch (name) {
            case "overload" -> new OverloadScenario(held(cell), cells.get(cell), seed).run(json);
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
}
