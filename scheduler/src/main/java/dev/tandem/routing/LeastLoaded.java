package dev.tandem.routing;

/// The replica with the smallest part of its slots taken once the request is there: min of
/// `(sequences + 1) / (sequencesMax x slow start weight)`, then of the queue's seconds, then of the id. The simple default:
/// needs no prediction to be right. (Least-connections of nginx and HAProxy, weighted by size.) Without the weight, all
/// new requests would run to a replica that has just joined.
public final class LeastLoaded implements RoutingPolicy {
    @Override
    public int choose(RouteRequest request, Candidates candidates, long nowNanos) {
        int best = -1;
        for (int i = 0; i < candidates.size(); i++) {
            if (best < 0 || isLess(candidates.get(i), candidates.get(best))) {
                best = i;
            }
        }
        return best;
    }

    private static boolean isLess(ReplicaView one, ReplicaView other) {
        double oneShare = share(one);
        double otherShare = share(other);
        return oneShare != otherShare
                ? oneShare < otherShare
                : one.queueSeconds() < other.queueSeconds();
    }

    private static double share(ReplicaView replica) {
        return (replica.sequences() + 1) / (replica.sequencesMax() * replica.health().weight());
    }
}
