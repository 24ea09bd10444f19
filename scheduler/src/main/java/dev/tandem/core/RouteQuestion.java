package dev.tandem.core;

import dev.tandem.routing.ReplicaView;
import dev.tandem.routing.RouteRequest;

import org.jspecify.annotations.Nullable;

/// What routing policies may ask of the sequence that is being placed: one object, used again for each. A sequence's blocks
/// are looked up once per replica. Owned by [Placement].
final class RouteQuestion implements RouteRequest {
    private final boolean hasCache;
    private final boolean isMixed;
    private final HandoffDesk handoffs;
    private final PrefixFetches fetches;
    private final TierDesk tiers;
    private @Nullable Sequence sequence;
    private String zone = "";
    private long lookUps;

    RouteQuestion(
            CoreOptions options, HandoffDesk handoffs, PrefixFetches fetches, TierDesk tiers) {
        this.fetches = fetches;
        this.tiers = tiers;
        this.hasCache = options.prefixCache();
        this.isMixed = options.placement().roles() == PlacementOptions.Roles.MIXED;
        this.handoffs = handoffs;
    }

    /// From now on the answers are about this sequence, as its blocks are now.
    void about(Sequence next, String preferredZone) {
        sequence = next;
        zone = preferredZone;
        lookUps++;
    }

    void preferZone(String preferred) {
        zone = preferred;
    }

    /// Rises with each sequence asked about.
    long number() {
        return lookUps;
    }

    private Sequence current() {
        Sequence asked = sequence;
        if (asked == null) {
            throw new IllegalStateException("nothing is being placed");
        }
        return asked;
    }

    @Override
    public long sequence() {
        return current().id();
    }

    @Override
    public int attempt() {
        return current().attempts;
    }

    @Override
    public long affinityKey() {
        long key = current().terms().affinityKey();
        return key != 0 ? key : current().prefixKey();
    }

    @Override
    public String zone() {
        return zone;
    }

    @Override
    public int promptTokens() {
        return current().known();
    }

    @Override
    public int cachedTokens(ReplicaView view) {
        Replica replica = (Replica) view;
        if (replica.lookedUpFor != lookUps) {
            replica.lookedUpFor = lookUps;
            replica.lookedUpTokens = hasCache ? lookUp(replica) : 0;
        }
        return replica.lookedUpTokens;
    }

    private int lookUp(Replica replica) {
        int blockTokens = replica.facts().blockTokens();
        int full = (current().known() - 1) / blockTokens;
        return replica.pool().cachedPrefix(current().hashes(blockTokens), full) * blockTokens;
    }

    @Override
    public double prefillSeconds(ReplicaView view) {
        Replica replica = (Replica) view;
        int cached = cachedTokens(replica);
        double computed = replica.prefillSeconds(cached, current().known() - cached);
        double helped =
                Math.min(
                        fetches.seconds(this, current(), replica),
                        tiers.seconds(this, current(), replica));
        return Math.min(computed, helped);
    }

    /// What transfers took longer than the computation that they hide behind, of late.
    @Override
    public double transferSeconds(ReplicaView view) {
        return isMixed ? 0 : handoffs.exposedSeconds();
    }
}
