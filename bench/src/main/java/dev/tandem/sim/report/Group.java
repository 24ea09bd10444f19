package dev.tandem.sim.report;

import org.HdrHistogram.Histogram;

/// Figures of some of a run's requests: all, or those of a tenant, lane or class. Times in microseconds. Not thread-safe.
public final class Group {
    private static final long MICROS_MAX = 7L * 24 * 3600 * 1_000_000;
    private static final int DIGITS = 3;

    final Histogram ttft = histogram();
    final Histogram tpot = histogram();
    final Histogram gapMax = histogram();
    final Histogram endToEnd = histogram();
    final long[] met;
    long arrived;
    long completed;
    long refused;
    long failed;
    long cancelled;
    long promptTokens;
    long outputTokens;

    Group(int objectives) {
        met = new long[objectives];
    }

    private static Histogram histogram() {
        var histogram = new Histogram(MICROS_MAX, DIGITS);
        histogram.setAutoResize(false);
        return histogram;
    }

    static void record(Histogram histogram, double nanos) {
        histogram.recordValue(Math.clamp(Math.round(nanos / 1e3), 0, MICROS_MAX));
    }

    public Histogram ttftMicros() {
        return ttft;
    }

    public Histogram tpotMicros() {
        return tpot;
    }

    /// Of each completed request the longest wait for a next token.
    public Histogram gapMaxMicros() {
        return gapMax;
    }

    public Histogram endToEndMicros() {
        return endToEnd;
    }

    public long arrived() {
        return arrived;
    }

    public long completed() {
        return completed;
    }

    public long refused() {
        return refused;
    }

    public long failed() {
        return failed;
    }

    public long cancelled() {
        return cancelled;
    }

    public long promptTokens() {
        return promptTokens;
    }

    /// That reached clients, of unfinished requests too.
    public long outputTokens() {
        return outputTokens;
    }

    /// Requests that met an objective.
    public long met(int objective) {
        return met[objective];
    }

    public double shareMet(int objective) {
        long counted = arrived - cancelled;
        return counted == 0 ? 0 : (double) met[objective] / counted;
    }
}
