package dev.tandem.batching;

/// How many sequences may run on a replica at once. One per replica; not thread-safe, owned by the core.
public interface ConcurrencyCap {
    /// At least 1.
    int sequences();

    /// A step with running sequences is done.
    ///
    /// @param decodeRows sequences that got a token
    /// @param nanos what the step took
    void observe(int decodeRows, long nanos);
}
