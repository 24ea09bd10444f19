package dev.tandem.record;

/// The frame around each event of a recording:
///
/// | bytes | what |
/// |---|---|
/// | 4 | length of the payload, 24 bits, and a check of these three bytes: a damaged length is told from a cut file |
/// | 1 | kind: [DecisionHash#kind], or [#END] |
/// | 4 | low half of the [DecisionHash] of all events before this one |
/// | 1..10 | nanoseconds since the event before, zigzag varint |
/// | n | the event's fields, [EventCodec] |
/// | 4 | CRC32C of all before |
///
/// The payload is all between the length and the CRC. An [#END] frame has instead of an event: the reason, the number
/// of events whose decisions are known, the whole hash.
final class Frame {
    static final int END = 0x7f;
    static final int LENGTH_BYTES = Integer.BYTES;
    static final int CRC_BYTES = Integer.BYTES;
    static final int PAYLOAD_BYTES_MIN = 6;
    static final int PAYLOAD_BYTES_MAX = (1 << 24) - 1;

    private Frame() {}

    static int sealLength(int length) {
        return length | check(length) << 24;
    }

    /// @return the length, or -1 when it is damaged
    static int openLength(int word) {
        int length = word & PAYLOAD_BYTES_MAX;
        return word >>> 24 == check(length) && length >= PAYLOAD_BYTES_MIN ? length : -1;
    }

    /// Changes with every single byte; not zero for zero.
    private static int check(int length) {
        return ~(length + (length >>> 8) + (length >>> 16)) & 0xff;
    }
}
