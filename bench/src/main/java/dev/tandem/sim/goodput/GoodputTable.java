package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.sim.report.Objective;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;

/// A study's outcome as Markdown and JSON.
final class GoodputTable {
    private final List<Objective> cells;
    private final List<GoodputStudy.Row> rows;

    GoodputTable(List<Objective> cells, List<GoodputStudy.Row> rows) {
        this.cells = cells;
        this.rows = rows;
    }

    /// The best row of a kind in a cell; the first of equals.
    GoodputStudy.@Nullable Row best(boolean adaptive, int cell) {
        GoodputStudy.Row best = null;
        for (GoodputStudy.Row row : rows) {
            if (row.choice().adaptive() == adaptive
                    && (best == null || rate(row, cell) > rate(best, cell))) {
                best = row;
            }
        }
        return best;
    }

    private static double rate(GoodputStudy.Row row, int cell) {
        return row.answers().get(cell).ratePerSecond();
    }

    String markdown() {
        var text = new StringBuilder();
        text.append("| TTFT ms | TPOT ms | best static | req/s | adaptive | req/s | ratio |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (int cell = 0; cell < cells.size(); cell++) {
            GoodputStudy.Row fixed = best(false, cell);
            GoodputStudy.Row adaptive = best(true, cell);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "| %.0f | %.0f | %s | %s | %s | %s | %s |%n",
                            cells.get(cell).ttftMillis(),
                            cells.get(cell).tpotMillis(),
                            fixed == null ? "-" : fixed.choice().name(),
                            shown(fixed, cell),
                            adaptive == null ? "-" : adaptive.choice().name(),
                            shown(adaptive, cell),
                            ratio(adaptive, fixed, cell)));
        }
        text.append("\nRequests per second of every choice, cells as TTFT/TPOT ms");
        text.append(" (~: a higher rate met the objectives although a lower one did not).\n\n|");
        text.append(" choice |");
        for (Objective cell : cells) {
            text.append(
                    String.format(
                            Locale.ROOT, " %.0f/%.0f |", cell.ttftMillis(), cell.tpotMillis()));
        }
        text.append("\n|---|").append("---|".repeat(cells.size())).append('\n');
        for (GoodputStudy.Row row : rows) {
            text.append("| ").append(row.choice().name()).append(" |");
            for (int cell = 0; cell < cells.size(); cell++) {
                text.append(' ').append(shown(row, cell)).append(" |");
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static String shown(GoodputStudy.@Nullable Row row, int cell) {
        if (row == null) {
            return "-";
        }
        GoodputSearch.Answer answer = row.answers().get(cell);
        return answer.index() < 0
                ? "0"
                : String.format(
                        Locale.ROOT,
                        "%.2f%s",
                        answer.ratePerSecond(),
                        answer.monotone() ? "" : " ~");
    }

    private static String ratio(
            GoodputStudy.@Nullable Row adaptive, GoodputStudy.@Nullable Row fixed, int cell) {
        if (adaptive == null || fixed == null || rate(fixed, cell) == 0) {
            return "-";
        }
        return String.format(Locale.ROOT, "%.2f", rate(adaptive, cell) / rate(fixed, cell));
    }

    void writeTo(ObjectNode json) {
        ArrayNode array = json.putArray("cells");
        for (int cell = 0; cell < cells.size(); cell++) {
            ObjectNode node = array.addObject();
            node.put("ttft_ms", cells.get(cell).ttftMillis());
            node.put("tpot_ms", cells.get(cell).tpotMillis());
            GoodputStudy.Row fixed = best(false, cell);
            GoodputStudy.Row adaptive = best(true, cell);
            if (fixed != null) {
                node.put("best_static", fixed.choice().name());
                node.put("best_static_requests_per_second", rate(fixed, cell));
            }
            if (adaptive != null) {
                node.put("adaptive", adaptive.choice().name());
                node.put("adaptive_requests_per_second", rate(adaptive, cell));
            }
            ObjectNode choices = node.putObject("choices");
            rows.forEach(row -> choices.put(row.choice().name(), rate(row, array.size() - 1)));
        }
    }

    static ObjectNode newJson() {
        return new ObjectMapper().createObjectNode();
    }
}
