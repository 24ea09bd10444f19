package dev.tandem.sim.engine;

/// What carries KV blocks: a sender's network card sends one thing after the other, a receiver's takes in one thing after
/// the other, and the link between them may be slower than either.
final class NetworkCards {
    private final Agenda agenda;
    private final Links.Link[][] links;
    private final long[] sendsUntilNanos;
    private final long[] receivesUntilNanos;
    private final long[][] cutUntilNanos;

    NetworkCards(Agenda agenda, ClusterSpec cluster) {
        this.agenda = agenda;
        int nodes = cluster.replicas().size();
        this.sendsUntilNanos = new long[nodes];
        this.receivesUntilNanos = new long[nodes];
        this.cutUntilNanos = new long[nodes][nodes];
        this.links = new Links.Link[nodes][nodes];
        for (int from = 0; from < nodes; from++) {
            for (int to = 0; to < nodes; to++) {
                links[from][to] =
                        slowest(
                                cluster.replicas().get(from),
                                cluster.replicas().get(to),
                                cluster.links());
            }
        }
    }

    private static Links.Link slowest(ReplicaSpec from, ReplicaSpec to, Links links) {
        Links.Link link = links.between(from.zone(), to.zone());
        double rate = link.bytesPerSecond();
        double sends = from.device().linkBytesPerSecond();
        double receives = to.device().linkBytesPerSecond();
        rate = sends > 0 ? Math.min(rate, sends) : rate;
        rate = receives > 0 ? Math.min(rate, receives) : rate;
        return new Links.Link(rate, link.latencyNanos());
    }

    /// Sends bytes now, or as soon as what was sent before is out.
    ///
    /// @return when the last byte is there
    long pass(int from, int to, double bytes) {
        Links.Link link = links[from][to];
        long duration = (long) Math.ceil(bytes / link.bytesPerSecond() * 1e9);
        long start = Math.max(agenda.now(), sendsUntilNanos[from]);
        sendsUntilNanos[from] = start + duration;
        long end = Math.max(start, receivesUntilNanos[to]) + duration;
        receivesUntilNanos[to] = end;
        return end + link.latencyNanos();
    }

    long latency(int from, int to) {
        return links[from][to].latencyNanos();
    }

    /// Nothing passes between the two until then.
    void cut(int a, int b, long untilNanos) {
        cutUntilNanos[a][b] = Math.max(cutUntilNanos[a][b], untilNanos);
        cutUntilNanos[b][a] = cutUntilNanos[a][b];
    }

    long cutUntil(int from, int to) {
        return cutUntilNanos[from][to];
    }
}
