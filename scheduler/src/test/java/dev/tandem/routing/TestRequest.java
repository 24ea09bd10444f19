package dev.tandem.routing;

/// The request of one choice; what depends on a replica is read from the [TestReplica].
final class TestRequest implements RouteRequest {
    long sequence;
    int attempt;
    long affinityKey;
    String zone = "";
    int promptTokens = 512;

    TestRequest sequence(long sequence) {
        this.sequence = sequence;
        return this;
    }

    TestRequest key(long affinityKey) {
        this.affinityKey = affinityKey;
        return this;
    }

    @Override
    public long sequence() {
        return sequence;
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public long affinityKey() {
        return affinityKey;
    }

    @Override
    public String zone() {
        return zone;
    }

    @Override
    public int promptTokens() {
        return promptTokens;
    }

    @Override
    public int cachedTokens(ReplicaView replica) {
        return ((TestReplica) replica).cachedTokens;
    }

    @Override
    public double prefillSeconds(ReplicaView replica) {
        return ((TestReplica) replica).prefillSeconds;
    }

    @Override
    public double transferSeconds(ReplicaView replica) {
        return ((TestReplica) replica).transferSeconds;
    }

    @Override
    public double modelResidency(ReplicaView replica) {
        return ((TestReplica) replica).modelResidency;
    }
}
