package dev.tandem.sim.workload;

import dev.tandem.sim.Arrival;
import dev.tandem.sim.Workload;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// Several workloads at the same time, in the order of their arrivals; at equal times the one named first goes first.
public final class MergedWorkload implements Workload {
    private final List<? extends Workload> workloads;
    private final @Nullable Arrival[] heads;
    private final long[] delays;

    /// @param delayNanos of all arrivals of the workload at the same place; the array may be shorter: no delay
    public MergedWorkload(List<? extends Workload> workloads, long... delayNanos) {
        this.workloads = List.copyOf(workloads);
        this.heads = new Arrival[workloads.size()];
        this.delays = new long[workloads.size()];
        System.arraycopy(delayNanos, 0, delays, 0, Math.min(delayNanos.length, delays.length));
        for (int i = 0; i < heads.length; i++) {
            advance(i);
        }
    }

    private void advance(int index) {
        Arrival head = workloads.get(index).next();
        long delay = delays[index];
        heads[index] =
                head == null || delay == 0
                        ? head
                        : new Arrival(
                                head.nanos() + delay,
                                head.prompt(),
                                head.outputTokens(),
                                head.terms(),
                                head.cancelAfterNanos());
    }

    @Override
    public @Nullable Arrival next() {
        Arrival first = null;
        int from = -1;
        for (int i = 0; i < heads.length; i++) {
            Arrival head = heads[i];
            if (head != null && (first == null || head.nanos() < first.nanos())) {
                first = head;
                from = i;
            }
        }
        if (first != null) {
            advance(from);
        }
        return first;
    }

    @Override
    public long size() {
        long sum = 0;
        for (Workload workload : workloads) {
            if (workload.size() < 0) {
                return -1;
            }
            sum += workload.size();
        }
        return sum;
    }
}
