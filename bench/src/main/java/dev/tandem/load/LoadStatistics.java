package dev.tandem.load;

import org.HdrHistogram.Histogram;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/// Adds up what happens. Safe for all threads. Histograms are in microseconds, three significant digits.
final class LoadStatistics {
    private static final long MICROS_MAX = 24L * 3600 * 1_000_000;
    private static final int ERROR_KINDS_MAX = 32;

    private final LongAdder chunks = new LongAdder();
    private final AtomicLong started = new AtomicLong();

    private final Histogram ttft = histogram();
    private final Histogram tpot = histogram();
    private final Histogram itl = histogram();
    private final Histogram endToEnd = histogram();
    private final Map<String, Long> errors = new TreeMap<>();
    private long completed;
    private long failed;
    private long promptTokens;
    private long outputTokens;
    private long countedByChunks;
    private long startsLateNanosMax;
    private long lastEndNanos;

    void requestStarted() {
        started.incrementAndGet();
    }

    void firstChunk() {
        chunks.increment();
    }

    /// @param gapNanos since the chunk before
    void nextChunk(long gapNanos) {
        chunks.increment();
        synchronized (this) {
            record(itl, gapNanos);
        }
    }

    synchronized void requestEnded(RequestResult result) {
        lastEndNanos =
                lastEndNanos == 0 ? result.endNanos() : Math.max(lastEndNanos, result.endNanos());
        startsLateNanosMax = Math.max(startsLateNanosMax, result.startNanos() - result.dueNanos());
        if (result.error() != null) {
            failed++;
            boolean known = errors.containsKey(result.error()) || errors.size() < ERROR_KINDS_MAX;
            errors.merge(known ? result.error() : "other", 1L, Long::sum);
            return;
        }
        completed++;
        promptTokens += result.promptTokens();
        outputTokens += result.outputTokens();
        countedByChunks += result.countedByChunks() ? 1 : 0;
        record(endToEnd, result.endNanos() - result.dueNanos());
        if (result.firstNanos() != 0) {
            record(ttft, result.firstNanos() - result.dueNanos());
            if (result.outputTokens() > 1) {
                record(
                        tpot,
                        (result.lastNanos() - result.firstNanos()) / (result.outputTokens() - 1));
            }
        }
    }

    long chunks() {
        return chunks.sum();
    }

    synchronized Progress progress() {
        return new Progress(completed, failed, started.get() - completed - failed, chunks());
    }

    /// @param startNanos when the first measured request was due
    synchronized LoadReport.Figures figures(long startNanos) {
        return new LoadReport.Figures(
                started.get(),
                completed,
                failed,
                Map.copyOf(errors),
                lastEndNanos == 0 ? 0 : (lastEndNanos - startNanos) / 1e9,
                promptTokens,
                outputTokens,
                countedByChunks,
                startsLateNanosMax / 1e6,
                LoadReport.Distribution.ofMicros(ttft),
                LoadReport.Distribution.ofMicros(tpot),
                LoadReport.Distribution.ofMicros(itl),
                LoadReport.Distribution.ofMicros(endToEnd));
    }

    /// @param chunks with text so far, of all requests
    record Progress(long completed, long failed, long inFlight, long chunks) {}

    private static Histogram histogram() {
        return new Histogram(MICROS_MAX, 3);
    }

    private static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.clamp(nanos / 1_000, 0, MICROS_MAX));
    }
}
