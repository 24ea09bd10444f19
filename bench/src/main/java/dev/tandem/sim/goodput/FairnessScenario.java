package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.admission.Terms;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.ErrorCategory;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;
import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.engine.ClusterSpec;
import dev.tandem.sim.engine.Simulation;
import dev.tandem.sim.fault.FaultPlan;
import dev.tandem.sim.workload.MergedWorkload;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.TenantMix;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Two clients that each ask for more than everything; one of them pauses and comes back. While both have a backlog each
/// should get half: without the lift of virtual token counters a returning client takes 83.5 % (Sheng et al., VTC, OSDI
/// 2024). Measured in weighted tokens (prompt 1, output 2) that were served while both were there.
final class FairnessScenario {
    /// Beyond what one replica serves, each.
    private static final String REQUESTS = "requests=%d,rate=%d,input=fixed:512,output=fixed:64";

    private static final int RATE = 60;
    private static final int STEADY_SECONDS = 120;
    private static final int RETURN_SECONDS = 60;
    private static final int SETTLING_SECONDS = 5;

    private final Cluster cluster;

    FairnessScenario(Cluster cluster) {
        this.cluster = cluster;
    }

    String run(ObjectNode json) {
        var one =
                new ClusterSpec(
                        List.of(cluster.spec().replicas().getLast()),
                        cluster.spec().links(),
                        cluster.spec().controlLatencyNanos());
        var service =
                new Service(
                        (RETURN_SECONDS + SETTLING_SECONDS) * 1_000_000_000L,
                        STEADY_SECONDS * 1_000_000_000L);
        try (TraceWorkload steady = client("steady", STEADY_SECONDS, 1);
                TraceWorkload early = client("returning", 10, 2);
                TraceWorkload late = client("returning", STEADY_SECONDS - RETURN_SECONDS, 3)) {
            var all =
                    new MergedWorkload(
                            List.of(steady, early, late), 0, 0, RETURN_SECONDS * 1_000_000_000L);
            new Simulation(one, cluster.options(), all, List.of(service), FaultPlan.none(), 1)
                    .run();
        }
        double steadyTokens = service.tokens.getOrDefault("steady", 0.0);
        double returningTokens = service.tokens.getOrDefault("returning", 0.0);
        double share = returningTokens / (steadyTokens + returningTokens);
        json.putObject("fairness")
                .put("returning_share", share)
                .put("steady_weighted_tokens", steadyTokens)
                .put("returning_weighted_tokens", returningTokens);
        return String.format(
                Locale.ROOT,
                "A client that was away for %d s and comes back for %d s, next to one that stayed,"
                    + " both asking for more than there is: %.1f %% of the service (prompt tokens x"
                    + " 1 + output tokens x 2).%n",
                RETURN_SECONDS - 10,
                STEADY_SECONDS - RETURN_SECONDS,
                100 * share);
    }

    private TraceWorkload client(String name, int seconds, long seed) {
        String spec = String.format(Locale.ROOT, REQUESTS, RATE * seconds, RATE);
        var options =
                new WorkloadOptions(
                        0,
                        0,
                        0,
                        1,
                        1,
                        0,
                        false,
                        TenantMix.parse(name + ":1"),
                        0,
                        cluster.blockTokens(),
                        seed);
        return new TraceWorkload(SyntheticSpec.parse(spec, seed), options);
    }

    /// Weighted tokens by tenant in a window of time.
    private static final class Service implements SimulationObserver {
        private static final int PROMPT_WEIGHT = 1;
        private static final int OUTPUT_WEIGHT = 2;

        private final long fromNanos;
        private final long toNanos;
        private final Map<Long, Terms> terms = new HashMap<>();
        private final Map<Long, Integer> prompts = new HashMap<>();
        private final Map<String, Double> tokens = new HashMap<>();

        Service(long fromNanos, long toNanos) {
            this.fromNanos = fromNanos;
            this.toNanos = toNanos;
        }

        @Override
        public void arrived(long sequence, Arrival arrival, long nanos) {
            terms.put(sequence, arrival.terms());
            prompts.put(sequence, arrival.prompt().length());
        }

        @Override
        public void token(long sequence, long nanos) {
            Terms who = terms.get(sequence);
            Integer prompt = prompts.remove(sequence);
            if (who != null && nanos >= fromNanos && nanos < toNanos) {
                int weight = OUTPUT_WEIGHT + (prompt == null ? 0 : PROMPT_WEIGHT * prompt);
                tokens.merge(who.tenant(), (double) weight, Double::sum);
            }
        }

        @Override
        public void finished(long sequence, long nanos) {
            terms.remove(sequence);
        }

        @Override
        public void failed(
                long sequence,
                ErrorCategory category,
                String code,
                long retryAfterMillis,
                long nanos) {
            terms.remove(sequence);
            prompts.remove(sequence);
        }

        @Override
        public void cancelled(long sequence, long nanos) {
            terms.remove(sequence);
            prompts.remove(sequence);
        }

        @Override
        public void sampled(CoreSnapshot snapshot, long nanos) {}
    }
}
