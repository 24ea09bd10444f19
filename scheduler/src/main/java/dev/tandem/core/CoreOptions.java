package dev.tandem.core;

import dev.tandem.admission.AdmissionOptions;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.batching.BatchingOptions;
import dev.tandem.routing.RoutingOptions;

/// Limits and choices of the core. All bounds, no clocks.
///
/// @param stepTokensMax token budget of one step of one replica; a replica's own smaller limit wins
/// @param sequencesMax sequences running at once on one replica; a replica's own smaller limit wins
/// @param runAheadPlans plans in flight per replica, 1 or more; 2 hides the result's way back
/// @param prefixCache whether full blocks are found again by their hash
/// @param leaseMillis life of a KV lease; a transfer that takes longer is given up and recomputed
/// @param recomputesMax times that one sequence may start over after lost replicas or failed transfers
/// @param unservedMillisMax how long a sequence may wait while no replica at all can decode, before it fails
/// @param preemptEverySteps 0 = never; n forces a preemption on every n-th step of a replica (tests of recovery)
/// @param batching how the steps of a replica are filled
/// @param placement how waiting sequences find their replicas
/// @param routing how one replica is chosen among several
/// @param admission who may be served, and in which order
public record CoreOptions(
        int stepTokensMax,
        int sequencesMax,
        int runAheadPlans,
        boolean prefixCache,
        int leaseMillis,
        int recomputesMax,
        int unservedMillisMax,
        int preemptEverySteps,
        BatchingOptions batching,
        PlacementOptions placement,
        RoutingOptions routing,
        AdmissionOptions admission) {
    private static final int STEPS_OF_TTFT = 10;
    private static final int STEPS_OF_TPOT_MAX = 4;

    public static CoreOptions defaults() {
        return new CoreOptions(
                512,
                64,
                2,
                true,
                30_000,
                16,
                30_000,
                0,
                BatchingOptions.defaults(),
                PlacementOptions.defaults(),
                RoutingOptions.defaults(),
                AdmissionOptions.defaults());
    }

    public CoreOptions {
        requireAtLeast("stepTokensMax", stepTokensMax, 1);
        requireAtLeast("sequencesMax", sequencesMax, 1);
        requireAtLeast("runAheadPlans", runAheadPlans, 1);
        requireAtLeast("leaseMillis", leaseMillis, 1);
        requireAtLeast("recomputesMax", recomputesMax, 0);
        requireAtLeast("unservedMillisMax", unservedMillisMax, 1);
        requireAtLeast("preemptEverySteps", preemptEverySteps, 0);
    }

    /// The same with other limits of a step.
    public CoreOptions withSteps(int stepTokens, int sequences, int runAhead) {
        return new CoreOptions(
                stepTokens,
                sequences,
                runAhead,
                prefixCache,
                leaseMillis,
                recomputesMax,
                unservedMillisMax,
                preemptEverySteps,
                batching,
                placement,
                routing,
                admission);
    }

    /// The same with or without a prefix cache, and with forced preemptions or none.
    public CoreOptions withCache(boolean cache, int preemptEvery) {
        return new CoreOptions(
                stepTokensMax,
                sequencesMax,
                runAheadPlans,
                cache,
                leaseMillis,
                recomputesMax,
                unservedMillisMax,
                preemptEvery,
                batching,
                placement,
                routing,
                admission);
    }

    /// The same with other times and tries of recovery.
    public CoreOptions withRecovery(int lease, int recomputes, int unserved) {
        return new CoreOptions(
                stepTokensMax,
                sequencesMax,
                runAheadPlans,
                prefixCache,
                lease,
                recomputes,
                unserved,
                preemptEverySteps,
                batching,
                placement,
                routing,
                admission);
    }

    /// The same with other policies.
    public CoreOptions withPolicies(
            BatchingOptions newBatching,
            PlacementOptions newPlacement,
            RoutingOptions newRouting,
            AdmissionOptions newAdmission) {
        return new CoreOptions(
                stepTokensMax,
                sequencesMax,
                runAheadPlans,
                prefixCache,
                leaseMillis,
                recomputesMax,
                unservedMillisMax,
                preemptEverySteps,
                newBatching,
                newPlacement,
                newRouting,
                newAdmission);
    }

    /// The strictest objective for the time from one token to the next: of all steps, or of a workload class.
    public int tpotMillis() {
        int strictest = batching.tpotMillis();
        for (WorkloadClass workload : admission.classes().values()) {
            strictest = stricter(strictest, workload.tpotMillis());
        }
        return stricter(strictest, admission.defaultClass().tpotMillis());
    }

    /// The objective for the time of a step with running sequences: the strictest TPOT and a tenth of the strictest TTFT, but
    /// no less than a quarter of that TPOT. A prompt that has just come waits for the steps in flight before its own, and
    /// long steps would use up its time; too short ones would compute nothing but what every step costs.
    public int stepMillis() {
        int tpot = tpotMillis();
        int ttft = Integer.MAX_VALUE;
        for (WorkloadClass workload : admission.classes().values()) {
            ttft = stricter(ttft, workload.ttftMillis());
        }
        ttft = stricter(ttft, admission.defaultClass().ttftMillis());
        int least = Math.max(1, tpot / STEPS_OF_TPOT_MAX);
        return Math.clamp(ttft / STEPS_OF_TTFT, least, tpot);
    }

    private static int stricter(int millis, int ofClass) {
        return ofClass > 0 ? Math.min(millis, ofClass) : millis;
    }

    private static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "%s must be at least %d, is %d".formatted(name, least, value));
        }
    }
}
