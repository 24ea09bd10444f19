package dev.tandem.core;

import java.util.ArrayList;
import java.util.List;

/// Takes the core's picture.
final class Snapshots {
    private Snapshots() {}

    static CoreSnapshot of(
            long number,
            long nowNanos,
            Replica[] all,
            WaitingQueue waiting,
            int sequences,
            HandoffDesk handoffs,
            CoreCounters counters) {
        List<CoreSnapshot.ReplicaSnapshot> replicas = new ArrayList<>(all.length);
        for (Replica replica : all) {
            replicas.add(
                    new CoreSnapshot.ReplicaSnapshot(
                            replica.id(),
                            replica.name(),
                            replica.facts().role(),
                            replica.pool().blocks(),
                            replica.facts().blockTokens(),
                            replica.pool().used(),
                            replica.pool().cached(),
                            replica.sequences(),
                            replica.plansInFlight(),
                            replica.pendingPrefillTokens(),
                            replica.sequencesMax(),
                            replica.queueSeconds(),
                            replica.slowness()));
        }
        return new CoreSnapshot(
                number,
                nowNanos,
                waiting.size(),
                waiting.tokens(),
                sequences - waiting.size(),
                handoffs.open(),
                List.copyOf(replicas),
                counters.totals());
    }
}
