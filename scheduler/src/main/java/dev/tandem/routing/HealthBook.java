package dev.tandem.routing;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The [Health] of every worker by *name*: a worker that leaves and comes back with a new incarnation keeps its history,
/// so one that flaps doesn't start with a clean sheet each time. Names of absent workers are bounded; the one that has
/// been away longest is forgotten first. Iterated in the order of first joins.
public final class HealthBook {
    private final int absentNamesMax;
    private final long halfLifeNanos;
    private final Map<String, Health> byName = new HashMap<>(); // looked up only, never iterated
    private final List<Health> all = new ArrayList<>();

    /// @param absentNamesMax names remembered of workers that aren't there
    /// @param halfLifeNanos the half-life of outcomes and latencies
    public HealthBook(int absentNamesMax, long halfLifeNanos) {
        if (absentNamesMax < 0) {
            throw new IllegalArgumentException(
                    "absentNamesMax must not be negative, is " + absentNamesMax);
        }
        if (halfLifeNanos <= 0) {
            throw new IllegalArgumentException(
                    "halfLifeNanos must be positive, is " + halfLifeNanos);
        }
        this.absentNamesMax = absentNamesMax;
        this.halfLifeNanos = halfLifeNanos;
    }

    /// A worker has joined; several incarnations of one name may be there for a moment.
    public Health joined(String name) {
        Health health = byName.get(name);
        if (health == null) {
            health = new Health(name, halfLifeNanos);
            byName.put(name, health);
            all.add(health);
        }
        health.present++;
        return health;
    }

    /// One incarnation of the worker is gone.
    public void lost(Health health, long nowNanos) {
        if (health.present == 0) {
            throw new IllegalStateException(health.name() + " is lost more often than it joined");
        }
        health.present--;
        health.lostNanos = nowNanos;
        forgetBeyond();
    }

    public int size() {
        return all.size();
    }

    public Health get(int index) {
        return all.get(index);
    }

    private void forgetBeyond() {
        int absent = 0;
        int oldest = -1;
        for (int i = 0; i < all.size(); i++) {
            Health health = all.get(i);
            if (!health.isPresent()) {
                absent++;
                if (oldest < 0 || health.lostNanos - all.get(oldest).lostNanos < 0) {
                    oldest = i;
                }
            }
        }
        if (absent > absentNamesMax) { // one at most: each loss adds one
            byName.remove(all.remove(oldest).name());
        }
    }
}
