package dev.tandem.routing;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Keeps requests in the zone they prefer, and says which part goes elsewhere when that zone can't carry them.
///
/// For requests that prefer zone z the zones form *levels*: z itself, then the zones of its failover list one by one,
/// then, if `spillAnywhere`, all others together. Source: Envoy's priority levels. With capacity in tokens per second,
/// healthy = present and not ejected, expected = also what was lost in the last `missedMillis` without being drained, and
/// demand = recent arrivals in tokens per second:
/// ```
/// health_l = min(1, overprovisioning x healthy_l / expected_l)
/// carry_0  = healthy_z / demand_z       carry_l = sum over the level of max(0, healthy - demand) / demand_z
/// load_l   = min(1 - load_0 - ... - load_(l-1), health_l, carry_l)        normalised if the sum is below 1
/// ```
/// So with the factor 1.4 a zone keeps everything until more than 2/7 of it are lost, and spills only the part that it
/// can't carry. Which requests spill is a hash of (seed, sequence, attempt).
///
/// **Panic**: when less than `panicShare` of a pool's expected capacity is healthy, ejected replicas are used as well.
///
/// **Admission**: [#admissibleShare] tells what part of a zone's demand may be let in so that everything let in can be
/// carried: the zone's own capacity and a fair part of what the zones it may fail over to have to spare,
/// ```
/// overflow_z = max(0, demand_z - healthy_z)      spare_z = sum over reachable y of max(0, healthy_y - demand_y)
/// share_z    = (min(demand_z, healthy_z) + overflow_z x min(1, spare_z / sum(overflow))) / demand_z
/// ```
/// so the traffic of a failing zone can't bring down the zones that are left.
public final class ZonePolicy {
    /// @param overprovisioning a zone counts as whole while healthy capacity x this reaches the expected one
    /// @param panicShare below this share of healthy capacity ejections are ignored
    /// @param utilisationMax part of a replica's predicted capacity that is planned with
    /// @param missedMillis how long lost capacity is expected back
    /// @param demandHalfLifeMillis half-life of the measured demand
    /// @param failover per zone, the zones that take over, first first
    /// @param spillAnywhere whether all other zones follow as the last level
    public record Options(
            double overprovisioning,
            double panicShare,
            double utilisationMax,
            int missedMillis,
            int demandHalfLifeMillis,
            Map<String, List<String>> failover,
            boolean spillAnywhere) {
        public static Options defaults() {
            return new Options(1.4, 0.3, 1, 600_000, 10_000, Map.of(), true);
        }

        public Options {
            Require.between("zones.overprovisioning", overprovisioning, 1, 100);
            Require.between("zones.panicShare", panicShare, 0, 1);
            Require.share("zones.utilisationMax", utilisationMax);
            Require.atLeast("zones.missedMillis", missedMillis, 0);
            Require.atLeast("zones.demandHalfLifeMillis", demandHalfLifeMillis, 1);
            failover = Map.copyOf(failover);
            for (Map.Entry<String, List<String>> rule : failover.entrySet()) {
                if (rule.getValue().contains(rule.getKey())) {
                    throw new IllegalArgumentException(
                            "zones.failover of " + rule.getKey() + " names the zone itself");
                }
            }
        }
    }

    /// Zones told apart; further names share the last number.
    static final int ZONES_MAX = 32;

    /// No zone is preferred.
    static final int ANY_ZONE = -1;

    private final Options options;
    private final String[] names = new String[ZONES_MAX];
    private final int[][] levelOf = new int[ZONES_MAX][ZONES_MAX]; // [from][to], -1 = not allowed
    private final int[] levels = new int[ZONES_MAX];
    private final PoolZones[] pools;
    private int zones;

    /// @param pools number of pools
    public ZonePolicy(Options options, int pools) {
        this.options = options;
        this.pools = new PoolZones[pools];
        for (int pool = 0; pool < pools; pool++) {
            this.pools[pool] = new PoolZones(options.demandHalfLifeMillis * 1_000_000L);
        }
    }

    /// The zone's number; [#ANY_ZONE] if no worker ever was in a zone of this name. A request's zone may be any text
    /// of a client, so it is only looked up.
    int find(String name) {
        for (int zone = 0; zone < zones; zone++) {
            if (names[zone].equals(name)) {
                return zone;
            }
        }
        return ANY_ZONE;
    }

    /// The number of a worker's zone, given when the first worker of the zone joins; [#ANY_ZONE] for the empty name.
    int join(String name) {
        int found = find(name);
        if (name.isEmpty() || found != ANY_ZONE) {
            return found;
        }
        if (zones == ZONES_MAX) {
            return ZONES_MAX - 1;
        }
        names[zones++] = name;
        for (int from = 0; from < zones; from++) {
            rank(from);
        }
        return zones - 1;
    }

    private void rank(int from) {
        Arrays.fill(levelOf[from], -1);
        levelOf[from][from] = 0;
        int next = 1;
        for (String name : options.failover.getOrDefault(names[from], List.of())) {
            int zone = find(name);
            if (zone >= 0 && levelOf[from][zone] < 0) {
                levelOf[from][zone] = next++;
            }
        }
        boolean others = false;
        for (int zone = 0; options.spillAnywhere && zone < zones; zone++) {
            if (levelOf[from][zone] < 0) {
                levelOf[from][zone] = next;
                others = true;
            }
        }
        levels[from] = others ? next + 1 : next;
    }

    /// Number of levels of the zone.
    int levels(int from) {
        return levels[from];
    }

    /// Level of `to` for requests that prefer `from`, or -1 if they may not go there. A replica without a zone is near
    /// to everybody.
    int level(int from, int to) {
        return to == ANY_ZONE ? 0 : levelOf[from][to];
    }

    /// A request has come, whether it is let in or not.
    void arrived(int pool, int from, int tokens, long nowNanos) {
        if (from != ANY_ZONE) {
            pools[pool].demand[from].add(tokens, nowNanos);
        }
    }

    /// The level that a request goes to.
    ///
    /// @param unit evenly from [0, 1), the request's own draw
    int chooseLevel(int pool, int from, double unit) {
        double[] loads = pools[pool].loads[from];
        double sum = 0;
        for (int level = 0; level < levels[from]; level++) {
            sum += loads[level];
            if (unit < sum) {
                return level;
            }
        }
        return 0; // nothing is known, or rounding
    }

    /// The share 0..1 of requests preferring `from` that goes to this level.
    double load(int pool, int from, int level) {
        return pools[pool].loads[from][level];
    }

    double admissibleShare(int pool, int from) {
        return from == ANY_ZONE ? 1 : pools[pool].admissible[from];
    }

    boolean isPanicking(int pool) {
        return pools[pool].panicking;
    }

    /// Takes stock of capacity and demand; loads and shares stay as they are until the next time.
    void refresh(HealthBook book, long nowNanos) {
        for (PoolZones pool : pools) {
            pool.clear(zones, nowNanos);
        }
        for (int i = 0; i < book.size(); i++) {
            Health health = book.get(i);
            boolean missed =
                    health.missed
                            && nowNanos - health.lostNanos < options.missedMillis * 1_000_000L;
            if (health.isPresent() || missed) {
                pools[health.pool].count(health, options.utilisationMax);
            }
        }
        for (PoolZones pool : pools) {
            pool.panicking = pool.healthySum < options.panicShare * pool.expectedSum;
            double overflow = 0;
            for (int zone = 0; zone < zones; zone++) {
                overflow += pool.overflow(zone);
            }
            for (int from = 0; from < zones; from++) {
                computeLoads(pool, from);
                computeAdmissible(pool, from, overflow);
            }
        }
    }

    private void computeLoads(PoolZones pool, int from) {
        double[] loads = pool.loads[from];
        double demand = pool.demandRate[from];
        double sum = 0;
        for (int level = 0; level < levels[from]; level++) {
            double healthy = 0;
            double expected = 0;
            double carried = 0;
            for (int zone = 0; zone < zones; zone++) {
                if (levelOf[from][zone] == level) {
                    healthy += pool.healthy[zone];
                    expected += pool.expected[zone];
                    carried += zone == from ? pool.healthy[zone] : pool.spare(zone);
                }
            }
            double health =
                    expected > 0 ? Math.min(1, options.overprovisioning * healthy / expected) : 0;
            double carry = demand > 0 ? carried / demand : 1;
            loads[level] = Math.min(1 - sum, Math.min(health, carry));
            sum += loads[level];
        }
        for (int level = 0; sum > 0 && level < levels[from]; level++) {
            loads[level] /= sum;
        }
    }

    private void computeAdmissible(PoolZones pool, int from, double overflowSum) {
        double demand = pool.demandRate[from];
        double overflow = pool.overflow(from);
        if (overflow <= 0) {
            pool.admissible[from] = 1;
            return;
        }
        double spare = 0;
        for (int zone = 0; zone < zones; zone++) {
            spare += levelOf[from][zone] > 0 ? pool.spare(zone) : 0;
        }
        double spilled = overflow * Math.min(1, spare / overflowSum);
        pool.admissible[from] = (demand - overflow + spilled) / demand;
    }

    /// One pool's figures by zone; capacity and demand in tokens per second.
    private static final class PoolZones {
        final double[] healthy = new double[ZONES_MAX];
        final double[] expected = new double[ZONES_MAX];
        final DecayingRate[] demand = new DecayingRate[ZONES_MAX];
        final double[] demandRate = new double[ZONES_MAX];
        final double[][] loads = new double[ZONES_MAX][ZONES_MAX + 1]; // [from][level]
        final double[] admissible = new double[ZONES_MAX];
        double healthySum;
        double expectedSum;
        boolean panicking;

        PoolZones(long demandHalfLifeNanos) {
            Arrays.fill(admissible, 1);
            for (int zone = 0; zone < ZONES_MAX; zone++) {
                demand[zone] = new DecayingRate(demandHalfLifeNanos);
            }
        }

        void clear(int zones, long nowNanos) {
            Arrays.fill(healthy, 0);
            Arrays.fill(expected, 0);
            healthySum = 0;
            expectedSum = 0;
            for (int zone = 0; zone < zones; zone++) {
                demandRate[zone] = demand[zone].perSecond(nowNanos);
            }
        }

        void count(Health health, double utilisationMax) {
            double capacity = health.tokensPerSecond * utilisationMax;
            boolean sound = health.isPresent() && health.state == Health.State.ADMITTED;
            expectedSum += capacity;
            healthySum += sound ? capacity : 0;
            if (health.zone != ANY_ZONE) {
                expected[health.zone] += capacity;
                healthy[health.zone] += sound ? capacity : 0;
            }
        }

        double overflow(int zone) {
            return Math.max(0, demandRate[zone] - healthy[zone]);
        }

        double spare(int zone) {
            return Math.max(0, healthy[zone] - demandRate[zone]);
        }
    }
}
