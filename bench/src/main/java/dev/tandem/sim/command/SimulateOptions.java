package dev.tandem.sim.command;

import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.report.Objective;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/// What `simulate` is asked for. Immutable.
///
/// @param trace null = a synthetic one
/// @param synthetic how requests are generated ([dev.tandem.sim.workload.SyntheticSpec]) when there is no trace
/// @param cluster null = eight H100s, half of them prefill replicas
/// @param changes of the core's options, by key; they win over the cluster file
/// @param tenants empty = one tenant
/// @param scale arrival times are divided by this
/// @param ratePerSecond 0 = as recorded
/// @param requests at most; 0 = all
/// @param faults what breaks; in a run of a trace a few of these faults, in runs of seeds all that the scenarios draw
/// @param seeds `A..B`: instead of a trace the fault scenarios of these seeds; empty = a trace
/// @param threads of the runs of seeds
/// @param terminal whether progress may rewrite its line
public record SimulateOptions(
        @Nullable Path trace,
        String synthetic,
        @Nullable Path cluster,
        Map<String, String> changes,
        String tenants,
        long seed,
        double scale,
        double ratePerSecond,
        boolean poisson,
        long requests,
        int repeat,
        int deadlineMillis,
        Objective objective,
        @Nullable Path json,
        @Nullable Path plots,
        Set<FaultKind> faults,
        String seeds,
        int threads,
        boolean terminal) {

    public SimulateOptions {
        changes = Map.copyOf(changes);
        faults = Set.copyOf(faults);
        if (trace != null && !synthetic.isEmpty()) {
            throw new IllegalArgumentException("either a trace or a synthetic one, not both");
        }
    }
}
