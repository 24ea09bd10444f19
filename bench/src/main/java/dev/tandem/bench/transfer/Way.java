package dev.tandem.bench.transfer;

/// One way to bring blocks from a source pool into a target pool of the same shape and size. Owned by one thread.
interface Way extends AutoCloseable {
    String name();

    /// Moves blocks `[first, first + count)` to the same numbers; returns when the target has them.
    void move(int first, int count) throws Exception;

    /// Whether the target holds what the source holds.
    boolean isEqual();

    @Override
    void close() throws Exception;
}
