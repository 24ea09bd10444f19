package dev.tandem.transport;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/// Reads protobuf's wire format field by field and stops where the caller says, which
/// [com.google.protobuf.CodedInputStream] can't: it reads ahead.
final class PieceReader {
    private static final int VARINT_BYTES_MAX = 10;

    private final InputStream stream;
    private long left = Long.MAX_VALUE; // bytes of the message

    PieceReader(InputStream stream) {
        this.stream = stream;
    }

    static int tag(int field, int wireType) {
        return field << 3 | wireType;
    }

    /// Reads the length of an embedded message, which ends this reader's input.
    void begin() throws IOException {
        int length = varint32();
        if (length < 0) {
            throw new IOException("a message of negative length");
        }
        left = length;
    }

    boolean atEnd() {
        return left == 0;
    }

    /// The caller reads so many bytes itself.
    void take(int bytes) throws IOException {
        if (bytes < 0 || bytes > left) {
            throw new IOException("%d bytes in a message with %d left".formatted(bytes, left));
        }
        left -= bytes;
    }

    int varint32() throws IOException {
        return (int) varint64();
    }

    long varint64() throws IOException {
        long value = 0;
        for (int i = 0; i < VARINT_BYTES_MAX; i++) {
            int next = next();
            value |= (next & 0x7fL) << 7 * i;
            if (next < 0x80) {
                return value;
            }
        }
        throw new IOException("a number of more than ten bytes");
    }

    int fixed32() throws IOException {
        int value = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            value |= next() << shift;
        }
        return value;
    }

    long fixed64() throws IOException {
        return Integer.toUnsignedLong(fixed32()) | (long) fixed32() << Integer.SIZE;
    }

    private int next() throws IOException {
        int next = left > 0 ? stream.read() : -1;
        if (next < 0) {
            throw new EOFException("a message is cut off");
        }
        left--;
        return next;
    }
}
