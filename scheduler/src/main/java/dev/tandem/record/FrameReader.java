package dev.tandem.record;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Reads what a [FrameWriter] wrote, and trusts nothing: every length is checked against the bytes that are left before
/// anything is allocated. Errors tell the offset in the file. Not thread-safe.
final class FrameReader {
    private static final VarHandle INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes = new byte[0];
    private int next;
    private int end;
    private long fileOffset;

    /// @param fileOffset where in the file `bytes[from]` lies
    void wrap(byte[] bytes, int from, int count, long fileOffset) {
        this.bytes = bytes;
        this.next = from;
        this.end = from + count;
        this.fileOffset = fileOffset - from;
    }

    int remaining() {
        return end - next;
    }

    RecordingException wrong(String message) {
        return new RecordingException(fileOffset + next, message);
    }

    RecordingException wrong(String message, Throwable cause) {
        return new RecordingException(fileOffset + next, message, cause);
    }

    private void require(long count) throws RecordingException {
        if (count < 0 || count > remaining()) {
            throw wrong("%d bytes expected, %d left".formatted(count, remaining()));
        }
    }

    /// Everything must have been read.
    void requireEnd() throws RecordingException {
        if (remaining() != 0) {
            throw wrong(remaining() + " bytes too many");
        }
    }

    int getByte() throws RecordingException {
        require(1);
        return bytes[next++] & 0xff;
    }

    boolean getBoolean() throws RecordingException {
        int value = getByte();
        if (value > 1) {
            throw wrong("neither true nor false: " + value);
        }
        return value == 1;
    }

    int getInt() throws RecordingException {
        require(Integer.BYTES);
        int value = (int) INTS.get(bytes, next);
        next += Integer.BYTES;
        return value;
    }

    long getLong() throws RecordingException {
        require(Long.BYTES);
        long value = (long) LONGS.get(bytes, next);
        next += Long.BYTES;
        return value;
    }

    long getVarint() throws RecordingException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int part = getByte();
            value |= (part & 0x7fL) << shift;
            if (part < 0x80) {
                return value;
            }
        }
        throw wrong("a number of more than ten bytes");
    }

    long getZigzag() throws RecordingException {
        long value = getVarint();
        return value >>> 1 ^ -(value & 1);
    }

    int getZigzagInt() throws RecordingException {
        long value = getZigzag();
        if (value != (int) value) {
            throw wrong("too large for 32 bits: " + value);
        }
        return (int) value;
    }

    /// A number of things to follow, each of at least `bytesEach` bytes.
    int getCount(int bytesEach) throws RecordingException {
        long count = getVarint();
        if (count < 0 || count > remaining() / bytesEach) {
            throw wrong("%d things announced in %d bytes".formatted(count, remaining()));
        }
        return (int) count;
    }

    String getText() throws RecordingException {
        int count = getCount(1);
        try {
            String text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes, next, count))
                            .toString();
            next += count;
            return text;
        } catch (CharacterCodingException e) {
            throw wrong("text that is not UTF-8", e);
        }
    }

    int[] getInts(int count) throws RecordingException {
        require(count);
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            values[i] = getZigzagInt();
        }
        return values;
    }

    long[] getRising(int count) throws RecordingException {
        require(count);
        long[] values = new long[count];
        long before = 0;
        for (int i = 0; i < count; i++) {
            before += getZigzag();
            values[i] = before;
        }
        return values;
    }

    long[] getLongs(int count) throws RecordingException {
        require((long) count * Long.BYTES);
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = getLong();
        }
        return values;
    }
}
