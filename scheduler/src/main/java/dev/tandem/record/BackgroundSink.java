package dev.tandem.record;

import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Hands frames to a thread that writes them, through a bounded ring: the caller copies bytes and never waits for a disk.
/// One thread offers and finishes; a second one, started here, writes.
final class BackgroundSink implements FrameSink {
    private static final Logger LOG = LoggerFactory.getLogger(BackgroundSink.class);
    private static final int RING_BYTES = 1 << 25; // frames of up to an eighth of it fit
    private static final int FRAME = 1;
    private static final int FRAMES_AT_ONCE = 256;
    private static final long PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long CLOSE_MILLIS_MAX = 10_000;

    private final RecordingFile file;
    private final OneToOneRingBuffer ring;
    private final UnsafeBuffer frame = new UnsafeBuffer(new byte[0]);
    private final Thread writer;
    private byte[] scratch = new byte[4096];
    private volatile byte @Nullable [] last;
    private volatile boolean failed;

    BackgroundSink(RecordingFile file) {
        this(file, RING_BYTES);
        writer.start();
    }

    /// For tests: the writer has to be started.
    BackgroundSink(RecordingFile file, int ringBytes) {
        this.file = file;
        this.ring =
                new OneToOneRingBuffer(
                        new UnsafeBuffer(
                                ByteBuffer.allocateDirect(
                                        ringBytes + RingBufferDescriptor.TRAILER_LENGTH)));
        this.writer = Thread.ofPlatform().name("tandem-recorder").daemon().unstarted(this::write);
    }

    void start() {
        writer.start();
    }

    @Override
    public boolean offer(byte[] bytes, int count) {
        if (failed || count > ring.maxMsgLength()) {
            return false;
        }
        if (frame.byteArray() != bytes || frame.capacity() != bytes.length) {
            frame.wrap(bytes);
        }
        return ring.write(FRAME, frame, 0, count);
    }

    @Override
    public void finish(byte[] bytes, int count) {
        last = Arrays.copyOf(bytes, count);
        LockSupport.unpark(writer);
    }

    @Override
    public void awaitClosed() {
        try {
            writer.join(CLOSE_MILLIS_MAX);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (writer.isAlive()) {
            LOG.warn("the recording is still being written after {} ms", CLOSE_MILLIS_MAX);
        }
    }

    private void write() {
        try {
            writeAll();
        } catch (IOException e) {
            failed = true;
            LOG.warn("the recording has ended, writing it failed: {}", e.getMessage());
        }
    }

    private void writeAll() throws IOException {
        boolean flushed = true;
        byte[] end = null;
        while (end == null) {
            end = last; // read before the ring: nothing is offered after it
            boolean idle = ring.size() == 0;
            while (ring.size() > 0) { // a read may see nothing but the ring's padding
                drain();
                flushed = false;
            }
            if (idle && end == null) {
                if (!flushed) {
                    file.flush();
                    flushed = true;
                }
                LockSupport.parkNanos(PARK_NANOS);
            }
        }
        file.append(end, 0, end.length);
        file.close();
    }

    private void drain() throws IOException {
        IOException[] error = new IOException[1];
        ring.read(
                (type, buffer, index, length) -> {
                    if (error[0] != null) {
                        return;
                    }
                    if (scratch.length < length) {
                        scratch = new byte[Math.max(length, 2 * scratch.length)];
                    }
                    buffer.getBytes(index, scratch, 0, length);
                    try {
                        file.append(scratch, 0, length);
                    } catch (IOException e) {
                        error[0] = e;
                    }
                },
                FRAMES_AT_ONCE);
        if (error[0] != null) {
            throw error[0];
        }
    }
}
