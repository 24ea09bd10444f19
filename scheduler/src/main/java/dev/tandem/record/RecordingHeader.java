package dev.tandem.record;

import dev.tandem.core.CoreOptions;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;

/// The begin of a recording's file: magic, format version, length, and then the project's version, the start time, the
/// layout of everything that [RecordLayout] writes, the core's options, and a CRC32C.
///
/// @param version the project's version that recorded; for people
/// @param startedMillis when, Unix time, milliseconds; for people
/// @param options what the core was started with
public record RecordingHeader(String version, long startedMillis, CoreOptions options) {
    /// Changes with every change of the format, of [DecisionHash] or of what a field means.
    static final int FORMAT = 1;

    static final long MAGIC = 0x0a43_4552_4d44_4e54L; // "TNDMREC\n"
    static final int FIXED_BYTES = Long.BYTES + Integer.BYTES + Integer.BYTES;
    private static final int PAYLOAD_BYTES_MAX = 1 << 20;
    private static final RecordLayout<CoreOptions> OPTIONS = RecordLayout.of(CoreOptions.class);

    /// Names and types of all fields, a line a class.
    static List<String> layout() {
        Set<String> lines = new LinkedHashSet<>();
        OPTIONS.describe(lines);
        EventCodec.describe(lines);
        return List.copyOf(lines);
    }

    byte[] toBytes() {
        FrameWriter out = new FrameWriter();
        out.putLong(MAGIC);
        out.putInt(FORMAT);
        out.putInt(0);
        out.putText(version);
        out.putZigzag(startedMillis);
        List<String> layout = layout();
        out.putVarint(layout.size());
        layout.forEach(out::putText);
        OPTIONS.write(out, options);
        out.setInt(FIXED_BYTES - Integer.BYTES, out.size() - FIXED_BYTES);
        out.putInt(crc(out.array(), 0, out.size()));
        return Arrays.copyOf(out.array(), out.size());
    }

    /// Bytes after the fixed ones, CRC included.
    ///
    /// @param fixed the file's first [#FIXED_BYTES] bytes, or fewer when it has no more
    /// @throws RecordingException it is no recording, or one of another format
    static int bytesAfter(byte[] fixed) throws RecordingException {
        FrameReader in = new FrameReader();
        in.wrap(fixed, 0, fixed.length, 0);
        if (fixed.length < FIXED_BYTES || in.getLong() != MAGIC) {
            throw new RecordingException(0, "not a recording");
        }
        int format = in.getInt();
        if (format != FORMAT) {
            throw in.wrong(
                    "recording of format %d; this version reads format %d"
                            .formatted(format, FORMAT));
        }
        int bytes = in.getInt();
        if (bytes < 0 || bytes > PAYLOAD_BYTES_MAX) {
            throw in.wrong("damaged: a header of " + bytes + " bytes");
        }
        return bytes + Integer.BYTES;
    }

    /// @param header all bytes of the header
    static RecordingHeader of(byte[] header) throws RecordingException {
        FrameReader in = new FrameReader();
        int payloadEnd = header.length - Integer.BYTES;
        in.wrap(header, payloadEnd, Integer.BYTES, payloadEnd);
        if (in.getInt() != crc(header, 0, payloadEnd)) {
            throw new RecordingException(payloadEnd, "damaged: the header's CRC differs");
        }
        in.wrap(header, FIXED_BYTES, payloadEnd - FIXED_BYTES, FIXED_BYTES);
        String version = in.getText();
        long startedMillis = in.getZigzag();
        requireSameLayout(in, version);
        CoreOptions options = OPTIONS.read(in);
        in.requireEnd();
        return new RecordingHeader(version, startedMillis, options);
    }

    private static void requireSameLayout(FrameReader in, String version)
            throws RecordingException {
        List<String> ours = layout();
        int count = in.getCount(1);
        for (int i = 0; i < count; i++) {
            String line = in.getText();
            if (i >= ours.size() || !line.equals(ours.get(i))) {
                throw in.wrong(
                        "recorded by version %s with %s; this version has %s"
                                .formatted(
                                        version, line, i < ours.size() ? ours.get(i) : "no such"));
            }
        }
        if (count < ours.size()) {
            throw in.wrong("recorded by version %s without %s".formatted(version, ours.get(count)));
        }
    }

    static int crc(byte[] bytes, int from, int count) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, count);
        return (int) crc.getValue();
    }
}
