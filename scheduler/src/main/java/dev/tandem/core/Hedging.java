package dev.tandem.core;

import dev.tandem.routing.HedgePolicy;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// Starts a prefill a second time elsewhere when the first is late for its class.
///
/// Late is measured against the prediction made at the placement: a long prompt is not late because it is long. So what the
/// [HedgePolicy] gets to see are delays in units of the predicted one, one second for each. Owned by the core.
final class Hedging {
    private static final double NANOS_PER_UNIT = 1e9;

    /// Shorter delays are not worth a second prefill, whatever was predicted.
    private static final long DELAY_NANOS_MIN = 20_000_000;

    private final HedgePolicy policy;
    private final Placement placement;
    private final CoreLoad load;
    private final Map<String, Integer> classes = new HashMap<>();
    private final int classesMax;

    Hedging(CoreOptions options, Placement placement, CoreLoad load) {
        this.placement = placement;
        this.load = load;
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
        Attempt attempt = sequence.attempt;
        if (attempt != null && sequence.attempts == 1) {
            load.started(attempt.predictedSeconds, (nowNanos - sequence.firstPlacedNanos) * 1e-9);
            policy.started(classOf(sequence), units(sequence, attempt, nowNanos), nowNanos);
        }
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
                    && nowNanos - sequence.firstPlacedNanos >= DELAY_NANOS_MIN
                    && policy.tryHedge(classOf(sequence), units(sequence, attempt, nowNanos))) {
                placement.placeHedge(sequence, nowNanos);
            }
        }
    }

    private static long units(Sequence sequence, Attempt attempt, long nowNanos) {
        double seconds = (nowNanos - sequence.firstPlacedNanos) * 1e-9;
        return (long) (NANOS_PER_UNIT * seconds / Math.max(attempt.predictedSeconds, 1e-4));
    }

    /// Numbers the configured classes in the order in which they are met.
    private int classOf(Sequence sequence) {
        return classes.computeIfAbsent(
                sequence.workload().name(), name -> Math.min(classes.size(), classesMax - 1));
    }
}
