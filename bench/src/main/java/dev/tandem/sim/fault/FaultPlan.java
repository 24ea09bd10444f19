package dev.tandem.sim.fault;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/// What breaks in a run, and when. Immutable.
///
/// @param faults by time
/// @param jitterNanosMax messages and steps take up to so much longer, drawn from the run's seed
/// @param lostAfterNanos silence after which a worker is given up for lost
public record FaultPlan(List<Fault> faults, long jitterNanosMax, long lostAfterNanos) {
    private static final long MILLIS = 1_000_000;
    private static final FaultPlan NONE = new FaultPlan(List.of(), 0, 1000 * MILLIS);

    public FaultPlan {
        List<Fault> sorted = new ArrayList<>(faults);
        sorted.sort(Comparator.comparingLong(Fault::atNanos));
        faults = List.copyOf(sorted);
    }

    public static FaultPlan none() {
        return NONE;
    }

    public boolean has(FaultKind kind) {
        for (Fault fault : faults) {
            if (fault.kind() == kind) {
                return true;
            }
        }
        return false;
    }

    /// When the last fault is over.
    public long endNanos() {
        long end = 0;
        for (Fault fault : faults) {
            end = Math.max(end, fault.atNanos() + fault.durationNanos());
        }
        return end;
    }

    /// The same with other faults.
    public FaultPlan with(List<Fault> others) {
        return new FaultPlan(others, jitterNanosMax, lostAfterNanos);
    }

    /// Draws a plan: a few faults of few kinds, or many of all.
    ///
    /// @param kinds that may happen; clients that go away are up to the workload
    /// @param horizonNanos before which they begin
    public static FaultPlan random(
            SplittableRandom random, int nodes, long horizonNanos, Set<FaultKind> kinds) {
        List<FaultKind> drawn = new ArrayList<>(kinds);
        drawn.remove(FaultKind.CANCEL);
        drawn.sort(Comparator.naturalOrder());
        if (random.nextInt(4) != 0) {
            while (drawn.size() > 4) {
                drawn.remove(random.nextInt(drawn.size()));
            }
        }
        List<Fault> faults = new ArrayList<>();
        int count = drawn.isEmpty() ? 0 : random.nextInt(10);
        for (int i = 0; i < count; i++) {
            FaultKind kind = drawn.get(random.nextInt(drawn.size()));
            faults.add(draw(random, kind, nodes, random.nextLong(horizonNanos)));
        }
        return new FaultPlan(faults, MILLIS, (50 + random.nextInt(200)) * MILLIS);
    }

    private static Fault draw(SplittableRandom random, FaultKind kind, int nodes, long at) {
        int node = random.nextInt(nodes);
        return switch (kind) {
            case CRASH -> new Fault(kind, at, node, node, upTo(random, 400), 0);
            case PAUSE, PARTITION -> new Fault(kind, at, node, node, upTo(random, 500), 0);
            case WORKER_PARTITION ->
                    new Fault(kind, at, node, random.nextInt(nodes), upTo(random, 600), 0);
            case SLOW -> new Fault(kind, at, node, node, upTo(random, 500), 2 + random.nextInt(19));
            case DELAY -> new Fault(kind, at, node, node, upTo(random, 300), upTo(random, 60));
            case TRANSFER_LOST,
                    TRANSFER_BROKEN,
                    BLOCK_CORRUPTED,
                    BLOCK_DUPLICATED,
                    RESULT_DUPLICATED,
                    RESULT_CORRUPTED,
                    FOREIGN_EVENT ->
                    new Fault(kind, at, node, node, 0, 0);
            case LATE_WORDS, LEASE_DUPLICATED ->
                    new Fault(kind, at, node, node, upTo(random, 400), 0);
            case CLOCK_STEP -> new Fault(kind, at, node, node, 0, upTo(random, 5000));
            case CANCEL -> throw new IllegalArgumentException("clients belong to the workload");
        };
    }

    private static long upTo(SplittableRandom random, int millis) {
        return 1 + random.nextLong(millis * MILLIS);
    }
}
