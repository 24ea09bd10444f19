package dev.tandem.sim.engine;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The workers of a run and what connects them.
///
/// @param replicas all join at time 0, in this order
/// @param controlLatencyNanos one way between the coordinator and any worker
public record ClusterSpec(List<ReplicaSpec> replicas, Links links, long controlLatencyNanos) {
    public ClusterSpec {
        replicas = List.copyOf(replicas);
        if (replicas.isEmpty()) {
            throw new IllegalArgumentException("a cluster needs at least one replica");
        }
        if (controlLatencyNanos < 0) {
            throw new IllegalArgumentException(
                    "controlLatencyNanos must not be negative, is " + controlLatencyNanos);
        }
        Set<String> names = new HashSet<>();
        for (ReplicaSpec replica : replicas) {
            if (!names.add(replica.name())) {
                throw new IllegalArgumentException("two replicas are named " + replica.name());
            }
        }
    }
}
