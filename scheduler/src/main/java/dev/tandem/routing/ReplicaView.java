package dev.tandem.routing;

/// What a policy may know of a replica. Implemented by the core's replica and read live, so a value may differ between
/// two choices but not within one.
public interface ReplicaView {
    /// Unique among the replicas joined, and never used again after a replica has left.
    int id();

    /// The worker's name; it outlives a restart of the worker, the id doesn't.
    String name();

    /// Speed relative to a typical replica, from its device facts; above 0, 1 = typical.
    double speed();

    /// Prompt tokens that are placed here and not computed yet, plus one per running sequence.
    long inFlightTokens();

    /// Predicted seconds until a new prompt would start to be computed here.
    double queueSeconds();

    /// Sequences that live here.
    int sequences();

    /// Sequences that may live here at once, 1 or more.
    int sequencesMax();

    /// Held KV blocks / all KV blocks, 0 to 1.
    double kvPressure();

    /// What is remembered of the worker of this name: what [Router#joined] returned.
    Health health();
}
