package dev.tandem.routing;

/// A replica whose every fact a test sets.
final class TestReplica implements ReplicaView {
    final int id;
    final String name;
    Health health;
    double speed = 1;
    long inFlightTokens;
    double queueSeconds;
    int sequences;
    int sequencesMax = 64;
    double kvPressure;

    int cachedTokens;
    double prefillSeconds = 0.1;
    double transferSeconds;
    double modelResidency = 1;
    int picks;

    TestReplica(int id) {
        this(id, "worker-" + id);
    }

    TestReplica(int id, String name) {
        this.id = id;
        this.name = name;
        this.health = new Health(name, 30_000_000_000L);
    }

    static Candidates candidates(TestReplica... replicas) {
        Candidates candidates = new Candidates();
        for (TestReplica replica : replicas) {
            candidates.add(replica);
        }
        return candidates;
    }

    static TestReplica[] replicas(int count) {
        TestReplica[] replicas = new TestReplica[count];
        for (int i = 0; i < count; i++) {
            replicas[i] = new TestReplica(i);
        }
        return replicas;
    }

    /// Observes `ratio` often enough for every statistic to know it.
    TestReplica withLatency(double ratio) {
        for (int i = 0; i < 200; i++) {
            health.recordSuccess(ratio, 0);
        }
        return this;
    }

    TestReplica withErrors(int errors, int successes) {
        for (int i = 0; i < errors; i++) {
            health.recordError(0);
        }
        for (int i = 0; i < successes; i++) {
            health.recordSuccess(1, 0);
        }
        return this;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public double speed() {
        return speed;
    }

    @Override
    public long inFlightTokens() {
        return inFlightTokens;
    }

    @Override
    public double queueSeconds() {
        return queueSeconds;
    }

    @Override
    public int sequences() {
        return sequences;
    }

    @Override
    public int sequencesMax() {
        return sequencesMax;
    }

    @Override
    public double kvPressure() {
        return kvPressure;
    }

    @Override
    public Health health() {
        return health;
    }
}
