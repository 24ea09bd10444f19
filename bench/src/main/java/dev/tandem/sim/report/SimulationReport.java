package dev.tandem.sim.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.core.CoreSnapshot;
import dev.tandem.sim.engine.SimulationResult;

import org.HdrHistogram.Histogram;

import java.util.Locale;
import java.util.Map;

/// One run for people and as JSON. All times are simulated, by the cost model that is named.
///
/// @param trace what was served
/// @param cluster on what, for people
/// @param costModel what stood in for the devices
/// @param changedOptions of the core, against its defaults
public record SimulationReport(
        RunFacts facts,
        String trace,
        String cluster,
        String costModel,
        Map<String, String> changedOptions,
        Collector collector,
        SimulationResult result) {

    private static final double[] PERCENTILES = {50, 90, 99};

    public String table() {
        var table = new StringBuilder();
        Group all = collector.all();
        row(table, "%s on %s", trace, cluster);
        row(table, "times are %s", costModel);
        row(table, "%s, decision hash %016x", facts.line(), result.decisionHash());
        if (!changedOptions.isEmpty()) {
            row(table, "options        %s", changedOptions);
        }
        row(table, "");
        row(
                table,
                "requests       %d: %d completed, %d refused, %d failed, %d cancelled",
                all.arrived(),
                all.completed(),
                all.refused(),
                all.failed(),
                all.cancelled());
        collector
                .errors()
                .forEach((code, count) -> row(table, "error          %s: %d", code, count));
        row(
                table,
                "rate           %.2f requests/s over %.1f s; %.1f s to the last token",
                all.arrived() / Math.max(1e-9, collector.arrivalSeconds()),
                collector.arrivalSeconds(),
                collector.busySeconds());
        row(
                table,
                "tokens         %d in, %d out, %.0f output tokens/s",
                all.promptTokens(),
                all.outputTokens(),
                outputTokensPerSecond());
        for (int i = 0; i < collector.objectives().size(); i++) {
            row(
                    table,
                    "goodput        %.2f requests/s, %.2f %% meet %s",
                    collector.goodput(i),
                    100 * all.shareMet(i),
                    collector.objectives().get(i).label());
        }
        CoreSnapshot snapshot = collector.lastSnapshot();
        if (snapshot != null) {
            CoreSnapshot.Totals totals = snapshot.totals();
            row(
                    table,
                    "core           %.1f %% prefix hits, %d preemptions, %d recomputes, %d handoffs"
                            + " (%d failed), %d leases expired",
                    100 * hitShare(totals),
                    totals.preemptions(),
                    totals.recomputes(),
                    totals.handoffs(),
                    totals.handoffsFailed(),
                    totals.leasesExpired());
        }
        row(
                table,
                "simulation     %.1f s simulated in %.2f s: %,.0f x real time, %,.0f requests/s, %d"
                        + " steps",
                result.virtualNanos() / 1e9,
                result.wallNanos() / 1e9,
                result.speed(),
                result.requestsPerSecond(),
                result.steps());
        distributions(table);
        replicas(table);
        groups(table, "tenant", collector.tenants());
        groups(table, "lane", collector.lanes());
        groups(table, "class", collector.classes());
        return table.toString();
    }

    private void distributions(StringBuilder table) {
        Group all = collector.all();
        row(table, "");
        row(table, "%-14s %10s %10s %10s %10s %10s", "ms", "mean", "p50", "p90", "p99", "max");
        distribution(table, "TTFT", all.ttftMicros());
        distribution(table, "TPOT", all.tpotMicros());
        distribution(table, "longest gap", all.gapMaxMicros());
        distribution(table, "end to end", all.endToEndMicros());
    }

    private static void distribution(StringBuilder table, String name, Histogram micros) {
        row(
                table,
                "%-14s %10.1f %10.1f %10.1f %10.1f %10.1f",
                name,
                micros.getMean() / 1e3,
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(90) / 1e3,
                micros.getValueAtPercentile(99) / 1e3,
                micros.getMaxValue() / 1e3);
    }

    private void replicas(StringBuilder table) {
        if (collector.timeline().uses().isEmpty()) {
            return;
        }
        row(table, "");
        row(table, "%-14s %8s %10s %12s %10s", "replica", "role", "busy", "KV in use", "running");
        for (Timeline.Use use : collector.timeline().uses().values()) {
            row(
                    table,
                    "%-14s %8s %9.1f%% %11.1f%% %10.1f",
                    use.name(),
                    use.role(),
                    100 * use.busyShare(),
                    100 * use.blockShare(),
                    use.meanSequences());
        }
    }

    private void groups(StringBuilder table, String kind, Map<String, Group> groups) {
        if (groups.size() < 2) {
            return;
        }
        row(table, "");
        row(
                table,
                "%-14s %9s %9s %8s %9s %12s %12s",
                kind,
                "requests",
                "completed",
                "refused",
                "met",
                "TTFT p99 ms",
                "TPOT p99 ms");
        groups.forEach(
                (name, group) ->
                        row(
                                table,
                                "%-14s %9d %9d %8d %8.1f%% %12.1f %12.1f",
                                name.isEmpty() ? "(none)" : name,
                                group.arrived(),
                                group.completed(),
                                group.refused(),
                                100 * group.shareMet(0),
                                group.ttftMicros().getValueAtPercentile(99) / 1e3,
                                group.tpotMicros().getValueAtPercentile(99) / 1e3));
    }

    private static void row(StringBuilder table, String format, Object... values) {
        table.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
    }

    private double outputTokensPerSecond() {
        return collector.all().outputTokens() / Math.max(1e-9, collector.busySeconds());
    }

    private static double hitShare(CoreSnapshot.Totals totals) {
        return (double) totals.prefixHitTokens() / Math.max(1, totals.prefixQueriedTokens());
    }

    /// Everything; the keys are stable.
    public JsonNode toJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        facts.writeTo(json);
        json.put("simulated", true)
                .put("cost_model", costModel)
                .put("trace", trace)
                .put("cluster", cluster);
        ObjectNode options = json.putObject("changed_options");
        changedOptions.forEach(options::put);
        Group all = collector.all();
        json.put("requests", all.arrived())
                .put("completed", all.completed())
                .put("refused", all.refused())
                .put("failed", all.failed())
                .put("cancelled", all.cancelled())
                .put("unfinished", result.unfinished());
        ObjectNode errors = json.putObject("errors");
        collector.errors().forEach(errors::put);
        json.put("decision_hash", String.format(Locale.ROOT, "%016x", result.decisionHash()))
                .put("arrival_seconds", collector.arrivalSeconds())
                .put("busy_seconds", collector.busySeconds())
                .put(
                        "requests_per_second",
                        all.arrived() / Math.max(1e-9, collector.arrivalSeconds()))
                .put("prompt_tokens", all.promptTokens())
                .put("output_tokens", all.outputTokens())
                .put("output_tokens_per_second", outputTokensPerSecond());
        goodput(json);
        distributions(json, all);
        counters(json);
        var replicas = json.putArray("replicas");
        for (Timeline.Use use : collector.timeline().uses().values()) {
            replicas.addObject()
                    .put("name", use.name())
                    .put("role", use.role())
                    .put("busy_share", use.busyShare())
                    .put("kv_blocks_share", use.blockShare())
                    .put("sequences_mean", use.meanSequences());
        }
        groups(json.putObject("tenants"), collector.tenants());
        groups(json.putObject("lanes"), collector.lanes());
        groups(json.putObject("classes"), collector.classes());
        json.putObject("simulation")
                .put("virtual_seconds", result.virtualNanos() / 1e9)
                .put("wall_seconds", result.wallNanos() / 1e9)
                .put("times_real_time", result.speed())
                .put("requests_per_wall_second", result.requestsPerSecond())
                .put("steps", result.steps())
                .put("events", result.events());
        return json;
    }

    private void goodput(ObjectNode json) {
        var array = json.putArray("goodput");
        for (int i = 0; i < collector.objectives().size(); i++) {
            Objective objective = collector.objectives().get(i);
            array.addObject()
                    .put("ttft_ms", objective.ttftMillis())
                    .put("tpot_ms", objective.tpotMillis())
                    .put("met", collector.all().met(i))
                    .put("met_share", collector.all().shareMet(i))
                    .put("requests_per_second", collector.goodput(i));
        }
    }

    private void counters(ObjectNode json) {
        CoreSnapshot snapshot = collector.lastSnapshot();
        if (snapshot == null) {
            return;
        }
        CoreSnapshot.Totals totals = snapshot.totals();
        json.putObject("core")
                .put("plans", totals.plans())
                .put("computed_tokens", totals.computedTokens())
                .put("prefix_queried_tokens", totals.prefixQueriedTokens())
                .put("prefix_hit_tokens", totals.prefixHitTokens())
                .put("prefix_hit_share", hitShare(totals))
                .put("preemptions", totals.preemptions())
                .put("recomputes", totals.recomputes())
                .put("handoffs", totals.handoffs())
                .put("handoffs_failed", totals.handoffsFailed())
                .put("leases_expired", totals.leasesExpired())
                .put("kv_bytes_moved", totals.kvBytesMoved());
    }

    private static void distributions(ObjectNode json, Group group) {
        distribution(json.putObject("ttft_ms"), group.ttftMicros());
        distribution(json.putObject("tpot_ms"), group.tpotMicros());
        distribution(json.putObject("gap_max_ms"), group.gapMaxMicros());
        distribution(json.putObject("end_to_end_ms"), group.endToEndMicros());
    }

    private static void distribution(ObjectNode json, Histogram micros) {
        json.put("count", micros.getTotalCount()).put("mean", micros.getMean() / 1e3);
        for (double percentile : PERCENTILES) {
            json.put("p" + (int) percentile, micros.getValueAtPercentile(percentile) / 1e3);
        }
        json.put("max", micros.getMaxValue() / 1e3);
    }

    private void groups(ObjectNode json, Map<String, Group> groups) {
        groups.forEach(
                (name, group) -> {
                    ObjectNode node = json.putObject(name);
                    node.put("requests", group.arrived())
                            .put("completed", group.completed())
                            .put("refused", group.refused())
                            .put("failed", group.failed())
                            .put("cancelled", group.cancelled())
                            .put("output_tokens", group.outputTokens())
                            .put("met_share", group.shareMet(0));
                    distributions(node, group);
                });
    }
}
