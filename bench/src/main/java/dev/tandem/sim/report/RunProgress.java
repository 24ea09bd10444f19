package dev.tandem.sim.report;

import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.ErrorCategory;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;

import java.io.PrintStream;
import java.util.Locale;

/// Shows how far a run is, at most five times a second: a line that is rewritten on a terminal, else one line every ten
/// seconds. Looks at the clock only now and then, so it costs a run nothing that counts.
public final class RunProgress implements SimulationObserver {
    private static final long LINE_NANOS_MIN = 200_000_000L;
    private static final long LOG_NANOS_MIN = 10_000_000_000L;
    private static final int EVENTS_BETWEEN_LOOKS = 4096;

    private final PrintStream out;
    private final boolean terminal;
    private final long size;
    private final long startNanos = System.nanoTime();
    private long lastLineNanos = startNanos;
    private int eventsToLook = EVENTS_BETWEEN_LOOKS;
    private long arrived;
    private long ended;
    private boolean shown;

    /// @param size requests in all, -1 = not known
    /// @param terminal whether a line can be rewritten
    public RunProgress(PrintStream out, long size, boolean terminal) {
        this.out = out;
        this.size = size;
        this.terminal = terminal;
    }

    @Override
    public void arrived(long sequence, Arrival arrival, long nanos) {
        arrived++;
        look(nanos);
    }

    @Override
    public void token(long sequence, long nanos) {
        look(nanos);
    }

    @Override
    public void finished(long sequence, long nanos) {
        ended++;
    }

    @Override
    public void failed(
            long sequence, ErrorCategory category, String code, long retryAfterMillis, long nanos) {
        ended++;
    }

    @Override
    public void cancelled(long sequence, long nanos) {
        ended++;
    }

    @Override
    public void sampled(CoreSnapshot snapshot, long nanos) {}

    private void look(long virtualNanos) {
        if (--eventsToLook > 0) {
            return;
        }
        eventsToLook = EVENTS_BETWEEN_LOOKS;
        long now = System.nanoTime();
        if (now - lastLineNanos >= (terminal ? LINE_NANOS_MIN : LOG_NANOS_MIN)) {
            lastLineNanos = now;
            print(virtualNanos, now);
        }
    }

    private void print(long virtualNanos, long now) {
        double wall = (now - startNanos) / 1e9;
        double virtual = virtualNanos / 1e9;
        String line =
                String.format(
                        Locale.ROOT,
                        "%.0f s simulated, %,.0f x real time, %d%s requests arrived, %d ended%s",
                        virtual,
                        virtual / wall,
                        arrived,
                        size < 0 ? "" : " of " + size,
                        ended,
                        size <= 0 || ended == 0
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        ", %.0f s left",
                                        wall * (size - ended) / ended));
        out.print(terminal ? "\r" + line + "   " : line + System.lineSeparator());
        out.flush();
        shown = true;
    }

    /// Ends the line.
    public void close() {
        if (terminal && shown) {
            out.println();
        }
    }
}
