package dev.tandem.routing;

/// The choice of a replica as the core calls it: ejection, zones and probes around a [RoutingPolicy] per pool.
///
/// A pool is a set of replicas that can stand in for one another (prefill, decode), a small number from 0.
public final class Router {
    /// A worker has joined, perhaps again: the replica's [ReplicaView#health] from now on.
    ///
    /// @param tokensPerSecond what it can carry, predicted from its device facts; above 0
    public Health joined(
            String name, int pool, String zone, double tokensPerSecond, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /// The worker is gone. `planned` = drained on purpose: its capacity isn't missed.
    public void lost(Health health, boolean planned, long nowNanos) {}

    /// After joins and losses: all replicas of the pool.
    public void replicasChanged(int pool, Candidates members, long nowNanos) {}

    /// @return index into `candidates`, or -1 if there are none. The choice counts as made.
    public int choose(int pool, RouteRequest request, Candidates candidates, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /// Work on the replica went well. Call once per placement, at its end or when its first result is in.
    public void succeeded(
            ReplicaView replica,
            long sequence,
            double predictedSeconds,
            double observedSeconds,
            long nowNanos) {}

    /// Work on the replica failed by the replica's fault.
    public void failed(ReplicaView replica, long sequence, long nowNanos) {}

    /// The work ended without saying anything of the replica (cancelled, preempted).
    public void abandoned(ReplicaView replica, long sequence, long nowNanos) {}

    /// Share 0..1 of the requests that prefer `zone` which the healthy replicas of the pool can carry.
    public double admissibleShare(int pool, String zone, long nowNanos) {
        return 1;
    }
}
