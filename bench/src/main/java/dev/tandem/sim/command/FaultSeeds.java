package dev.tandem.sim.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.sim.campaign.Failure;
import dev.tandem.sim.campaign.FaultCampaign;
import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.report.RunFacts;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/// Runs the fault scenarios of many seeds: small clusters and workloads drawn from each seed, checked after every event.
final class FaultSeeds {
    private static final long LINE_NANOS_MIN = 1_000_000_000L;

    private FaultSeeds() {}

    /// @return whether every promise was kept
    static boolean run(
            long from,
            long to,
            int threads,
            Set<FaultKind> kinds,
            @Nullable Path json,
            PrintStream out,
            PrintStream errors)
            throws IOException {
        long started = System.nanoTime();
        var lastLine = new AtomicLong(started);
        FaultCampaign.Report report =
                FaultCampaign.run(
                        from,
                        to,
                        threads,
                        kinds,
                        done -> progress(done, to - from + 1, started, lastLine, errors));
        for (Failure failure : report.failures()) {
            out.println(failure.text(kinds));
        }
        out.printf(
                Locale.ROOT,
                "%d seeds from %d, %d failures; %d requests, %d cancelled, %d refused, %d faults,"
                        + " %d recomputes, %d preemptions, %d of %d handoffs failed; %.1f s on %d"
                        + " threads; decision hash %016x%n",
                report.seeds(),
                from,
                report.failures().size(),
                report.requests(),
                report.cancelled(),
                report.refused(),
                report.faults(),
                report.recomputes(),
                report.preemptions(),
                report.handoffsFailed(),
                report.handoffs(),
                report.wallNanos() / 1e9,
                threads,
                report.decisionHash());
        if (json != null) {
            Files.writeString(json, json(from, report, kinds).toPrettyString() + "\n");
        }
        return report.failures().isEmpty();
    }

    private static void progress(
            long done, long all, long started, AtomicLong lastLine, PrintStream errors) {
        long now = System.nanoTime();
        long last = lastLine.get();
        if (now - last >= LINE_NANOS_MIN && lastLine.compareAndSet(last, now)) {
            double seconds = (now - started) / 1e9;
            errors.printf(
                    Locale.ROOT,
                    "%d of %d seeds, %.0f a second, %.0f s left%n",
                    done,
                    all,
                    done / seconds,
                    seconds * (all - done) / done);
        }
    }

    private static ObjectNode json(long from, FaultCampaign.Report report, Set<FaultKind> kinds) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        RunFacts.now(from).writeTo(json);
        json.put("simulated", true)
                .put("seeds", report.seeds())
                .put("requests", report.requests())
                .put("cancelled", report.cancelled())
                .put("refused", report.refused())
                .put("faults", report.faults())
                .put("recomputes", report.recomputes())
                .put("preemptions", report.preemptions())
                .put("handoffs", report.handoffs())
                .put("handoffs_failed", report.handoffsFailed())
                .put("decision_hash", String.format(Locale.ROOT, "%016x", report.decisionHash()))
                .put("wall_seconds", report.wallNanos() / 1e9);
        ArrayNode failures = json.putArray("failures");
        for (Failure failure : report.failures()) {
            failures.addObject().put("seed", failure.seed()).put("text", failure.text(kinds));
        }
        return json;
    }
}
