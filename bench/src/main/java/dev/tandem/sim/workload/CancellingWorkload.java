package dev.tandem.sim.workload;

import dev.tandem.sim.Arrival;
import dev.tandem.sim.Workload;

import org.jspecify.annotations.Nullable;

/// A workload of which some clients go away before they have their answer: which ones and when is a function of the seed.
public final class CancellingWorkload implements Workload {
    private static final long SALT = 0x6361_6e63_656cL;

    private final Workload workload;
    private final double share;
    private final long afterNanosMax;
    private final long seed;
    private long number;

    /// @param share of the requests, 0..1
    /// @param afterNanosMax they go away up to so long after their arrival
    public CancellingWorkload(Workload workload, double share, long afterNanosMax, long seed) {
        if (!(share >= 0 && share <= 1) || afterNanosMax < 1) {
            throw new IllegalArgumentException(
                    "no share %s of cancels within %d ns".formatted(share, afterNanosMax));
        }
        this.workload = workload;
        this.share = share;
        this.afterNanosMax = afterNanosMax;
        this.seed = seed ^ SALT;
    }

    @Override
    public @Nullable Arrival next() {
        Arrival arrival = workload.next();
        long row = number++;
        if (arrival == null || Mixing.unit(seed, row) >= share) {
            return arrival;
        }
        long after = 1 + (long) (Mixing.unit(~seed, row) * afterNanosMax);
        return new Arrival(
                arrival.nanos(), arrival.prompt(), arrival.outputTokens(), arrival.terms(), after);
    }

    @Override
    public long size() {
        return workload.size();
    }
}
