package dev.tandem.routing;

import java.util.Arrays;

/// The choice of a replica as the core calls it: a [RoutingPolicy] per pool, and around it what holds for all of them:
/// [OutlierEjection] with probes, [ZonePolicy], [SlowStart] and the [HealthBook] that they share.
///
/// A pool is a set of replicas that can stand in for one another: [#PREFILL_POOL] or [#DECODE_POOL]. Owned by one thread;
/// [#choose] and the calls that tell outcomes allocate nothing once warm.
public final class Router {
    public static final int PREFILL_POOL = 0;
    public static final int DECODE_POOL = 1;
    private static final int POOLS = 2;
    private static final long ZONE_SALT = 0x5A17_20E5L;

    private final HealthBook book;
    private final SlowStart slowStart;
    private final OutlierEjection ejection;
    private final ZonePolicy zones;
    private final RoutingPolicy[] policies;
    private final long zoneSeed;
    private final long refreshNanos;

    private final Candidates eligible = new Candidates();
    private int[] indices = new int[16]; // in the caller's candidates, of each eligible one
    private long nextRefreshNanos;
    private boolean stale = true;
    private long changesSeen;

    public Router(RoutingOptions options) {
        book =
                new HealthBook(
                        options.absentNamesMax(), options.healthHalfLifeMillis() * 1_000_000L);
        slowStart = new SlowStart(options.slowStart());
        ejection = new OutlierEjection(options.ejection(), book, slowStart, POOLS);
        zones = new ZonePolicy(options.zones(), POOLS);
        policies =
                new RoutingPolicy[] {
                    RoutingPolicies.create(options.prefillPolicy(), options),
                    RoutingPolicies.create(options.decodePolicy(), options)
                };
        zoneSeed = Hashing.at(options.seed(), ZONE_SALT);
        refreshNanos = options.refreshMillis() * 1_000_000L;
    }

    /// A worker has joined, perhaps again: the replica's [ReplicaView#health] from now on. It begins with slow start;
    /// an ejection that it had before goes on.
    ///
    /// @param zone empty = near to everybody
    /// @param tokensPerSecond what it can carry, predicted from its device facts; above 0
    public Health joined(
            String name, int pool, String zone, double tokensPerSecond, long nowNanos) {
        Require.above("tokensPerSecond of " + name, tokensPerSecond, 0);
        if (pool < 0 || pool >= POOLS) {
            throw new IllegalArgumentException("no pool " + pool);
        }
        Health health = book.joined(name);
        health.pool = pool;
        health.zone = zones.join(zone);
        health.tokensPerSecond = tokensPerSecond;
        health.missed = false;
        slowStart.begin(health, nowNanos);
        ejection.keepShare(pool, nowNanos);
        stale = true;
        return health;
    }

    /// An incarnation of the worker is gone. One that was drained on `planned` notice isn't missed; any other loss counts
    /// as an error of the worker.
    public void lost(Health health, boolean planned, long nowNanos) {
        book.lost(health, nowNanos);
        health.missed = !planned && !health.isPresent();
        if (!planned && health.state() == Health.State.ADMITTED) {
            health.recordError(nowNanos);
            ejection.failed(health, Health.NO_SEQUENCE, nowNanos);
        }
        ejection.lost(health, nowNanos);
        stale = true;
    }

    /// After joins and losses: all replicas that may be candidates of this pool's choices.
    public void replicasChanged(int pool, Candidates members) {
        policies[pool].replicasChanged(members);
    }

    /// A request for the pool has arrived, whether it will be let in or not: the zones' demand.
    public void arrived(int pool, String zone, int tokens, long nowNanos) {
        zones.arrived(pool, zones.find(zone), tokens, nowNanos);
    }

    /// Share 0..1 of the requests that prefer `zone` which the pool's healthy replicas can carry, taking into account
    /// what the other zones have to carry themselves. 1 while no demand was told by [#arrived].
    public double admissibleShare(int pool, String zone, long nowNanos) {
        refreshIfDue(nowNanos);
        return zones.admissibleShare(pool, zones.find(zone));
    }

    /// Chooses, and counts the choice as made: a caller that can't place there after all calls [#abandoned]. An ejected
    /// replica whose time is up gets one request as a probe, always a first attempt, so that no sequence is sent to
    /// suspect replicas again and again.
    ///
    /// @return index into `candidates`, or -1 if there are none or the zone rules allow none
    public int choose(int pool, RouteRequest request, Candidates candidates, long nowNanos) {
        if (candidates.isEmpty()) {
            return -1;
        }
        refreshIfDue(nowNanos);
        int from = zones.find(request.zone());
        for (int i = 0; request.attempt() == 0 && i < candidates.size(); i++) {
            Health health = candidates.get(i).health();
            if (ejection.isProbeDue(health, nowNanos) && isAllowed(from, health)) {
                ejection.probe(health, request.sequence(), nowNanos);
                return i;
            }
        }
        selectEligible(pool, from, request, candidates);
        int chosen = policies[pool].choose(request, eligible, nowNanos);
        return chosen < 0 ? -1 : indices[chosen];
    }

    /// Work went well: call once per placement, when its first result is in or at its end.
    public void succeeded(
            Health health,
            long sequence,
            double predictedSeconds,
            double observedSeconds,
            long nowNanos) {
        double ratio = Health.ratio(predictedSeconds, observedSeconds);
        if (health.state() == Health.State.ADMITTED) {
            health.recordSuccess(ratio, nowNanos);
            slowStart.succeeded(health, ratio, nowNanos);
        } else {
            ejection.succeeded(health, sequence, ratio, nowNanos);
        }
    }

    /// Work failed by the replica's fault.
    public void failed(Health health, long sequence, long nowNanos) {
        if (health.state() == Health.State.ADMITTED) {
            health.recordError(nowNanos);
            slowStart.failed(health, nowNanos);
        }
        ejection.failed(health, sequence, nowNanos);
    }

    /// The work ended without saying anything of the replica: cancelled, preempted, or not placed after all.
    public void abandoned(Health health, long sequence) {
        ejection.abandoned(health, sequence);
    }

    /// Whether so much of the pool's capacity is missing that ejections are ignored ([ZonePolicy]).
    public boolean isPanicking(int pool) {
        return zones.isPanicking(pool);
    }

    /// The memory of workers, for metrics.
    public HealthBook book() {
        return book;
    }

    private boolean isAllowed(int from, Health health) {
        return from == ZonePolicy.ANY_ZONE || zones.level(from, health.zone) >= 0;
    }

    private void refreshIfDue(long nowNanos) {
        boolean due = stale || nowNanos - nextRefreshNanos >= 0;
        if (due) {
            for (int i = 0; i < book.size(); i++) {
                book.get(i).decay(nowNanos);
            }
            ejection.evaluate(nowNanos);
            nextRefreshNanos = nowNanos + refreshNanos;
            stale = false;
        }
        if (due || changesSeen != ejection.changes()) {
            changesSeen = ejection.changes();
            zones.refresh(book, nowNanos);
        }
    }

    /// The replicas of the request's level that aren't ejected; if there are none, those of the following levels; if
    /// there are none either, ejected ones: a suspect replica is better than none.
    private void selectEligible(int pool, int from, RouteRequest request, Candidates candidates) {
        boolean panicking = zones.isPanicking(pool);
        if (from == ZonePolicy.ANY_ZONE) {
            if (!select(candidates, from, -1, panicking)) {
                select(candidates, from, -1, true);
            }
            return;
        }
        int levels = zones.levels(from);
        long draw = Hashing.draw(zoneSeed, request.sequence(), request.attempt());
        int level = zones.chooseLevel(pool, from, Hashing.unit(draw));
        for (int i = 0; i < levels; i++) {
            if (select(candidates, from, (level + i) % levels, panicking)) {
                return;
            }
        }
        for (int i = 0; i < levels; i++) {
            if (select(candidates, from, i, true)) {
                return;
            }
        }
    }

    /// @return whether any was found
    private boolean select(Candidates candidates, int from, int level, boolean ejectedToo) {
        eligible.clear();
        for (int i = 0; i < candidates.size(); i++) {
            ReplicaView replica = candidates.get(i);
            Health health = replica.health();
            boolean near = from == ZonePolicy.ANY_ZONE || zones.level(from, health.zone) == level;
            if (near && (ejectedToo || health.state() == Health.State.ADMITTED)) {
                if (eligible.size() == indices.length) {
                    indices = Arrays.copyOf(indices, 2 * indices.length);
                }
                indices[eligible.size()] = i;
                eligible.add(replica);
            }
        }
        return !eligible.isEmpty();
    }
}
