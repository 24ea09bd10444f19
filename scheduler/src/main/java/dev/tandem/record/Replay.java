package dev.tandem.record;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;
import dev.tandem.core.SchedulerCore;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;

/// Runs a recording through a fresh core and compares the decisions. Each event of a recording carries half of the hash
/// of all decisions before it, and the end all of it, so the first event with another decision is found; two
/// different decisions pass as equal once in four billion.
public final class Replay {
    /// Exit codes of `tandem replay`.
    public static final int EQUAL = 0;

    public static final int DIFFERENT = 1;
    public static final int BAD_FILE = 2;

    private final RecordingReader recording;
    private final SchedulerCore core;
    private final DecisionHash hash = new DecisionHash();
    private long events;
    private long firstNanos;
    private long lastNanos;
    private @Nullable Event lastEvent;

    /// What came out.
    ///
    /// @param events replayed
    /// @param recordedNanos from the first event to the last, by the recording's clock
    /// @param hash of all decisions of the replay
    /// @param cut the recording has no end: it holds everything up to a crash
    /// @param end how the recording ends, null when it is cut
    /// @param difference null when all decisions are equal
    /// @param failure what the core threw, both then and now; null when it did not
    public record Result(
            long events,
            long recordedNanos,
            long hash,
            boolean cut,
            RecordingReader.@Nullable End end,
            @Nullable Difference difference,
            @Nullable RuntimeException failure) {}

    /// The first event after which the replay is another run.
    ///
    /// @param event its number, from 1
    /// @param nanos its time, by the recording's clock
    /// @param kind what happened
    /// @param description what differs, with both values
    public record Difference(long event, long nanos, String kind, String description) {}

    private Replay(RecordingReader recording) {
        this.recording = recording;
        this.core = new SchedulerCore(recording.header().options());
    }

    /// Replays `file` and says how it went.
    ///
    /// @return the exit code
    public static int run(Path file, PrintStream out, PrintStream errors) {
        try (RecordingReader recording = new RecordingReader(file)) {
            RecordingHeader header = recording.header();
            out.printf(
                    "%s: recorded %s by version %s%n",
                    file, Instant.ofEpochMilli(header.startedMillis()), header.version());
            long start = System.nanoTime();
            Result result = replay(recording);
            print(result, System.nanoTime() - start, out);
            return result.difference() == null ? EQUAL : DIFFERENT;
        } catch (IOException e) {
            String message = e.getMessage();
            errors.printf(
                    "tandem: %s: %s%n",
                    file,
                    e instanceof RecordingException && message != null ? message : e.toString());
            return BAD_FILE;
        }
    }

    private static void print(Result result, long nanos, PrintStream out) {
        out.printf(
                "%,d events over %,.3f s replayed in %,.3f s, %,.0f events/s%n",
                result.events(),
                result.recordedNanos() / 1e9,
                nanos / 1e9,
                result.events() / (nanos / 1e9));
        RecordingReader.End end = result.end();
        out.printf(
                "the recording %s%n",
                end == null
                        ? "was cut off; everything before is compared"
                        : "ends since " + end.reason().text());
        RuntimeException failure = result.failure();
        if (failure != null) {
            out.printf(
                    "the core fails on the last event%s:%n",
                    end == null ? " before the cut" : ", as it did when it was recorded");
            failure.printStackTrace(out);
        }
        Difference difference = result.difference();
        if (difference == null) {
            out.printf("equal: decision hash %s%n", DecisionHash.text(result.hash()));
        } else {
            out.printf(
                    "DIFFERENT from event %,d on (%s, at %,.6f s): %s%n",
                    difference.event(),
                    difference.kind(),
                    difference.nanos() / 1e9,
                    difference.description());
        }
    }

    /// Replays all that `recording` holds, up to the first difference.
    ///
    /// @throws IOException the file can't be read or is damaged
    public static Result replay(RecordingReader recording) throws IOException {
        return new Replay(recording).run();
    }

    private Result run() throws IOException {
        Event event;
        while ((event = recording.next()) != null) {
            if (recording.hashBefore() != (int) hash.value()) {
                return different(halfHashes(recording.hashBefore()));
            }
            events++;
            lastNanos = recording.nanos();
            firstNanos = events == 1 ? lastNanos : firstNanos;
            lastEvent = event;
            try {
                Commands commands = core.on(event, lastNanos);
                hash.add(event, lastNanos, commands);
            } catch (RuntimeException e) {
                return failed(e);
            }
        }
        RecordingReader.End end = recording.end();
        if (end == null) {
            return result(null, null);
        } else if (end.reason() == EndReason.FAILED) {
            return different("the core failed when it was recorded, and does not now");
        } else if (end.events() != events || end.hash() != hash.value()) {
            return different(
                    "%d events with hash %s were recorded, %d with hash %s replayed"
                            .formatted(
                                    end.events(),
                                    DecisionHash.text(end.hash()),
                                    events,
                                    hash.text()));
        }
        return result(null, null);
    }

    /// The core threw at the event read last: equal if it did so when it was recorded.
    private Result failed(RuntimeException failure) throws IOException {
        Event after = recording.next();
        RecordingReader.End end = recording.end();
        boolean sameEnd =
                after == null
                        && (end == null
                                || (end.reason() == EndReason.FAILED
                                        && end.events() == events - 1
                                        && end.hash() == hash.value()));
        return sameEnd ? result(null, failure) : different("the core fails now: " + failure);
    }

    private String halfHashes(int recorded) {
        return "decision hash ..%s recorded, ..%s now"
                .formatted(half(recorded), half((int) hash.value()));
    }

    private static String half(int hash) {
        return DecisionHash.text(hash & 0xffff_ffffL).substring(8);
    }

    private Result different(String description) {
        Event event = lastEvent;
        String kind = event == null ? "start" : event.getClass().getSimpleName();
        return result(new Difference(events, lastNanos, kind, description), null);
    }

    private Result result(@Nullable Difference difference, @Nullable RuntimeException failure) {
        return new Result(
                events,
                lastNanos - firstNanos,
                hash.value(),
                recording.isCut(),
                recording.end(),
                difference,
                failure);
    }
}
