package dev.tandem.batching;

/// The static maximum.
public record FixedCap(int sequences) implements ConcurrencyCap {
    @Override
    public void observe(int decodeRows, long nanos) {}
}
