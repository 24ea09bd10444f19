package dev.tandem.transport.ucx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The header of a message from writer to receiver; a piece's bytes are the message's data. Fixed places, little
/// endian, unaligned on the receiver's side:
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | kind, one of the constants here |
/// | 4 | 4 | slot (piece); pieces (commit) |
/// | 8 | 8 | attempt, numbered by the writer within its link |
/// | 16 | 8 | lease |
/// | 24 | 8 | writer's incarnation |
/// | 32 | 8 | receiver's incarnation |
/// | 40 | 4 | offset of the piece within its block, bytes |
/// | 44 | 4 | CRC32C of the piece |
final class UcxMessage {
    static final int AM_ID = 1;
    static final long HEADER_BYTES = 48;

    /// Nothing but a sign that messages arrive.
    static final int HELLO = 1;

    static final int PIECE = 2;
    static final int COMMIT = 3;

    /// The attempt is over: given up, or answered.
    static final int END = 4;

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private UcxMessage() {}

    static void write(
            MemorySegment header,
            int kind,
            int slotOrPieces,
            long attempt,
            long lease,
            long writerIncarnation,
            long receiverIncarnation) {
        header.set(INT, 0, kind);
        header.set(INT, 4, slotOrPieces);
        header.set(LONG, 8, attempt);
        header.set(LONG, 16, lease);
        header.set(LONG, 24, writerIncarnation);
        header.set(LONG, 32, receiverIncarnation);
    }

    static void writePlace(MemorySegment header, long offset, int crc32c) {
        header.set(INT, 40, (int) offset);
        header.set(INT, 44, crc32c);
    }

    static int kind(MemorySegment memory, long at) {
        return memory.get(INT, at);
    }

    static int slotOrPieces(MemorySegment memory, long at) {
        return memory.get(INT, at + 4);
    }

    static long attempt(MemorySegment memory, long at) {
        return memory.get(LONG, at + 8);
    }

    static long lease(MemorySegment memory, long at) {
        return memory.get(LONG, at + 16);
    }

    static long writerIncarnation(MemorySegment memory, long at) {
        return memory.get(LONG, at + 24);
    }

    static long receiverIncarnation(MemorySegment memory, long at) {
        return memory.get(LONG, at + 32);
    }

    static long offset(MemorySegment memory, long at) {
        return Integer.toUnsignedLong(memory.get(INT, at + 40));
    }

    static int crc32c(MemorySegment memory, long at) {
        return memory.get(INT, at + 44);
    }
}
