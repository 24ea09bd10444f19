package dev.tandem.load;

import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Runs a load. The calling thread is the driver: it alone decides when a request starts.
public final class LoadGenerator {
    private final LoadOptions options;
    private final OpenAiClient client;
    private final RequestBodies bodies;

    private LoadGenerator(LoadOptions options, OpenAiClient client, RequestBodies bodies) {
        this.options = options;
        this.client = client;
        this.bodies = bodies;
    }

    /// Runs to the end and writes the JSON file, if one is asked for.
    ///
    /// @param progress gets the live line, if it is asked for
    /// @throws IOException a file can't be read or written, or the server names no model
    /// @throws InterruptedException stopped; requests in flight are abandoned
    public static LoadReport run(LoadOptions options, PrintStream progress)
            throws IOException, InterruptedException {
        try (var client = new OpenAiClient(options)) {
            List<TraceFile.Row> trace =
                    options.arrivals() instanceof LoadOptions.Arrivals.Replay replay
                            ? TraceFile.read(replay.trace())
                            : List.of();
            String model = options.model() == null ? client.firstModel() : options.model();
            var generator = new LoadGenerator(options, client, new RequestBodies(options, model));
            generator.warmUp(trace);
            Instant startedAt = Instant.now();
            var report =
                    new LoadReport(options, model, startedAt, generator.measure(trace, progress));
            Path json = options.json();
            if (json != null) {
                new ObjectMapper()
                        .writerWithDefaultPrettyPrinter()
                        .writeValue(json.toFile(), report.toJson());
            }
            return report;
        }
    }

    private void warmUp(List<TraceFile.Row> trace) throws InterruptedException {
        int concurrency =
                options.arrivals() instanceof LoadOptions.Arrivals.ClosedLoop closed
                        ? closed.concurrency()
                        : 1;
        var slots = new Semaphore(concurrency);
        var unmeasured = new LoadStatistics();
        for (int i = 0; i < options.warmUpRequests(); i++) {
            slots.acquire();
            start(
                    trace.isEmpty() ? bodies.next() : ofTheLengthOf(trace.getFirst()),
                    System.nanoTime(),
                    unmeasured,
                    slots);
        }
        slots.acquire(concurrency);
    }

    /// With text of its own: a warm-up must not fill the server's prefix cache for what is measured.
    private byte[] ofTheLengthOf(TraceFile.Row row) {
        return bodies.next(new TraceFile.Row(0, row.inputTokens(), row.outputTokens(), List.of()));
    }

    private LoadReport.Figures measure(List<TraceFile.Row> trace, PrintStream progress)
            throws InterruptedException {
        var statistics = new LoadStatistics();
        ProgressLine line = options.progress() ? new ProgressLine(statistics, progress) : null;
        try {
            long startNanos = System.nanoTime();
            switch (options.arrivals()) {
                case LoadOptions.Arrivals.ClosedLoop closed ->
                        closedLoop(closed.concurrency(), startNanos, statistics);
                case LoadOptions.Arrivals.OpenLoop open -> openLoop(open, startNanos, statistics);
                case LoadOptions.Arrivals.Replay replay ->
                        replay(replay, trace, startNanos, statistics);
            }
            return statistics.figures(startNanos);
        } finally {
            if (line != null) {
                line.close();
            }
        }
    }

    private void closedLoop(int concurrency, long startNanos, LoadStatistics statistics)
            throws InterruptedException {
        var slots = new Semaphore(concurrency);
        long untilNanos = secondsMaxNanos();
        for (int i = 0; i < requestsMax(); i++) {
            long leftNanos = untilNanos - (System.nanoTime() - startNanos);
            if (leftNanos <= 0 || !slots.tryAcquire(leftNanos, TimeUnit.NANOSECONDS)) {
                break;
            }
            start(bodies.next(), System.nanoTime(), statistics, slots);
        }
        slots.acquire(concurrency); // all have ended: each does, by its own time limit
    }

    private void openLoop(
            LoadOptions.Arrivals.OpenLoop open, long startNanos, LoadStatistics statistics)
            throws InterruptedException {
        var slots = new Semaphore(options.inFlightMax());
        var random = new SplittableRandom(~options.seed());
        double atNanos = 0;
        for (int i = 0; i < requestsMax() && atNanos <= secondsMaxNanos(); i++) {
            startAt(bodies.next(), startNanos + (long) atNanos, statistics, slots);
            atNanos +=
                    -Math.log1p(-random.nextDouble())
                            / open.requestsPerSecond()
                            * 1e9; // exponential gaps
        }
        slots.acquire(options.inFlightMax());
    }

    private void replay(
            LoadOptions.Arrivals.Replay replay,
            List<TraceFile.Row> trace,
            long startNanos,
            LoadStatistics statistics)
            throws InterruptedException {
        var slots = new Semaphore(options.inFlightMax());
        for (int i = 0; i < Math.min(requestsMax(), trace.size()); i++) {
            TraceFile.Row row = trace.get(i);
            double atNanos = row.atNanos() / replay.timeScale();
            if (atNanos > secondsMaxNanos()) {
                break;
            }
            startAt(bodies.next(row), startNanos + (long) atNanos, statistics, slots);
        }
        slots.acquire(options.inFlightMax());
    }

    private void startAt(byte[] body, long dueNanos, LoadStatistics statistics, Semaphore slots)
            throws InterruptedException {
        for (long left = dueNanos - System.nanoTime();
                left > 0;
                left = dueNanos - System.nanoTime()) {
            TimeUnit.NANOSECONDS.sleep(left);
        }
        slots.acquire();
        start(body, dueNanos, statistics, slots);
    }

    private void start(byte[] body, long dueNanos, LoadStatistics statistics, Semaphore slots) {
        statistics.requestStarted();
        client.send(
                body,
                dueNanos,
                statistics,
                result -> {
                    statistics.requestEnded(result);
                    slots.release();
                });
    }

    private int requestsMax() {
        return options.requestsMax() == 0 ? Integer.MAX_VALUE : options.requestsMax();
    }

    private long secondsMaxNanos() {
        return options.secondsMax() == 0 ? Long.MAX_VALUE : (long) (options.secondsMax() * 1e9);
    }
}
