package dev.tandem.sim.workload;

/// Rows in the order of their time. Not thread-safe; one run owns it.
public interface RowReader extends AutoCloseable {
    /// Fills `row` with the next request.
    ///
    /// @return false after the last one; `row` means nothing then
    /// @throws TraceException a line is not of its format
    boolean next(TraceRow row);

    @Override
    void close();
}
