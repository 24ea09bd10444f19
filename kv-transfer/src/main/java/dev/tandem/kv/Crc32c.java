package dev.tandem.kv;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// CRC-32C (Castagnoli, RFC 3720) of KV blocks, by the CPU's instructions through [CRC32C]. Every block that
/// moves between workers carries it: a transfer that delivers wrong bytes must never go unnoticed.
public final class Crc32c {
    /// Small enough to stay in the first- or second-level cache between the copy and the checksum.
    private static final int PIECE_BYTES = 64 << 10;

    /// A view of a segment as one buffer can't be longer.
    private static final int VIEW_BYTES_MAX = 1 << 30;

    private Crc32c() {}

    /// Checksum of all bytes of a native segment.
    public static int of(MemorySegment segment) {
        var crc = new CRC32C();
        for (long at = 0; at < segment.byteSize(); at += VIEW_BYTES_MAX) {
            crc.update(
                    segment.asSlice(at, Math.min(VIEW_BYTES_MAX, segment.byteSize() - at))
                            .asByteBuffer());
        }
        return (int) crc.getValue();
    }

    /// Checksum of the buffer's remaining bytes; its position does not move.
    public static int of(ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes.duplicate());
        return (int) crc.getValue();
    }

    /// Copies `source` over `target` and returns the checksum of what was copied. Piece by piece, so that the
    /// source is read from memory once.
    ///
    /// @throws IllegalArgumentException sizes differ
    public static int copy(MemorySegment source, MemorySegment target) {
        long bytes = source.byteSize();
        if (target.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    "can't copy %d bytes over %d".formatted(bytes, target.byteSize()));
        }
        var crc = new CRC32C();
        for (long at = 0; at < bytes; at += PIECE_BYTES) {
            MemorySegment piece = source.asSlice(at, Math.min(PIECE_BYTES, bytes - at));
            MemorySegment.copy(piece, 0, target, at, piece.byteSize());
            crc.update(piece.asByteBuffer());
        }
        return (int) crc.getValue();
    }
}
