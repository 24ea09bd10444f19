package dev.tandem.sim.workload;

/// Which rows of a trace are served, and when. Applied in the order of the parameters. Immutable.
///
/// @param fromSeconds rows before this time of the trace are left out
/// @param toSeconds rows from this time on are left out; 0 = none
/// @param requests of one pass, at most; 0 = all
/// @param repeat passes over the selected rows; those of a later pass are other texts with the same lengths
/// @param scale arrival times are divided by this: 2 = twice the rate
/// @param ratePerSecond mean rate wanted, instead of the scale; 0 = as recorded
/// @param poisson arrival times are drawn anew, at the resulting mean rate, instead of recorded ones
/// @param deadlineMillis of each request after its arrival; 0 = none
/// @param blockTokens of the cluster's KV blocks; a divisor of the trace's tokens per id where it has ids
/// @param seed of everything that is drawn
public record WorkloadOptions(
        double fromSeconds,
        double toSeconds,
        long requests,
        int repeat,
        double scale,
        double ratePerSecond,
        boolean poisson,
        TenantMix tenants,
        int deadlineMillis,
        int blockTokens,
        long seed) {

    public WorkloadOptions {
        require(fromSeconds >= 0, "from", fromSeconds);
        require(toSeconds == 0 || toSeconds > fromSeconds, "to", toSeconds);
        require(requests >= 0, "requests", requests);
        require(repeat >= 1, "repeat", repeat);
        require(scale > 0 && Double.isFinite(scale), "scale", scale);
        require(ratePerSecond >= 0 && Double.isFinite(ratePerSecond), "rate", ratePerSecond);
        require(deadlineMillis >= 0, "deadline", deadlineMillis);
        require(blockTokens >= 1, "block tokens", blockTokens);
    }

    private static void require(boolean holds, String name, double value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " of the workload can't be " + value);
        }
    }

    /// All of a trace, as it was recorded.
    public static WorkloadOptions all(int blockTokens, long seed) {
        return new WorkloadOptions(0, 0, 0, 1, 1, 0, false, TenantMix.none(), 0, blockTokens, seed);
    }

    public WorkloadOptions withScale(double newScale) {
        return new WorkloadOptions(
                fromSeconds,
                toSeconds,
                requests,
                repeat,
                newScale,
                0,
                poisson,
                tenants,
                deadlineMillis,
                blockTokens,
                seed);
    }

    public WorkloadOptions withRate(double newRatePerSecond) {
        return new WorkloadOptions(
                fromSeconds,
                toSeconds,
                requests,
                repeat,
                1,
                newRatePerSecond,
                poisson,
                tenants,
                deadlineMillis,
                blockTokens,
                seed);
    }

    public WorkloadOptions withRequests(long newRequests) {
        return new WorkloadOptions(
                fromSeconds,
                toSeconds,
                newRequests,
                repeat,
                scale,
                ratePerSecond,
                poisson,
                tenants,
                deadlineMillis,
                blockTokens,
                seed);
    }
}
