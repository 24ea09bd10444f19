package dev.tandem.routing;

/// One way to choose a replica. Owned by one thread; a choice allocates nothing once warm and depends on nothing but
/// the arguments and the calls before it.
public interface RoutingPolicy {
    /// @param candidates replicas that could take the request now, sorted by id; not changed
    /// @param nowNanos monotonic time, never smaller than at the call before
    /// @return index into `candidates`, or -1 if there are none
    int choose(RouteRequest request, Candidates candidates, long nowNanos);

    /// The set of replicas has changed: `members` are all of the pool, also those that are full, sorted by id. May
    /// allocate. A policy that was never told works as well, with the candidates that it sees.
    default void replicasChanged(Candidates members) {}
}
