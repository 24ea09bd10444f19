package dev.tandem.load;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Rewrites one line a second, for a terminal, until closed.
final class ProgressLine implements AutoCloseable {
    private static final long JOIN_MILLIS_MAX = 2_000;

    private final LoadStatistics statistics;
    private final PrintStream out;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    ProgressLine(LoadStatistics statistics, PrintStream out) {
        this.statistics = statistics;
        this.out = out;
        this.thread = Thread.ofPlatform().name("load-progress").daemon().start(this::run);
    }

    private void run() {
        long startNanos = System.nanoTime();
        long lastNanos = startNanos;
        long lastChunks = 0;
        try {
            boolean last;
            do {
                last = closed.await(1, TimeUnit.SECONDS);
                long now = System.nanoTime();
                LoadStatistics.Progress p = statistics.progress();
                out.printf(
                        Locale.ROOT,
                        "\r%.0f s  done %d  in flight %d  chunks/s %.0f  errors %d   ",
                        (now - startNanos) / 1e9,
                        p.completed(),
                        p.inFlight(),
                        (p.chunks() - lastChunks) * 1e9 / Math.max(1, now - lastNanos),
                        p.failed());
                out.flush();
                lastNanos = now;
                lastChunks = p.chunks();
            } while (!last);
            out.println();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws InterruptedException {
        closed.countDown();
        thread.join(JOIN_MILLIS_MAX);
    }
}
