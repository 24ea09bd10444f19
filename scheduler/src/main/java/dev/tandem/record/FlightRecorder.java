package dev.tandem.record;

import dev.tandem.core.Commands;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.Event;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;

/// Writes what a core hears, and a hash of what it decides, so that [Replay] can run it again. It has to be there from
/// the core's first event on:
///
/// ```java
/// recorder.event(event, now);
/// Commands commands = core.on(event, now);
/// recorder.decided(event, now, commands);
/// ```
///
/// The event goes first: when the core fails on it, it is in the recording. Each event carries half of the hash of all
/// decisions before it, so a replay finds the very first one that differs.
///
/// The recording ends at its limit, or when the writer can't keep up: one line in the log, and nothing more is written,
/// since events after a gap can't be replayed. Allocates nothing per step once warm. Not thread-safe: the core's
/// owner owns it.
public final class FlightRecorder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FlightRecorder.class);
    private static final int END_FRAME_BYTES_MAX = 64;

    private final long bytesMax;
    private final String name;
    private final DecisionHash hash = new DecisionHash();
    private final FrameWriter frame = new FrameWriter();
    private final EventCodec codec = new EventCodec();
    private final FrameSink sink;
    private boolean recording = true;
    private long bytes;
    private long lastNanos;
    private long decided;
    private boolean awaitsDecision;

    /// @param bytesMax of the file
    FlightRecorder(FrameSink sink, String name, long headerBytes, long bytesMax) {
        this.sink = sink;
        this.name = name;
        this.bytes = headerBytes;
        this.bytesMax = bytesMax;
    }

    /// A recorder that writes in the caller's thread, for simulations and tools. Its calls throw
    /// [java.io.UncheckedIOException] when the disk fails.
    ///
    /// @param file must not exist
    /// @param startedMillis now, Unix time, milliseconds, for people
    /// @param bytesMax size of the file at most
    public static FlightRecorder toFile(
            Path file, CoreOptions options, String version, long startedMillis, long bytesMax)
            throws IOException {
        RecordingHeader header = new RecordingHeader(version, startedMillis, options);
        RecordingFile out = new RecordingFile(file, header);
        return new FlightRecorder(out, file.toString(), header.toBytes().length, bytesMax);
    }

    /// A recorder with a thread of its own that writes: the caller never waits for the disk. Makes a new file in the
    /// folder of `recorder` and deletes the oldest ones beyond its limit.
    ///
    /// @param startedMillis now, Unix time, milliseconds: the file's name begins with it
    public static FlightRecorder inBackground(
            RecorderOptions recorder, CoreOptions options, String version, long startedMillis)
            throws IOException {
        Path file = new RecordingFolder(recorder.dir()).next(startedMillis, recorder.filesMax());
        RecordingHeader header = new RecordingHeader(version, startedMillis, options);
        BackgroundSink sink = new BackgroundSink(new RecordingFile(file, header));
        LOG.info("recording to {}, at most {} bytes", file, recorder.fileBytesMax());
        return new FlightRecorder(
                sink, file.toString(), header.toBytes().length, recorder.fileBytesMax());
    }

    /// Whether events are still written.
    public boolean isRecording() {
        return recording;
    }

    /// The hash of all decisions so far; counts on when the recording has ended.
    public DecisionHash hash() {
        return hash;
    }

    /// Before the core hears of `event`.
    public void event(Event event, long nowNanos) {
        if (!recording) {
            return;
        }
        frame.clear();
        frame.putInt(0);
        frame.putByte(DecisionHash.kind(event));
        frame.putInt((int) hash.value());
        frame.putZigzag(nowNanos - lastNanos);
        codec.write(frame, event);
        int payload = frame.size() - Frame.LENGTH_BYTES;
        long size = frame.size() + Frame.CRC_BYTES;
        if (payload > Frame.PAYLOAD_BYTES_MAX || bytes + size + END_FRAME_BYTES_MAX > bytesMax) {
            end(EndReason.FULL);
            return;
        }
        frame.setInt(0, Frame.sealLength(payload));
        if (!sink.offer(frame.array(), frame.size())) {
            end(EndReason.BEHIND);
            return;
        }
        bytes += size;
        lastNanos = nowNanos;
        awaitsDecision = true;
    }

    /// After the core's answer, and before the next event.
    public void decided(Event event, long nowNanos, Commands commands) {
        hash.add(event, nowNanos, commands);
        if (recording) {
            decided++;
            awaitsDecision = false;
        }
    }

    private void end(EndReason reason) {
        if (!recording) {
            return;
        }
        recording = false;
        frame.clear();
        frame.putInt(0);
        frame.putByte(Frame.END);
        frame.putInt((int) hash.value());
        frame.putZigzag(0);
        frame.putByte(reason.ordinal());
        frame.putVarint(decided);
        frame.putLong(hash.value());
        frame.setInt(0, Frame.sealLength(frame.size() - Frame.LENGTH_BYTES));
        switch (reason) {
            case STOPPED -> {}
            case FULL, BEHIND, FAILED ->
                    LOG.warn(
                            "the recording {} ends after {} events: {}",
                            name,
                            decided,
                            reason.text());
        }
        sink.finish(frame.array(), frame.size());
    }

    /// Ends the recording and waits until it is on its way to the disk. After an event without an answer it says that
    /// the core failed.
    @Override
    public void close() {
        end(awaitsDecision ? EndReason.FAILED : EndReason.STOPPED);
        sink.awaitClosed();
    }
}
