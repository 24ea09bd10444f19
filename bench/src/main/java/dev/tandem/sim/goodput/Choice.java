package dev.tandem.sim.goodput;

import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cluster.OptionKeys;
import dev.tandem.sim.engine.ClusterSpec;
import dev.tandem.sim.engine.ReplicaSpec;
import dev.tandem.sim.report.Objective;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// One way to run the machines.
///
/// @param prefill how many of the replicas are prefill replicas; 0 = all serve mixed
/// @param adaptive false for a static choice
public record Choice(String name, boolean adaptive, int prefill, Cluster cluster) {

    /// The same machines in other roles, with changed options.
    ///
    /// @param changes keys of the core's options and their values
    public static Choice of(
            String name, boolean adaptive, int prefill, Cluster base, Map<String, String> changes) {
        List<ReplicaSpec> replicas = new ArrayList<>();
        List<ReplicaSpec> machines = base.spec().replicas();
        if (prefill < 0 || prefill >= machines.size()) {
            throw new IllegalArgumentException(
                    "%d prefill replicas of %d leave none to decode"
                            .formatted(prefill, machines.size()));
        }
        for (int i = 0; i < machines.size(); i++) {
            ReplicaSpec machine = machines.get(i);
            boolean isPrefill = i < prefill;
            replicas.add(
                    new ReplicaSpec(
                            (isPrefill ? "prefill-" : "decode-") + i,
                            isPrefill ? ReplicaRole.PREFILL : ReplicaRole.DECODE,
                            machine.model(),
                            machine.zone(),
                            machine.blocks(),
                            machine.blockTokens(),
                            machine.sequencesMax(),
                            machine.stepTokensMax(),
                            machine.device(),
                            machine.cost()));
        }
        var options = base.options();
        for (Map.Entry<String, String> change : changes.entrySet()) {
            options = OptionKeys.with(options, change.getKey(), change.getValue());
        }
        ClusterSpec spec =
                new ClusterSpec(replicas, base.spec().links(), base.spec().controlLatencyNanos());
        return new Choice(
                name, adaptive, prefill, new Cluster(base.name(), spec, options, base.costModel()));
    }

    /// The adaptive choice is told the objectives that it is to hold; a static one stays as it is.
    public Choice holding(Objective objective) {
        if (!adaptive) {
            return this;
        }
        String ttft = Long.toString(Math.max(1, Math.round(objective.ttftMillis())));
        String tpot = Long.toString(Math.max(1, Math.round(objective.tpotMillis())));
        var options = cluster.options();
        options = OptionKeys.with(options, "batching.tpot-millis", tpot);
        options = OptionKeys.with(options, "admission.default-class.ttft-millis", ttft);
        options = OptionKeys.with(options, "admission.default-class.tpot-millis", tpot);
        return new Choice(name, true, prefill, cluster.withOptions(options));
    }

    /// `mixed`, or `2:6` for two prefill and six decode replicas.
    public String split() {
        int all = cluster.spec().replicas().size();
        return prefill == 0 ? "mixed" : prefill + ":" + (all - prefill);
    }
}
