package dev.tandem.bench;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;

import java.lang.management.ManagementFactory;

/// Counts the bytes that the core allocates in steady steps, exactly: by the JVM's own count for the thread, read before
/// and after each call of the core.
final class StepAllocation {
    private StepAllocation() {}

    /// Bytes per step over `steps` steps of a core that is warm: it has done as many before.
    static double bytesPerStep(int sequences, int steps) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        SteadyDecode world = new SteadyDecode(sequences, 2 * steps);
        long bytes = 0;
        for (int i = 0; i < 2 * steps; i++) {
            Event.StepDone result = world.nextResult();
            long before = threads.getCurrentThreadAllocatedBytes();
            Commands commands = world.apply(result);
            bytes += i < steps ? 0 : threads.getCurrentThreadAllocatedBytes() - before;
            world.take(commands);
        }
        return (double) bytes / steps;
    }
}
