package dev.tandem.sim.engine;

import dev.tandem.core.CoreSnapshot;

/// How a run went. Counts of requests; each submitted one is in exactly one of the outcomes.
///
/// @param refused failed for lack of room ([dev.tandem.core.ErrorCategory#CAPACITY]): at once or while waiting
/// @param failedUser failed because of what was asked for
/// @param failedInternal failed because of us
/// @param unfinished had no answer when the run stopped; a sound core leaves none
/// @param blocksHeld KV blocks that nobody has given back when the run stopped; a sound core leaves none
/// @param decisionHash equal for two runs that decided the same
/// @param virtualNanos of the last event that is not a timer
/// @param cpuNanos of the simulation's thread, which is what counts on a busy machine
/// @param computedTokens rows' tokens of all steps, recomputed ones counted again
/// @param outputTokens that reached clients
/// @param totals the core's own counts
public record SimulationResult(
        long submitted,
        long completed,
        long refused,
        long failedUser,
        long failedInternal,
        long cancelled,
        long unfinished,
        long blocksHeld,
        long decisionHash,
        long virtualNanos,
        long wallNanos,
        long cpuNanos,
        long events,
        long steps,
        long computedTokens,
        long outputTokens,
        CoreSnapshot.Totals totals) {

    /// Virtual time per real time.
    public double speed() {
        return (double) virtualNanos / Math.max(1, wallNanos);
    }

    public double requestsPerSecond() {
        return submitted * 1e9 / Math.max(1, wallNanos);
    }
}
