package dev.tandem.record;

import dev.tandem.core.Event;

import org.jspecify.annotations.Nullable;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// Reads a recording's events one by one. Trusts no byte: lengths and CRCs are checked before anything is made of them,
/// memory is bounded by the largest frame. A file that ends within a frame was cut off, by a crash most likely; everything
/// before is good. Not thread-safe.
public final class RecordingReader implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final InputStream in;
    private final RecordingHeader header;
    private final EventCodec codec = new EventCodec();
    private final FrameReader reader = new FrameReader();
    private byte[] frame = new byte[4096];
    private long offset;
    private long nanos;
    private int hashBefore;
    private boolean cut;
    private @Nullable End end;

    /// How a recording says that it ends.
    ///
    /// @param events those whose decisions are in the hash; one more may have been recorded when the core failed
    /// @param hash of all their decisions
    public record End(EndReason reason, long events, long hash) {}

    /// @throws IOException it can't be read, or [RecordingException]: is no recording that this version understands
    public RecordingReader(Path file) throws IOException {
        this.in = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES);
        boolean good = false;
        try {
            this.header = readHeader();
            good = true;
        } finally {
            if (!good) {
                in.close();
            }
        }
    }

    private RecordingHeader readHeader() throws IOException {
        byte[] fixed = in.readNBytes(RecordingHeader.FIXED_BYTES);
        int more = RecordingHeader.bytesAfter(fixed);
        byte[] rest = in.readNBytes(more);
        if (rest.length < more) {
            throw new RecordingException(fixed.length + rest.length, "cut off within the header");
        }
        byte[] all = Arrays.copyOf(fixed, fixed.length + more);
        System.arraycopy(rest, 0, all, fixed.length, more);
        offset = all.length;
        return RecordingHeader.of(all);
    }

    public RecordingHeader header() {
        return header;
    }

    /// The next event, or null at the end: [#end] and [#isCut] tell which one.
    ///
    /// @throws RecordingException the file is damaged
    public @Nullable Event next() throws IOException {
        if (end != null || cut) {
            return null;
        }
        int length = in.readNBytes(frame, 0, Frame.LENGTH_BYTES);
        if (length < Frame.LENGTH_BYTES) {
            cut = true; // also right behind a frame: a recording ends with its end
            return null;
        }
        reader.wrap(frame, 0, Frame.LENGTH_BYTES, offset);
        int payload = Frame.openLength(reader.getInt());
        if (payload < 0) {
            throw new RecordingException(offset, "damaged: the length of a frame");
        }
        int size = Frame.LENGTH_BYTES + payload + Frame.CRC_BYTES;
        if (!fill(size)) {
            cut = true;
            return null;
        }
        int crcAt = size - Frame.CRC_BYTES;
        reader.wrap(frame, crcAt, Frame.CRC_BYTES, offset + crcAt);
        if (reader.getInt() != RecordingHeader.crc(frame, 0, crcAt)) {
            throw new RecordingException(offset, "damaged: the CRC of a frame differs");
        }
        reader.wrap(frame, Frame.LENGTH_BYTES, payload, offset + Frame.LENGTH_BYTES);
        offset += size;
        int kind = reader.getByte();
        hashBefore = reader.getInt();
        nanos += reader.getZigzag();
        if (kind == Frame.END) {
            readEnd();
            return null;
        }
        return codec.read(reader, kind);
    }

    /// Reads a frame's rest in pieces, so that memory grows with the bytes that are there, not with those promised.
    private boolean fill(int size) throws IOException {
        int have = Frame.LENGTH_BYTES;
        while (have < size) {
            if (have == frame.length) {
                frame = Arrays.copyOf(frame, 2 * frame.length);
            }
            int want = Math.min(size, frame.length) - have;
            int got = in.readNBytes(frame, have, want);
            have += got;
            if (got < want) {
                return false;
            }
        }
        return true;
    }

    private void readEnd() throws IOException {
        int reason = reader.getByte();
        if (reason >= EndReason.values().length) {
            throw reader.wrong("no reason for an end has the number " + reason);
        }
        end = new End(EndReason.values()[reason], reader.getVarint(), reader.getLong());
        reader.requireEnd();
        if (in.read() >= 0) {
            throw new RecordingException(offset, "bytes behind the end");
        }
    }

    /// Time of the event that was read last.
    public long nanos() {
        return nanos;
    }

    /// Low half of the [DecisionHash] of all events before the one that was read last.
    public int hashBefore() {
        return hashBefore;
    }

    /// How the recording ends; null before, and when it was cut off.
    public @Nullable End end() {
        return end;
    }

    /// Whether it stops without an end.
    public boolean isCut() {
        return cut;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
