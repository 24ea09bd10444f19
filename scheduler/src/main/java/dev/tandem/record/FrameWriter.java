package dev.tandem.record;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Bytes under construction, in an array that grows and is reused. Whole numbers are written as varints: seven bits a
/// byte, the lowest first, zigzag for those that may be negative, so that small ones are short. Everything of fixed size
/// is little-endian. Not thread-safe.
final class FrameWriter {
    private static final VarHandle INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int VARINT_BYTES_MAX = 10;

    private byte[] bytes = new byte[4096];
    private int size;

    void clear() {
        size = 0;
    }

    int size() {
        return size;
    }

    /// The array behind; another one after a write that had to grow.
    byte[] array() {
        return bytes;
    }

    void setInt(int offset, int value) {
        INTS.set(bytes, offset, value);
    }

    void putByte(int value) {
        reserve(1);
        bytes[size++] = (byte) value;
    }

    void putBoolean(boolean value) {
        putByte(value ? 1 : 0);
    }

    void putInt(int value) {
        reserve(Integer.BYTES);
        INTS.set(bytes, size, value);
        size += Integer.BYTES;
    }

    void putLong(long value) {
        reserve(Long.BYTES);
        LONGS.set(bytes, size, value);
        size += Long.BYTES;
    }

    /// A number that is seldom negative: one that is takes ten bytes.
    void putVarint(long value) {
        reserve(VARINT_BYTES_MAX);
        putVarintReserved(value);
    }

    private void putVarintReserved(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[size++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
    }

    void putZigzag(long value) {
        putVarint(value << 1 ^ value >> 63);
    }

    void putText(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        putVarint(utf8.length);
        reserve(utf8.length);
        System.arraycopy(utf8, 0, bytes, size, utf8.length);
        size += utf8.length;
    }

    /// The first `count` values as zigzag varints; how many there are, the reader has to know.
    void putInts(int[] values, int count) {
        reserve((long) count * VARINT_BYTES_MAX / 2);
        for (int i = 0; i < count; i++) {
            int value = values[i];
            putVarintReserved((value << 1 ^ value >> 31) & 0xffff_ffffL);
        }
    }

    /// The first `count` values, each as the difference to the one before: rising numbers become short.
    void putRising(long[] values, int count) {
        reserve((long) count * VARINT_BYTES_MAX);
        long before = 0;
        for (int i = 0; i < count; i++) {
            long difference = values[i] - before;
            before = values[i];
            putVarintReserved(difference << 1 ^ difference >> 63);
        }
    }

    void putLongs(long[] values) {
        reserve((long) values.length * Long.BYTES);
        for (long value : values) {
            LONGS.set(bytes, size, value);
            size += Long.BYTES;
        }
    }

    private void reserve(long count) {
        long needed = size + count;
        if (needed > bytes.length) {
            if (needed > Integer.MAX_VALUE / 2) {
                throw new IllegalArgumentException("an event of over " + needed + " bytes");
            }
            bytes = Arrays.copyOf(bytes, (int) Math.max(needed, 2L * bytes.length));
        }
    }
}
