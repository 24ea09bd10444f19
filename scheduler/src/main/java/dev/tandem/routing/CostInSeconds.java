package dev.tandem.routing;

/// The replica where the prompt is done first, everything counted in seconds:
/// ```
/// compute = (queueSeconds + prefillSeconds(uncached)) x max(latencyMean, latencyFloor)
/// cost    = compute / ((1 - errorRate) x warmth) + transferSeconds + pressureSeconds x over(kvPressure)
/// warmth  = slow start weight / the largest of the candidates
/// over(p) = max(0, p - pressureKnee) / (1 - pressureKnee)
/// ```
/// and the smallest id among equals. A cached prefix shows as fewer uncached tokens, so the cache pulls exactly as hard
/// as the queue in front of it pushes. `1 / (1 - errorRate)` is the expected number of attempts; the latency factor
/// corrects a prediction that has proven wrong for this replica.
///
/// Sources: Mooncake's cache-aware scheduling, min over replicas of transfer + queue + prefill time (Qin et al., FAST
/// 2025, algorithm 1); NVIDIA Dynamo's KV router (overlap-weighted prefill blocks + active decode blocks) and llm-d's
/// scorers weigh the same terms in units of blocks.
public final class CostInSeconds implements RoutingPolicy {
    private static final double LATENCY_FLOOR = 0.5;
    private static final double ERROR_RATE_MAX = 0.95;

    /// @param pressureSeconds cost of a KV pool that is full, seconds
    /// @param pressureKnee KV pressure that costs nothing yet
    public record Options(double pressureSeconds, double pressureKnee) {
        public static Options defaults() {
            return new Options(0.2, 0.8);
        }

        public Options {
            Require.between("cost.pressureSeconds", pressureSeconds, 0, 1e6);
            Require.between("cost.pressureKnee", pressureKnee, 0, 0.999);
        }
    }

    private final Options options;

    public CostInSeconds(Options options) {
        this.options = options;
    }

    @Override
    public int choose(RouteRequest request, Candidates candidates, long nowNanos) {
        int best = -1;
        double least = Double.POSITIVE_INFINITY;
        double warmest = 0;
        for (int i = 0; i < candidates.size(); i++) {
            warmest = Math.max(warmest, candidates.get(i).health().weight());
        }
        for (int i = 0; i < candidates.size(); i++) {
            double cost = cost(request, candidates.get(i), warmest);
            if (best < 0 || cost < least) {
                best = i;
                least = cost;
            }
        }
        return best;
    }

    /// Predicted seconds until the prompt is computed and its KV is where it is needed.
    ///
    /// @param warmest the largest slow start weight of the candidates: when all are fresh, none is worse for it
    private double cost(RouteRequest request, ReplicaView replica, double warmest) {
        Health health = replica.health();
        double compute =
                (replica.queueSeconds() + request.prefillSeconds(replica))
                        * Math.max(health.latencyMean(), LATENCY_FLOOR);
        double attempts = 1 / (1 - Math.min(health.errorRate(), ERROR_RATE_MAX));
        double over =
                Math.max(0, replica.kvPressure() - options.pressureKnee)
                        / (1 - options.pressureKnee);
        return compute * attempts * warmest / health.weight()
                + request.transferSeconds(replica)
                + options.pressureSeconds * over;
    }
}
