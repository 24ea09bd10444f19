package dev.tandem.routing;

/// The less loaded of two replicas drawn at random: nearly as even as looking at all of them, and a herd of choices made
/// on the same stale state doesn't all run to the same replica (Mitzenmacher, "The Power of Two Choices in Randomized
/// Load Balancing", IEEE TPDS 2001). The two are drawn by a hash of (seed, sequence, attempt).
///
/// The load is a product in the manner of Finagle's *peak EWMA* (latency x pending), so no term needs a common unit:
/// ```
/// work   = 1 + (inFlightTokens + promptTokens - cachedTokens) / (tokensTypical x speed)
/// errors = 1 + errorFactor x errorRate
/// kv     = 1 + pressureFactor x max(0, kvPressure - pressureKnee) / (1 - pressureKnee)
/// load   = work x latencyMean x errors x kv / slow start weight
/// ```
public final class PowerOfTwoChoices implements RoutingPolicy {
    /// @param tokensTypical in-flight tokens that count as much as an idle replica's base load
    /// @param errorFactor how many times the load is worse when every request fails
    /// @param pressureFactor how many times the load is worse when the KV pool is full
    /// @param pressureKnee KV pressure that costs nothing yet
    public record Options(
            int tokensTypical, double errorFactor, double pressureFactor, double pressureKnee) {
        public static Options defaults() {
            return new Options(512, 10, 4, 0.7);
        }

        public Options {
            Require.atLeast("powerOfTwo.tokensTypical", tokensTypical, 1);
            Require.between("powerOfTwo.errorFactor", errorFactor, 0, 1e6);
            Require.between("powerOfTwo.pressureFactor", pressureFactor, 0, 1e6);
            Require.between("powerOfTwo.pressureKnee", pressureKnee, 0, 0.999);
        }
    }

    private static final double LATENCY_FLOOR = 0.5;

    private final Options options;
    private final long seed;

    public PowerOfTwoChoices(Options options, long seed) {
        this.options = options;
        this.seed = seed;
    }

    @Override
    public int choose(RouteRequest request, Candidates candidates, long nowNanos) {
        int size = candidates.size();
        if (size < 2) {
            return size - 1;
        }
        long draw = Hashing.draw(seed, request.sequence(), request.attempt());
        int first = Hashing.index(draw, size);
        int second = Hashing.index(Hashing.mix(draw), size - 1);
        second += second >= first ? 1 : 0; // any of the others
        double firstLoad = load(request, candidates.get(first));
        double secondLoad = load(request, candidates.get(second));
        return secondLoad < firstLoad ? second : first;
    }

    /// The composite load, without a unit; 1 for an idle, typical, healthy replica before the request's own tokens.
    public double load(RouteRequest request, ReplicaView replica) {
        Health health = replica.health();
        long uncached = Math.max(0, request.promptTokens() - request.cachedTokens(replica));
        double work =
                1
                        + (replica.inFlightTokens() + uncached)
                                / (options.tokensTypical * replica.speed());
        double errors = 1 + options.errorFactor * health.errorRate();
        double over =
                Math.max(0, replica.kvPressure() - options.pressureKnee)
                        / (1 - options.pressureKnee);
        double latency = Math.max(health.latencyMean(), LATENCY_FLOOR);
        return work * latency * errors * (1 + options.pressureFactor * over) / health.weight();
    }
}
