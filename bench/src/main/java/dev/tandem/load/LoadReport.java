package dev.tandem.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.HdrHistogram.Histogram;

import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// The outcome of a run.
///
/// @param model the one asked for
/// @param startedAt wall clock, for the record only
public record LoadReport(LoadOptions options, String model, Instant startedAt, Figures figures) {

    /// @param errors failed requests by kind
    /// @param seconds from the first measured request's due time to the last one's end
    /// @param outputTokens of the completed requests
    /// @param countedByChunks completed requests whose tokens are chunks because the server gave no usage
    /// @param startsLateMillisMax how late the generator itself started a request at worst: large values mean that it, or
    ///     its limit of requests in flight, was the bottleneck
    public record Figures(
            long started,
            long completed,
            long failed,
            Map<String, Long> errors,
            double seconds,
            long promptTokens,
            long outputTokens,
            long countedByChunks,
            double startsLateMillisMax,
            Distribution ttft,
            Distribution tpot,
            Distribution itl,
            Distribution endToEnd) {

        public double outputTokensPerSecond() {
            return seconds > 0 ? outputTokens / seconds : 0;
        }

        public double requestsPerSecond() {
            return seconds > 0 ? completed / seconds : 0;
        }
    }

    /// Milliseconds; all 0 when `count` is.
    public record Distribution(
            long count,
            double meanMillis,
            double p50Millis,
            double p90Millis,
            double p99Millis,
            double maxMillis) {

        static Distribution ofMicros(Histogram micros) {
            if (micros.getTotalCount() == 0) {
                return new Distribution(0, 0, 0, 0, 0, 0);
            }
            return new Distribution(
                    micros.getTotalCount(),
                    micros.getMean() / 1e3,
                    micros.getValueAtPercentile(50) / 1e3,
                    micros.getValueAtPercentile(90) / 1e3,
                    micros.getValueAtPercentile(99) / 1e3,
                    micros.getMaxValue() / 1e3);
        }
    }

    /// 0, or 1 when no request was answered.
    public int exitCode() {
        return figures.completed() > 0 ? 0 : 1;
    }

    /// The report for people, several lines.
    public String table() {
        Figures f = figures;
        var table = new StringBuilder();
        row(table, "model %s at %s, seed %d", model, options.url(), options.seed());
        row(
                table,
                "requests       %d completed, %d failed in %.2f s",
                f.completed(),
                f.failed(),
                f.seconds());
        row(table, "requests/s     %.2f", f.requestsPerSecond());
        row(
                table,
                "output         %.1f tokens/s, %d tokens",
                f.outputTokensPerSecond(),
                f.outputTokens());
        row(table, "prompts        %d tokens", f.promptTokens());
        row(table, "");
        row(table, "%-12s %10s %10s %10s %10s %10s", "ms", "mean", "p50", "p90", "p99", "max");
        distribution(table, "TTFT", f.ttft());
        distribution(table, "TPOT", f.tpot());
        distribution(table, "ITL", f.itl());
        distribution(table, "end to end", f.endToEnd());
        new TreeMap<>(f.errors())
                .forEach((kind, count) -> row(table, "error          %s: %d", kind, count));
        if (f.countedByChunks() > 0) {
            row(
                    table,
                    "note           no usage from the server in %d answers: chunks counted",
                    f.countedByChunks());
        }
        return table.toString();
    }

    /// Everything, the seed and the settings too, but not the API key.
    public JsonNode toJson() {
        Figures f = figures;
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("url", options.url().toString())
                .put("endpoint", options.endpoint().path())
                .put("model", model)
                .put("started_at", startedAt.toString())
                .put("seed", options.seed())
                .put("max_tokens", options.maxTokens())
                .put("ignore_eos", options.ignoreEos())
                .put("warm_up_requests", options.warmUpRequests());
        arrivals(json.putObject("arrivals"));
        switch (options.prompts()) {
            case LoadOptions.Prompts.Synthetic synthetic ->
                    json.put("prompt_tokens_asked", synthetic.tokens());
            case LoadOptions.Prompts.FromFile from ->
                    json.put("prompts_file", from.file().toString());
        }
        json.putObject("requests")
                .put("started", f.started())
                .put("completed", f.completed())
                .put("failed", f.failed());
        ObjectNode errors = json.putObject("errors");
        new TreeMap<>(f.errors()).forEach(errors::put);
        json.put("duration_seconds", f.seconds())
                .put("requests_per_second", f.requestsPerSecond())
                .put("output_tokens_per_second", f.outputTokensPerSecond())
                .put("prompt_tokens", f.promptTokens())
                .put("output_tokens", f.outputTokens())
                .put("answers_counted_by_chunks", f.countedByChunks())
                .put("starts_late_ms_max", f.startsLateMillisMax());
        distribution(json.putObject("ttft_ms"), f.ttft());
        distribution(json.putObject("tpot_ms"), f.tpot());
        distribution(json.putObject("itl_ms"), f.itl());
        distribution(json.putObject("e2e_ms"), f.endToEnd());
        return json;
    }

    private void arrivals(ObjectNode json) {
        switch (options.arrivals()) {
            case LoadOptions.Arrivals.ClosedLoop closed ->
                    json.put("kind", "closed").put("concurrency", closed.concurrency());
            case LoadOptions.Arrivals.OpenLoop open ->
                    json.put("kind", "open").put("requests_per_second", open.requestsPerSecond());
            case LoadOptions.Arrivals.Replay replay ->
                    json.put("kind", "replay")
                            .put("trace", replay.trace().toString())
                            .put("time_scale", replay.timeScale());
        }
    }

    private static void distribution(ObjectNode json, Distribution d) {
        json.put("count", d.count());
        if (d.count() > 0) {
            json.put("mean", d.meanMillis())
                    .put("p50", d.p50Millis())
                    .put("p90", d.p90Millis())
                    .put("p99", d.p99Millis())
                    .put("max", d.maxMillis());
        }
    }

    private static void distribution(StringBuilder table, String name, Distribution d) {
        if (d.count() == 0) {
            row(table, "%-12s %10s %10s %10s %10s %10s", name, "-", "-", "-", "-", "-");
        } else {
            row(
                    table,
                    "%-12s %10.2f %10.2f %10.2f %10.2f %10.2f",
                    name,
                    d.meanMillis(),
                    d.p50Millis(),
                    d.p90Millis(),
                    d.p99Millis(),
                    d.maxMillis());
        }
    }

    private static void row(StringBuilder table, String format, Object... arguments) {
        table.append(String.format(Locale.ROOT, format, arguments).stripTrailing())
                .append(System.lineSeparator());
    }
}
