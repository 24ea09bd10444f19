package dev.tandem.kv;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.zip.CRC32C;

/// CRC-32C (Castagnoli, RFC 3720) of KV blocks, by the CPU's instructions. Every piece of a block that moves between
/// workers carries it: a transfer that delivers wrong bytes must never go unnoticed.
public final class Crc32c {
    /// Small enough to stay in the first- or second-level cache between the copy and the checksum.
    private static final int PIECE_BYTES = 64 << 10;

    private static final @Nullable NativeCrc32c NATIVE = NativeCrc32c.INSTANCE;

    private Crc32c() {}

    /// Whether copying and checking are one pass, in C.
    public static boolean isFused() {
        return NATIVE != null;
    }

    /// Checksum of all bytes of a native segment.
    public static int of(MemorySegment segment) {
        return of(segment, 0, segment.byteSize());
    }

    /// Checksum of `bytes` bytes of a native segment, from `from` on.
    ///
    /// @throws IndexOutOfBoundsException outside the segment
    public static int of(MemorySegment segment, long from, long bytes) {
        Objects.checkFromIndexSize(from, bytes, segment.byteSize());
        return NATIVE != null && segment.isNative()
                ? NATIVE.of(segment, from, bytes)
                : inJava(segment, from, bytes);
    }

    static int inJava(MemorySegment segment, long from, long bytes) {
        var crc = new CRC32C();
        for (long at = 0; at < bytes; at += PIECE_BYTES) {
            crc.update(view(segment, from + at, Math.min(PIECE_BYTES, bytes - at)));
        }
        return (int) crc.getValue();
    }

    /// Copies bytes between segments that don't overlap, and returns the checksum of what was copied. The source is read
    /// from memory once.
    ///
    /// @throws IndexOutOfBoundsException outside a segment
    public static int copy(
            MemorySegment source, long from, MemorySegment target, long to, long bytes) {
        Objects.checkFromIndexSize(from, bytes, source.byteSize());
        Objects.checkFromIndexSize(to, bytes, target.byteSize());
        return NATIVE != null && source.isNative() && target.isNative()
                ? NATIVE.copy(source, from, target, to, bytes)
                : copyInJava(source, from, target, to, bytes);
    }

    static int copyInJava(
            MemorySegment source, long from, MemorySegment target, long to, long bytes) {
        var crc = new CRC32C();
        for (long at = 0; at < bytes; at += PIECE_BYTES) {
            long piece = Math.min(PIECE_BYTES, bytes - at);
            MemorySegment.copy(source, from + at, target, to + at, piece);
            crc.update(view(source, from + at, piece));
        }
        return (int) crc.getValue();
    }

    private static ByteBuffer view(MemorySegment segment, long from, long bytes) {
        return segment.asSlice(from, bytes).asByteBuffer();
    }
}
