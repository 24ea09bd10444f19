package dev.tandem.sim.goodput;

import dev.tandem.core.CoreOptions;
import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cluster.OptionKeys;
import dev.tandem.sim.engine.ReplicaSpec;
import dev.tandem.sim.engine.Simulation;
import dev.tandem.sim.fault.FaultPlan;
import dev.tandem.sim.report.Collector;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.workload.Trace;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import java.util.List;

/// Runs a trace on a cluster at the rate asked for. Shared by threads: each run has everything of its own.
public final class ClusterTrial implements Trial {
    private final Cluster cluster;
    private final Trace trace;
    private final WorkloadOptions workload;
    private final TraceWorkload.Selection selection;
    private final List<Objective> cells;

    public ClusterTrial(
            Cluster cluster,
            Trace trace,
            WorkloadOptions workload,
            TraceWorkload.Selection selection,
            List<Objective> cells) {
        this.cluster = cluster;
        this.trace = trace;
        this.workload = workload;
        this.selection = selection;
        this.cells = List.copyOf(cells);
    }

    @Override
    public Outcome run(double ratePerSecond) {
        long started = System.nanoTime();
        Collector collector = collect(ratePerSecond);
        double wall = (System.nanoTime() - started) / 1e9;
        long[] met = new long[cells.size()];
        for (int i = 0; i < met.length; i++) {
            met[i] = collector.all().met(i);
        }
        return new Outcome(
                collector.all().arrived() - collector.all().cancelled(),
                met,
                collector.all().completed(),
                collector.all().refused(),
                collector.arrivalSeconds(),
                collector.all().gapMaxMicros().getMaxValue() / 1e3,
                wall);
    }

    /// One run with all its figures.
    public Collector collect(double ratePerSecond) {
        var collector = new Collector(cells, false);
        CoreOptions options = cluster.options();
        try (var arrivals = new TraceWorkload(trace, workload.withRate(ratePerSecond), selection)) {
            new Simulation(
                            cluster.spec(),
                            options,
                            arrivals,
                            List.of(collector),
                            FaultPlan.none(),
                            workload.seed())
                    .run();
        }
        return collector;
    }

    /// Everything that the outcome depends on besides the rate.
    public String key(long codeFingerprint) {
        var text = new StringBuilder();
        text.append(cluster.costModel())
                .append(trace.name())
                .append(selection)
                .append(workload)
                .append(cells);
        text.append(OptionKeys.flat(cluster.options()));
        for (ReplicaSpec r : cluster.spec().replicas()) {
            text.append(r.role()).append(r.zone()).append(r.blocks()).append("x");
            text.append(r.blockTokens()).append(" ").append(r.sequencesMax()).append(" ");
            text.append(r.stepTokensMax()).append(r.device());
        }
        text.append(cluster.spec().links()).append(cluster.spec().controlLatencyNanos());
        return "%08x-%016x".formatted(codeFingerprint, hash(text));
    }

    /// FNV-1a over 64 bits.
    private static long hash(CharSequence text) {
        long hash = 0xcbf2_9ce4_8422_2325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100_0000_01b3L;
        }
        return hash;
    }
}
