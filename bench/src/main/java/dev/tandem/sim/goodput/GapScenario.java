package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.batching.BatchingOptions;
import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cost.StepCost;
import dev.tandem.sim.cost.StepShape;
import dev.tandem.sim.engine.ClusterSpec;
import dev.tandem.sim.engine.ReplicaSpec;
import dev.tandem.sim.engine.Simulation;
import dev.tandem.sim.fault.FaultPlan;
import dev.tandem.sim.report.Collector;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.workload.MergedWorkload;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.TraceWorkload;
import dev.tandem.sim.workload.WorkloadOptions;

import java.util.List;
import java.util.Locale;

/// The longest wait for a next token while prompts of 32k tokens arrive among chats, on one replica that does both: what
/// chunked prefill is for (Agrawal et al., Sarathi-Serve, OSDI 2024). It is compared with a budgeted step. Where the budget
/// is in tokens, that is the time of a full one: a chunk as large as the budget at the end of a 32k prompt, next to as many
/// decodes as were running at most. Where it is in time, it is that time, if less.
final class GapScenario {
    private static final String CHATS =
            "requests=400,rate=4,input=lognormal:500:0.6,output=uniform:150:250";
    private static final String LONG_PROMPTS =
            "requests=20,arrivals=constant,rate=0.2,input=fixed:32768,output=fixed:16";
    private static final int LONG_TOKENS = 32_768;
    private static final int CHAT_CONTEXT = 1_000;

    private final Cluster cluster;

    GapScenario(Cluster cluster) {
        this.cluster = cluster;
    }

    String run(ObjectNode json) {
        ReplicaSpec last = cluster.spec().replicas().getLast();
        var one =
                new ClusterSpec(
                        List.of(last),
                        cluster.spec().links(),
                        cluster.spec().controlLatencyNanos());
        var collector = new Collector(List.of(new Objective(60_000, 1_000)), true);
        var options = WorkloadOptions.all(cluster.blockTokens(), 1);
        int rowsMax = 0;
        try (var chats = new TraceWorkload(SyntheticSpec.parse(CHATS, 1), options);
                var prompts = new TraceWorkload(SyntheticSpec.parse(LONG_PROMPTS, 2), options)) {
            new Simulation(
                            one,
                            cluster.options(),
                            new MergedWorkload(List.of(chats, prompts)),
                            List.of(collector),
                            FaultPlan.none(),
                            1)
                    .sampleEvery(50_000_000L)
                    .run();
        }
        for (double running : collector.timeline().running()) {
            rowsMax = Math.max(rowsMax, (int) running);
        }
        int budget = Math.min(cluster.options().stepTokensMax(), last.stepTokensMax());
        double stepMillis = budgetedStepNanos(last.cost(), budget, rowsMax) / 1e6;
        BatchingOptions batching = cluster.options().batching();
        if (batching.budget() == BatchingOptions.Budget.LATENCY) {
            stepMillis = Math.min(stepMillis, batching.tpotMillis() * batching.tpotShare());
        }
        double gapMillis = collector.all().gapMaxMicros().getMaxValue() / 1e3;
        json.putObject("gap")
                .put("longest_gap_ms", gapMillis)
                .put("budgeted_step_ms", stepMillis)
                .put("steps", gapMillis / stepMillis)
                .put("running_max", rowsMax)
                .put("step_tokens_max", budget);
        return String.format(
                Locale.ROOT,
                "Longest gap between tokens while prompts of 32k tokens arrive, one replica, budget"
                        + " %d tokens, at most %d running: %.1f ms = %.2f budgeted steps of %.1f ms"
                        + " (p99 of the requests' longest gaps %.1f ms; %d of %d requests"
                        + " completed).%n",
                budget,
                rowsMax,
                gapMillis,
                gapMillis / stepMillis,
                stepMillis,
                collector.all().gapMaxMicros().getValueAtPercentile(99) / 1e3,
                collector.all().completed(),
                collector.all().arrived());
    }

    private static long budgetedStepNanos(StepCost cost, int budget, int rows) {
        var shape = new StepShape();
        int decodes = Math.min(rows, budget - 1);
        for (int i = 0; i < decodes; i++) {
            shape.addDecode(CHAT_CONTEXT);
        }
        int chunk = Math.min(LONG_TOKENS, budget - decodes);
        shape.addPrefill(LONG_TOKENS - chunk, chunk, true);
        return cost.nanos(shape);
    }
}
