package dev.tandem.sim.workload;

/// How one line becomes a row.
interface RowFormat {
    int TOKENS_MAX = 10_000_000;

    /// Whether the first line is a header rather than a row.
    default boolean isHeader(String line) {
        return false;
    }

    /// @param row cleared before
    /// @throws IllegalArgumentException the line is not of the format; the message says why
    void parse(String line, TraceRow row);

    /// Traces have a few rows without input or output; a request has at least one token of each.
    static int tokens(String name, long count) {
        if (count < 0 || count > TOKENS_MAX) {
            throw new IllegalArgumentException(
                    "%s must be from 0 to %d, is %d".formatted(name, TOKENS_MAX, count));
        }
        return (int) Math.max(1, count);
    }
}
