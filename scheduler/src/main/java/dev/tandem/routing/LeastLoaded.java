package dev.tandem.routing;

/// The replica with the smallest part of its slots taken: min of `sequences / sequencesMax`, then of the queue's
/// seconds, then of the id. The simple default: needs no prediction to be right. (Least-connections of nginx and HAProxy,
/// weighted by size.)
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
        long oneShare = (long) one.sequences() * other.sequencesMax();
        long otherShare = (long) other.sequences() * one.sequencesMax();
        return oneShare != otherShare
                ? oneShare < otherShare
                : one.queueSeconds() < other.queueSeconds();
    }
}
