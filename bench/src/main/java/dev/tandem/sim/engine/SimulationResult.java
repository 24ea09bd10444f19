package dev.tandem.sim.engine;

/// How a run went. Counts of requests; each submitted one is in exactly one of the outcomes.
///
/// @param refused failed for lack of room ([dev.tandem.core.ErrorCategory#CAPACITY]): at once or while waiting
/// @param failedUser failed because of what was asked for
/// @param failedInternal failed because of us
/// @param unfinished had no answer when the run stopped; a sound core leaves none
/// @param decisionHash equal for two runs that decided the same
/// @param virtualNanos of the last event that is not a timer
/// @param computedTokens rows' tokens of all steps, recomputed ones counted again
/// @param outputTokens that reached clients
public record SimulationResult(
        long submitted,
        long completed,
        long refused,
        long failedUser,
        long failedInternal,
        long cancelled,
        long unfinished,
        long decisionHash,
        long virtualNanos,
        long wallNanos,
        long events,
        long steps,
        long computedTokens,
        long outputTokens) {

    /// Virtual time per real time.
    public double speed() {
        return (double) virtualNanos / Math.max(1, wallNanos);
    }

    public double requestsPerSecond() {
        return submitted * 1e9 / Math.max(1, wallNanos);
    }
}
