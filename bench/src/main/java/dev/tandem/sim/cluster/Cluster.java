package dev.tandem.sim.cluster;

import dev.tandem.core.CoreOptions;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.engine.ClusterSpec;

/// Everything that a run needs besides its workload. Immutable.
///
/// @param name for people: the file's, or what it is
/// @param costModel what replaces the devices, for people; printed with every figure
public record Cluster(String name, ClusterSpec spec, CoreOptions options, String costModel) {
    public int blockTokens() {
        return spec.replicas().getFirst().blockTokens();
    }

    public Cluster withOptions(CoreOptions newOptions) {
        return new Cluster(name, spec, newOptions, costModel);
    }

    /// What kind of replicas there are: `4 prefill + 4 decode`.
    public String shape() {
        long prefill =
                spec.replicas().stream().filter(r -> r.role() == ReplicaRole.PREFILL).count();
        long decode = spec.replicas().size() - prefill;
        return prefill == 0 ? decode + " mixed" : prefill + " prefill + " + decode + " decode";
    }
}
