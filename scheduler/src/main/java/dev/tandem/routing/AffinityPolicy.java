package dev.tandem.routing;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// What [RingHash] and [Maglev] have in common. A table of slots, each owned by a member, and the affinity key's slot in it:
/// the distinct owners from there on are the key's *preference order*, the same for every request with that key.
///
/// - **Bounded load** (Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018): the first in
///   that order is taken whose sequences are below `ceil(loadFactor x (total + 1) x size / sum(size))`, total being the
///   sequences on all candidates and `size = speed x slow start weight`. The caps add up to more than the total, so one
///   always has room.
/// - **Secondary spreading**: a key with a share s of the recent requests ([HotKeys]) may use
///   `k = ceil(s x candidates / hotFill)` replicas, the first k of its order, and takes the least loaded of them, so that
///   one key fills at most `hotFill` of a replica's fair part. Below that k is 1 and the key has one home.
///
/// Members are told by [#replicasChanged]; a candidate that isn't among them is chosen only when no member is.
public abstract sealed class AffinityPolicy implements RoutingPolicy permits RingHash, Maglev {
    /// @param loadFactor c of the bounded load, above 1
    /// @param hotFill part of a replica's fair share of requests that one key may take there
    /// @param hotReplicasMax replicas that one key may use
    /// @param hotKeysMax keys counted at once
    /// @param hotRequestsMin recent requests (decayed) before any key counts as hot
    /// @param hotHalfLifeMillis half-life of the counts
    public record Options(
            double loadFactor,
            double hotFill,
            int hotReplicasMax,
            int hotKeysMax,
            int hotRequestsMin,
            int hotHalfLifeMillis) {
        public static Options defaults() {
            return new Options(1.25, 0.5, 16, 64, 50, 10_000);
        }

        public Options {
            Require.above("affinity.loadFactor", loadFactor, 1);
            Require.share("affinity.hotFill", hotFill);
            Require.atLeast("affinity.hotReplicasMax", hotReplicasMax, 1);
            Require.atLeast("affinity.hotKeysMax", hotKeysMax, 1);
            Require.atLeast("affinity.hotRequestsMin", hotRequestsMin, 1);
            Require.atLeast("affinity.hotHalfLifeMillis", hotHalfLifeMillis, 1);
        }
    }

    private final Options options;
    private final long seed;
    private final HotKeys hotKeys;
    private final LeastLoaded fallback = new LeastLoaded();
    private int[] memberIds = new int[0];
    private long[] seen = new long[0]; // number of the choice that has met the member
    private long choices;

    AffinityPolicy(Options options, long seed) {
        this.options = options;
        this.seed = seed;
        this.hotKeys = new HotKeys(options.hotKeysMax, options.hotHalfLifeMillis * 1_000_000L);
    }

    /// Builds the table for members `0..nameHashes.length - 1`, which are sorted by name.
    ///
    /// @param speeds relative size of each
    abstract void build(long[] nameHashes, double[] speeds);

    abstract int slots();

    abstract int slotOf(long keyHash);

    abstract int ownerOf(int slot);

    /// By name, not by id: a worker that comes back with a new id gets its old keys.
    @Override
    public final void replicasChanged(Candidates members) {
        @Nullable ReplicaView[] byName = new @Nullable ReplicaView[members.size()];
        for (int i = 0; i < byName.length; i++) {
            byName[i] = members.get(i);
        }
        Arrays.sort(byName, AffinityPolicy::compareByName);
        memberIds = new int[byName.length];
        seen = new long[byName.length];
        long[] nameHashes = new long[byName.length];
        double[] speeds = new double[byName.length];
        for (int i = 0; i < byName.length; i++) {
            ReplicaView member = byName[i];
            if (member != null) {
                memberIds[i] = member.id();
                nameHashes[i] = Hashing.of(member.name());
                speeds[i] = member.speed();
            }
        }
        build(nameHashes, speeds);
    }

    @Override
    public final int choose(RouteRequest request, Candidates candidates, long nowNanos) {
        if (candidates.isEmpty()) {
            return -1;
        }
        int spread = spread(request.affinityKey(), candidates.size(), nowNanos);
        double capPerSize = options.loadFactor * (sequences(candidates) + 1) / sizes(candidates);
        choices++;
        int slot = slotOf(Hashing.at(seed, request.affinityKey()));
        int met = 0;
        int best = -1;
        for (int i = 0; i < slots() && met < candidates.size(); i++) {
            int owner = ownerOf(slot);
            slot = slot + 1 == slots() ? 0 : slot + 1;
            if (seen[owner] == choices) {
                continue;
            }
            seen[owner] = choices;
            int candidate = candidates.indexOf(memberIds[owner]);
            if (candidate < 0) {
                continue;
            }
            met++;
            ReplicaView replica = candidates.get(candidate);
            if (replica.sequences() < Math.ceil(capPerSize * size(replica))
                    && (best < 0 || isLess(replica, candidates.get(best)))) {
                best = candidate;
            }
            if (best >= 0 && met >= spread) {
                return best;
            }
        }
        return best >= 0 ? best : fallback.choose(request, candidates, nowNanos);
    }

    /// Replicas that the key may use now, 1 or more.
    private int spread(long key, int candidates, long nowNanos) {
        double share = hotKeys.record(key, nowNanos);
        if (hotKeys.total() < options.hotRequestsMin) {
            return 1;
        }
        int wanted = (int) Math.ceil(share * candidates / options.hotFill);
        return Math.clamp(wanted, 1, Math.min(options.hotReplicasMax, candidates));
    }

    private static boolean isLess(ReplicaView one, ReplicaView other) {
        return one.sequences() * size(other) < other.sequences() * size(one);
    }

    private static long sequences(Candidates candidates) {
        long sum = 0;
        for (int i = 0; i < candidates.size(); i++) {
            sum += candidates.get(i).sequences();
        }
        return sum;
    }

    private static double size(ReplicaView replica) {
        return replica.speed() * replica.health().weight();
    }

    private static double sizes(Candidates candidates) {
        double sum = 0;
        for (int i = 0; i < candidates.size(); i++) {
            sum += size(candidates.get(i));
        }
        return sum;
    }

    private static int compareByName(@Nullable ReplicaView one, @Nullable ReplicaView other) {
        if (one == null || other == null) {
            throw new IllegalStateException("a member is missing");
        }
        int byName = one.name().compareTo(other.name());
        return byName != 0 ? byName : Integer.compare(one.id(), other.id());
    }
}
