package dev.tandem.sim.command;

import dev.tandem.core.CoreOptions;
import dev.tandem.sim.SimulationObserver;
import dev.tandem.sim.Workload;
import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cluster.ClusterFile;
import dev.tandem.sim.cluster.ClusterFileException;
import dev.tandem.sim.cluster.OptionKeys;
import dev.tandem.sim.engine.BrokenPromiseException;
import dev.tandem.sim.engine.Simulation;
import dev.tandem.sim.engine.SimulationResult;
import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.fault.FaultPlan;
import dev.tandem.sim.report.Collector;
import dev.tandem.sim.report.Plots;
import dev.tandem.sim.report.RunFacts;
import dev.tandem.sim.report.RunProgress;
import dev.tandem.sim.report.SimulationReport;
import dev.tandem.sim.workload.CancellingWorkload;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.TenantMix;
import dev.tandem.sim.workload.Trace;
import dev.tandem.sim.workload.TraceException;
import dev.tandem.sim.workload.TraceFile;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Runs one simulation, or the fault scenarios of many seeds, and writes what came out. Exit codes: 0 every promise was
/// kept, 1 one was not (a request without an answer or failed by us, KV blocks left behind, a wrong token), 2 a file or an
/// option is wrong.
public final class SimulateCommand {
    private static final int BROKEN = 1;
    private static final int USAGE = 2;
    private static final int PREFILL = 4;
    private static final int DECODE = 4;
    private static final int POINTS_WANTED = 2_000;
    private static final double CANCEL_SHARE = 0.1;
    private static final long CANCEL_NANOS_MAX = 1_000_000_000L;
    private static final Pattern SEEDS = Pattern.compile("(-?\\d{1,18})\\.\\.(-?\\d{1,18})");
    private static final long SAMPLE_NANOS_MIN = 100_000_000L;

    private final SimulateOptions options;
    private final PrintStream out;
    private final PrintStream errors;

    private SimulateCommand(SimulateOptions options, PrintStream out, PrintStream errors) {
        this.options = options;
        this.out = out;
        this.errors = errors;
    }

    /// @param out the table
    /// @param errors progress, and what is wrong
    /// @return the exit code
    public static int run(SimulateOptions options, PrintStream out, PrintStream errors)
            throws IOException {
        try {
            var command = new SimulateCommand(options, out, errors);
            return options.seeds().isEmpty() ? command.run() : command.runSeeds();
        } catch (BrokenPromiseException e) {
            errors.println("tandem: simulate: seed " + options.seed() + ": " + e.getMessage());
            return BROKEN;
        } catch (IllegalArgumentException | TraceException | ClusterFileException e) {
            errors.println("tandem: simulate: " + e.getMessage());
            return USAGE;
        }
    }

    private int run() throws IOException {
        Path file = options.trace();
        Trace trace =
                file == null
                        ? SyntheticSpec.parse(options.synthetic(), options.seed())
                        : TraceFile.scan(file);
        Cluster cluster = cluster(trace);
        var collector = new Collector(List.of(options.objective()), true);
        SimulationResult result;
        try (var workload = new TraceWorkload(trace, workload(cluster))) {
            var progress = new RunProgress(errors, workload.size(), options.terminal());
            result = simulate(cluster, workload, List.of(collector, progress));
            progress.close();
        }
        var report =
                new SimulationReport(
                        RunFacts.now(options.seed()),
                        trace.name(),
                        cluster.name() + ", " + cluster.shape(),
                        cluster.costModel(),
                        changed(cluster.options()),
                        collector,
                        result);
        out.print(report.table());
        Path json = options.json();
        if (json != null) {
            Files.writeString(json, report.toJson().toPrettyString() + "\n");
        }
        Path plots = options.plots();
        if (plots != null) {
            for (Path plot : Plots.write(plots, report)) {
                out.println("plot           " + plot);
            }
        }
        boolean kept =
                result.unfinished() == 0
                        && result.blocksHeld() == 0
                        && result.failedInternal() == 0;
        if (!kept) {
            errors.printf(
                    Locale.ROOT,
                    "tandem: simulate: seed %d: %d requests without an answer, %d failed by us, %d"
                            + " KV blocks left behind%n",
                    options.seed(),
                    result.unfinished(),
                    result.failedInternal(),
                    result.blocksHeld());
        }
        return kept ? 0 : BROKEN;
    }

    private int runSeeds() throws IOException {
        Matcher matcher = SEEDS.matcher(options.seeds());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "--seeds must be FIRST..LAST, is \"" + options.seeds() + "\"");
        }
        long from = Long.parseLong(matcher.group(1));
        long to = Long.parseLong(matcher.group(2));
        Set<FaultKind> kinds = options.faults();
        return FaultSeeds.run(from, to, options.threads(), kinds, options.json(), out, errors)
                ? 0
                : BROKEN;
    }

    private SimulationResult simulate(
            Cluster cluster, TraceWorkload trace, List<SimulationObserver> observers) {
        Workload workload = trace;
        if (options.faults().contains(FaultKind.CANCEL)) {
            workload =
                    new CancellingWorkload(trace, CANCEL_SHARE, CANCEL_NANOS_MAX, options.seed());
        }
        double rate = trace.ratePerSecond();
        double seconds = rate == 0 ? 1 : workload.size() / rate;
        long sampleNanos = Math.max(SAMPLE_NANOS_MIN, (long) (seconds / POINTS_WANTED * 1e9));
        return new Simulation(
                        cluster.spec(),
                        cluster.options(),
                        workload,
                        observers,
                        faults(cluster, (long) (seconds * 1e9)),
                        options.seed())
                .sampleEvery(sampleNanos)
                .run();
    }

    private FaultPlan faults(Cluster cluster, long horizonNanos) {
        if (options.faults().isEmpty()) {
            return FaultPlan.none();
        }
        FaultPlan plan =
                FaultPlan.random(
                        new SplittableRandom(options.seed()),
                        cluster.spec().replicas().size(),
                        Math.max(1, horizonNanos),
                        options.faults());
        plan.faults().forEach(fault -> out.println("fault          " + fault));
        return plan;
    }

    private Cluster cluster(Trace trace) {
        Path file = options.cluster();
        Cluster cluster =
                file == null
                        ? ClusterFile.standard(PREFILL, DECODE, trace.blockTokens())
                        : ClusterFile.read(file);
        CoreOptions core = cluster.options();
        for (Map.Entry<String, String> change : new TreeMap<>(options.changes()).entrySet()) {
            core = OptionKeys.with(core, change.getKey(), change.getValue());
        }
        return cluster.withOptions(core);
    }

    private WorkloadOptions workload(Cluster cluster) {
        return new WorkloadOptions(
                0,
                0,
                options.requests(),
                options.repeat(),
                options.scale(),
                options.ratePerSecond(),
                options.poisson(),
                options.tenants().isEmpty() ? TenantMix.none() : TenantMix.parse(options.tenants()),
                options.deadlineMillis(),
                cluster.blockTokens(),
                options.seed());
    }

    private static Map<String, String> changed(CoreOptions options) {
        Map<String, String> changed = new TreeMap<>(OptionKeys.flat(options));
        changed.entrySet().removeAll(OptionKeys.flat(CoreOptions.defaults()).entrySet());
        return changed;
    }
}
