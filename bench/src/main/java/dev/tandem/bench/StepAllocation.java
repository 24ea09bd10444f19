package dev.tandem.bench;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;

import java.lang.management.ManagementFactory;

/// Counts the bytes that the core allocates in steady steps, exactly: by the JVM's own count for the thread, read before
/// and after each call of the core.
final class StepAllocation {
    private StepAllocation() {}

    /// Steps of a new core until its sequences' own arrays have room for [#STEPS] more: each doubles at powers of two.
    private static final int WARM_STEPS = 2_100;

    private static final int STEPS = 1_000;

    /// Bytes per step over `cores * STEPS` steady steps, of one core after the other.
    static double bytesPerStep(int sequences, int cores) {
        long bytes = 0;
        for (int i = 0; i < cores; i++) {
            bytes += bytesOf(new SteadyDecode(sequences, WARM_STEPS + STEPS));
        }
        return (double) bytes / cores / STEPS;
    }

    private static long bytesOf(SteadyDecode world) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long bytes = 0;
        while (world.stepsLeft() > 0) {
            boolean warm = world.stepsLeft() <= STEPS;
            Event.StepDone result = world.nextResult();
            long before = threads.getCurrentThreadAllocatedBytes();
            Commands commands = world.apply(result);
            bytes += warm ? threads.getCurrentThreadAllocatedBytes() - before : 0;
            world.take(commands);
        }
        return bytes;
    }
}
