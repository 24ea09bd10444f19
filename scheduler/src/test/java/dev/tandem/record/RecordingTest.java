package dev.tandem.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.admission.Terms;
import dev.tandem.core.Commands;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.Event;
import dev.tandem.core.Prompt;
import dev.tandem.core.SamplingParameters;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

class RecordingTest {
    private static final long SEED = Long.getLong("tandem.seed", 20261123L);
    private static final String REPEAT = "repeat with -Dtest=RecordingTest -Dtandem.seed=" + SEED;
    private static final long NO_LIMIT = Long.MAX_VALUE / 2;

    @TempDir Path dir;

    private record Recorded(FlightRecorder recorder) implements Traffic.Listener {
        @Override
        public void before(Event event, long nowNanos) {
            recorder.event(event, nowNanos);
        }

        @Override
        public void after(Event event, long nowNanos, Commands commands) {
            recorder.decided(event, nowNanos, commands);
        }
    }

    private FlightRecorder recorder(Path file, long bytesMax) throws IOException {
        return FlightRecorder.toFile(
                file, Traffic.options(), "1.2.3", 1_700_000_000_000L, bytesMax);
    }

    private Path record(long seed, int events) throws IOException {
        Path file = dir.resolve("r" + seed + "-" + events);
        try (FlightRecorder recorder = recorder(file, NO_LIMIT)) {
            Traffic.run(seed, events, new Recorded(recorder));
        }
        return file;
    }

    private static Replay.Result replay(Path file) throws IOException {
        try (RecordingReader reader = new RecordingReader(file)) {
            return Replay.replay(reader);
        }
    }

    @Test
    void aReplayDecidesTheSame() throws IOException {
        for (long seed = SEED; seed < SEED + 20; seed++) {
            Replay.Result result = replay(record(seed, 3_000));
            String repeat = "repeat with -Dtest=RecordingTest -Dtandem.seed=" + seed;
            assertThat(result.difference()).as(repeat).isNull();
            assertThat(result.events()).isGreaterThanOrEqualTo(3_000);
            assertThat(result.hash()).as(repeat).isEqualTo(Traffic.hash(seed, 3_000, -1).value());
            assertThat(Objects.requireNonNull(result.end()).reason()).isEqualTo(EndReason.STOPPED);
            assertThat(result.cut()).isFalse();
        }
    }

    @Test
    void theSameRunGivesTheSameBytes() throws IOException {
        byte[] first = Files.readAllBytes(record(SEED, 1_000));
        Files.delete(dir.resolve("r" + SEED + "-1000"));
        assertThat(Files.readAllBytes(record(SEED, 1_000))).as(REPEAT).isEqualTo(first);
    }

    @Test
    void theHeaderTellsVersionAndOptions() throws IOException {
        CoreOptions options = CoreOptions.defaults().withSteps(7, 6, 5).withRecovery(3, 2, 1);
        Path file = dir.resolve("header");
        FlightRecorder.toFile(file, options, "9.9", 12_345, NO_LIMIT).close();
        try (RecordingReader reader = new RecordingReader(file)) {
            assertThat(reader.header()).isEqualTo(new RecordingHeader("9.9", 12_345, options));
            assertThat(reader.next()).isNull();
        }
        assertThat(RecordingHeader.layout())
                .anyMatch(line -> line.startsWith("CoreOptions(stepTokensMax: INT, "));
    }

    @Test
    void otherTokensAreFoundAtTheirEvent() throws IOException {
        Path file = record(SEED, 500);
        List<Event> events = Traffic.events(SEED, 500);
        // The same recording, but for one token in one result: what follows was decided for the
        // other.
        int changed = 0;
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof Event.StepDone done && done.samples() > 0) {
                Path other = dir.resolve("changed-" + i);
                copyWithOtherToken(file, other, i);
                Replay.Result result = replay(other);
                if (result.difference() != null) { // a token that nobody waits for changes nothing
                    assertThat(result.difference().event()).as(REPEAT).isEqualTo(i + 1);
                    assertThat(result.difference().kind()).isEqualTo("StepDone");
                    changed++;
                }
            }
        }
        assertThat(changed).as(REPEAT).isGreaterThan(20);
    }

    /// Copies frame by frame with the hashes recorded, and makes another token of the first one of event `index`.
    private static void copyWithOtherToken(Path from, Path to, int index) throws IOException {
        try (RecordingReader reader = new RecordingReader(from)) {
            RecordingFile out = new RecordingFile(to, reader.header());
            EventCodec codec = new EventCodec();
            FrameWriter frame = new FrameWriter();
            long before = 0;
            Event event;
            for (int i = 0; (event = reader.next()) != null; i++) {
                if (i == index && event instanceof Event.StepDone done) {
                    done.tokens()[0] ^= 1;
                }
                frame.clear();
                frame.putInt(0);
                frame.putByte(DecisionHash.kind(event));
                frame.putInt(reader.hashBefore());
                frame.putZigzag(reader.nanos() - before);
                before = reader.nanos();
                codec.write(frame, event);
                frame.setInt(0, Frame.sealLength(frame.size() - Frame.LENGTH_BYTES));
                out.append(frame.array(), 0, frame.size());
            }
            out.close();
        }
    }

    @Test
    void everyFlippedByteIsNoticed() throws IOException {
        byte[] good = Files.readAllBytes(record(SEED, 120));
        Path file = dir.resolve("flipped");
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << i % 8);
            Files.write(file, bad);
            assertThatThrownBy(() -> replay(file))
                    .as("byte %d of %d; %s", i, good.length, REPEAT)
                    .isInstanceOf(RecordingException.class)
                    .hasMessageContaining("(at byte ");
        }
    }

    @Test
    void aCutRecordingIsReplayedUpToTheCut() throws IOException {
        byte[] whole = Files.readAllBytes(record(SEED, 120));
        int headerBytes = headerBytes(whole);
        Path file = dir.resolve("cut");
        long events = 0;
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            if (length < headerBytes) {
                assertThatThrownBy(() -> replay(file)).isInstanceOf(RecordingException.class);
            } else {
                Replay.Result result = replay(file);
                assertThat(result.cut()).as("%d bytes; %s", length, REPEAT).isTrue();
                assertThat(result.difference()).isNull();
                assertThat(result.events()).isBetween(events, events + 1);
                events = result.events();
            }
        }
        assertThat(events).isGreaterThanOrEqualTo(120);
    }

    private static int headerBytes(byte[] file) throws RecordingException {
        return RecordingHeader.FIXED_BYTES
                + RecordingHeader.bytesAfter(Arrays.copyOf(file, RecordingHeader.FIXED_BYTES));
    }

    @Test
    void theLimitEndsARecordingInGoodOrder() throws IOException {
        Path file = dir.resolve("limit");
        long bytesMax = 20_000;
        try (FlightRecorder recorder = recorder(file, bytesMax)) {
            Traffic.run(SEED, 5_000, new Recorded(recorder));
            assertThat(recorder.isRecording()).isFalse();
            assertThat(recorder.hash().value())
                    .as("the hash counts on")
                    .isEqualTo(Traffic.hash(SEED, 5_000, -1).value());
        }
        assertThat(Files.size(file)).isBetween(bytesMax * 9 / 10, bytesMax);
        Replay.Result result = replay(file);
        assertThat(result.difference()).isNull();
        assertThat(result.events()).isBetween(100L, 4_999L);
        assertThat(Objects.requireNonNull(result.end()).reason()).isEqualTo(EndReason.FULL);
    }

    @Test
    void theEventOnWhichTheCoreFailsIsInTheRecording() throws IOException {
        Path file = dir.resolve("failed");
        int[] tokens = new int[8];
        Arrays.fill(tokens, -1); // no token: can't be hashed
        Event broken =
                new Event.Submit(
                        1 << 20,
                        Prompt.of(tokens),
                        1,
                        SamplingParameters.greedy(),
                        Set.of(),
                        Terms.none());
        recordWithoutLastAnswer(file, broken);
        Replay.Result result = replay(file);
        assertThat(Objects.requireNonNull(result.end()).reason()).isEqualTo(EndReason.FAILED);
        assertThat(result.failure()).hasMessageContaining("negative token -1");
        assertThat(result.difference()).isNull();
    }

    @Test
    void aFailureThatDoesNotComeAgainIsADifference() throws IOException {
        Path file = dir.resolve("failed");
        recordWithoutLastAnswer(file, new Event.Tick());
        Replay.Result result = replay(file);
        assertThat(result.failure()).isNull();
        assertThat(Objects.requireNonNull(result.difference()).description())
                .contains("does not now");
    }

    private void recordWithoutLastAnswer(Path file, Event last) throws IOException {
        try (FlightRecorder recorder = recorder(file, NO_LIMIT)) {
            Traffic.run(SEED, 3, new Recorded(recorder)); // workers have joined, and have room
            recorder.event(last, Long.MAX_VALUE / 4);
        }
    }

    @Test
    void theBackgroundRecorderWritesTheSame() throws IOException {
        RecorderOptions options = new RecorderOptions(dir.resolve("made"), 1 << 30, 3);
        try (FlightRecorder recorder =
                FlightRecorder.inBackground(
                        options, Traffic.options(), "1.2.3", 1_700_000_000_000L)) {
            Traffic.run(SEED, 20_000, new Recorded(recorder));
        }
        List<Path> files = new RecordingFolder(options.dir()).recordings();
        assertThat(files).hasSize(1);
        assertThat(files.getFirst()).hasFileName("tandem-20231114T221320.000Z-0.rec");
        assertThat(files.getFirst()).hasSameBinaryContentAs(record(SEED, 20_000));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(files.getFirst())))
                .isEqualTo("rw-------");
    }

    @Test
    void aWriterThatCannotKeepUpEndsTheRecordingInGoodOrder() throws IOException {
        Path file = dir.resolve("behind");
        RecordingHeader header = new RecordingHeader("1", 0, Traffic.options());
        BackgroundSink sink = new BackgroundSink(new RecordingFile(file, header), 1 << 14);
        try (FlightRecorder recorder = new FlightRecorder(sink, "behind", 0, NO_LIMIT)) {
            Traffic.run(SEED, 2_000, new Recorded(recorder)); // nobody writes yet
            assertThat(recorder.isRecording()).isFalse();
            sink.start();
        }
        Replay.Result result = replay(file);
        assertThat(result.difference()).as(REPEAT).isNull();
        assertThat(result.events()).isBetween(50L, 1_999L);
        assertThat(Objects.requireNonNull(result.end()).reason()).isEqualTo(EndReason.BEHIND);
    }

    @Test
    void onlyTheNewestRecordingsAreKeptAndNothingElseIsTouched() throws IOException {
        Path folder = dir.resolve("kept");
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("mine.rec"), "mine");
        RecorderOptions options = new RecorderOptions(folder, 1 << 20, 3);
        for (int i = 0; i < 6; i++) {
            FlightRecorder.inBackground(options, Traffic.options(), "1", i * 1000L).close();
        }
        assertThat(new RecordingFolder(folder).recordings())
                .extracting(file -> file.getFileName().toString())
                .containsExactly(
                        "tandem-19700101T000003.000Z-0.rec",
                        "tandem-19700101T000004.000Z-0.rec",
                        "tandem-19700101T000005.000Z-0.rec");
        assertThat(folder.resolve("mine.rec")).hasContent("mine");
    }

    @Test
    void theCommandSaysWhatItFound() throws IOException {
        Path good = record(SEED, 300);
        assertThat(run(good)).startsWith("0 ").contains("equal: decision hash ");

        Path other = dir.resolve("other");
        copyWithOtherToken(good, other, firstSample());
        assertThat(run(other)).startsWith("1 ").contains("DIFFERENT from event ");

        byte[] bytes = Files.readAllBytes(good);
        Path cut = dir.resolve("cut");
        Files.write(cut, Arrays.copyOf(bytes, bytes.length - 30));
        assertThat(run(cut)).startsWith("0 ").contains("was cut off");

        bytes[bytes.length / 2] ^= 4;
        Path damaged = dir.resolve("damaged");
        Files.write(damaged, bytes);
        assertThat(run(damaged)).startsWith("2 ").contains("damaged");

        Path text = dir.resolve("text");
        Files.writeString(text, "hello");
        assertThat(run(text)).startsWith("2 ").contains("not a recording");
        assertThat(run(dir.resolve("none"))).startsWith("2 ").contains("NoSuchFile");
    }

    private static int firstSample() {
        List<Event> events = Traffic.events(SEED, 300);
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof Event.StepDone done && done.samples() > 0) {
                return i;
            }
        }
        throw new AssertionError(REPEAT + ": nothing was sampled");
    }

    /// @return the exit code and everything printed
    private static String run(Path file) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        int code = Replay.run(file, out, out);
        return code + " " + bytes.toString(StandardCharsets.UTF_8);
    }
}
