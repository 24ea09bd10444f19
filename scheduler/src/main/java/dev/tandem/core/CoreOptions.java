package dev.tandem.core;

/// Limits and choices of the core. All bounds, no clocks.
///
/// @param stepTokensMax token budget of one step of one replica; a replica's own smaller limit wins
/// @param sequencesMax sequences running at once on one replica; a replica's own smaller limit wins
/// @param runAheadPlans plans in flight per replica, 1 or more; 2 hides the result's way back
/// @param prefixCache whether full blocks are found again by their hash
/// @param localPrefillTokensMax prompts with at most so many uncached tokens are computed on the decode replica
/// @param queuedTokensMax prompt tokens waiting at most; beyond, requests are refused at once
/// @param queuedSequencesMax sequences waiting at most
/// @param leaseMillis life of a KV lease; a transfer that takes longer is given up and recomputed
/// @param recomputesMax times that one sequence may start over after lost replicas or failed transfers
/// @param unservedMillisMax how long a sequence may wait while no replica at all can decode, before it fails
/// @param preemptEverySteps 0 = never; n forces a preemption on every n-th step of a replica (tests of recovery)
public record CoreOptions(
        int stepTokensMax,
        int sequencesMax,
        int runAheadPlans,
        boolean prefixCache,
        int localPrefillTokensMax,
        int queuedTokensMax,
        int queuedSequencesMax,
        int leaseMillis,
        int recomputesMax,
        int unservedMillisMax,
        int preemptEverySteps) {

    public static CoreOptions defaults() {
        return new CoreOptions(512, 64, 2, true, 16, 1 << 20, 4096, 30_000, 16, 30_000, 0);
    }

    public CoreOptions {
        requireAtLeast("stepTokensMax", stepTokensMax, 1);
        requireAtLeast("sequencesMax", sequencesMax, 1);
        requireAtLeast("runAheadPlans", runAheadPlans, 1);
        requireAtLeast("localPrefillTokensMax", localPrefillTokensMax, 0);
        requireAtLeast("queuedTokensMax", queuedTokensMax, 1);
        requireAtLeast("queuedSequencesMax", queuedSequencesMax, 1);
        requireAtLeast("leaseMillis", leaseMillis, 1);
        requireAtLeast("recomputesMax", recomputesMax, 0);
        requireAtLeast("unservedMillisMax", unservedMillisMax, 1);
        requireAtLeast("preemptEverySteps", preemptEverySteps, 0);
    }

    private static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "%s must be at least %d, is %d".formatted(name, least, value));
        }
    }
}
