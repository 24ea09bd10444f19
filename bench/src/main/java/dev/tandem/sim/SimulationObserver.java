package dev.tandem.sim;

import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.ErrorCategory;

/// Hears what happens in a run, in the order of virtual time. Called on the simulation's thread for every token, so
/// an implementation has to be cheap. Sequences are numbered from 1 in the order of arrival.
public interface SimulationObserver {
    void arrived(long sequence, Arrival arrival, long nanos);

    /// A token has reached the client.
    void token(long sequence, long nanos);

    void finished(long sequence, long nanos);

    /// @param retryAfterMillis the wait that the client was told, 0 = none
    void failed(
            long sequence, ErrorCategory category, String code, long retryAfterMillis, long nanos);

    void cancelled(long sequence, long nanos);

    /// The core's state, every `sampleNanos` of virtual time.
    void sampled(CoreSnapshot snapshot, long nanos);
}
