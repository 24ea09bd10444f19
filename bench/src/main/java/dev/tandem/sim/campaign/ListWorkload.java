package dev.tandem.sim.campaign;

import dev.tandem.sim.Arrival;
import dev.tandem.sim.Workload;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// Requests from a list.
public final class ListWorkload implements Workload {
    private final List<Arrival> arrivals;
    private int next;

    /// @param arrivals by time
    public ListWorkload(List<Arrival> arrivals) {
        this.arrivals = List.copyOf(arrivals);
    }

    @Override
    public @Nullable Arrival next() {
        return next < arrivals.size() ? arrivals.get(next++) : null;
    }

    @Override
    public long size() {
        return arrivals.size();
    }
}
