package dev.tandem.bench;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;

import java.lang.management.ManagementFactory;

/// Counts what the core allocates in steady steps, exactly: by the JVM's own count for the thread, read before and after
/// each call of the core.
///
/// @param steps counted
/// @param allocating steps of them that allocated at all
/// @param bytes of all of them
record StepAllocation(int steps, int allocating, long bytes) {
    /// Steps in which the JVM compiles.
    private static final int WARM_STEPS = 1_000;

    private static final int STEPS = 1_000;

    /// Counts `cores * STEPS` steady steps, one core after the other; as many before, in which the JVM compiles, don't count.
    static StepAllocation count(int sequences, int cores) {
        StepAllocation total = new StepAllocation(0, 0, 0);
        for (int i = -cores; i < cores; i++) {
            StepAllocation one = count(new SteadyDecode(sequences, WARM_STEPS + STEPS));
            if (i >= 0) {
                total =
                        new StepAllocation(
                                total.steps + one.steps,
                                total.allocating + one.allocating,
                                total.bytes + one.bytes);
            }
        }
        return total;
    }

    private static StepAllocation count(SteadyDecode world) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        int allocating = 0;
        long bytes = 0;
        while (world.stepsLeft() > 0) {
            boolean warm = world.stepsLeft() <= STEPS;
            Event.StepDone result = world.nextResult();
            long before = threads.getCurrentThreadAllocatedBytes();
            Commands commands = world.apply(result);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            world.take(commands);
            if (warm && allocated > 0) {
                allocating++;
                bytes += allocated;
            }
        }
        return new StepAllocation(STEPS, allocating, bytes);
    }
}
