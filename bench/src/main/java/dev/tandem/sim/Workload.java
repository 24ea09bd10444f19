package dev.tandem.sim;

import org.jspecify.annotations.Nullable;

/// Requests in the order of their arrival. Not thread-safe; each run opens its own.
public interface Workload {
    /// The next request, or null after the last one.
    @Nullable Arrival next();

    /// How many requests there are in all, for progress; -1 = not known.
    long size();
}
