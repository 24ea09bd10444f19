package dev.tandem.routing;

/// What a policy may ask of the request being placed: a flyweight of the core, valid during one choice.
public interface RouteRequest {
    /// The sequence to place.
    long sequence();

    /// 0 for the first placement of this sequence, one more for each that followed; part of every pseudo-random draw.
    int attempt();

    /// Requests with the same key should meet the same replica: a hash of the first prompt blocks, or of a session.
    long affinityKey();

    /// The zone that should serve it: the client's, or the decode replica's while a prefill replica is chosen. Empty
    /// when there is no preference.
    String zone();

    /// Tokens to be computed if nothing were cached.
    int promptTokens();

    /// Leading tokens whose KV the replica has.
    int cachedTokens(ReplicaView replica);

    /// Predicted seconds to compute the uncached part of the prompt there, alone on the device.
    double prefillSeconds(ReplicaView replica);

    /// Predicted seconds to move the KV from the replica to where it is needed, as far as not hidden behind the
    /// computation. 0 when it stays.
    double transferSeconds(ReplicaView replica);

    /// How much of the model is ready there: 1 = loaded; smaller, above 0, when weights have to be loaded first.
    default double modelResidency(ReplicaView replica) {
        return 1;
    }
}
