package dev.tandem.batching;

/// The order in which prompts are computed: smallest rank first. The rank is fixed when a prompt arrives, so a queue never
/// has to be sorted again.
public interface PrefillOrder {
    /// @param arrivalNanos when the request arrived
    /// @param prefillNanos predicted time to compute what is not cached
    long rankNanos(long arrivalNanos, double prefillNanos);
}
