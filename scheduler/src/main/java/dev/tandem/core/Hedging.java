package dev.tandem.core;

import dev.tandem.routing.HedgePolicy;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// Starts a prefill a second time elsewhere when the first is late for its class. Owned by the core.
final class Hedging {
    private final HedgePolicy policy;
    private final Placement placement;
    private final Map<String, Integer> classes = new HashMap<>();
    private final int classesMax;

    Hedging(CoreOptions options, Placement placement) {
        this.placement = placement;
        this.classesMax = 1 + options.admission().classes().size();
        this.policy = new HedgePolicy(options.routing().hedge(), classesMax);
    }

    void placed(Sequence sequence) {
        if (sequence.attempts == 1) {
            policy.requested(classOf(sequence));
        }
    }

    /// The first token of a sequence is there.
    void started(Sequence sequence, long nowNanos) {
        policy.started(classOf(sequence), nowNanos - sequence.firstPlacedNanos, nowNanos);
    }

    /// Looks for prefills that are late on this replica.
    void hedge(Replica replica, long nowNanos) {
        hedge(replica.prefills, nowNanos);
        hedge(replica.handingOver, nowNanos);
    }

    private void hedge(ResidenceList list, long nowNanos) {
        for (int i = 0; i < list.size(); i++) {
            Residence residence = list.get(i);
            Sequence sequence = Objects.requireNonNull(residence.sequence);
            Attempt attempt = sequence.attempt;
            if (residence.prefillOnly
                    && sequence.hedge == null
                    && attempt != null
                    && attempt.from == residence
                    && attempt.handoff != null
                    && sequence.attempts == 1
                    && policy.tryHedge(classOf(sequence), nowNanos - sequence.firstPlacedNanos)) {
                placement.placeHedge(sequence, nowNanos);
            }
        }
    }

    /// Numbers the configured classes in the order in which they are met.
    private int classOf(Sequence sequence) {
        return classes.computeIfAbsent(
                sequence.workload().name(), name -> Math.min(classes.size(), classesMax - 1));
    }
}
