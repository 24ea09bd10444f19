package dev.tandem.transport;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;

import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvPiece;

import org.jspecify.annotations.Nullable;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A frame as the receiver gets it.
sealed interface IncomingFrame {
    /// Anything but bytes of a block.
    record Message(KvFrame frame) implements IncomingFrame {}

    /// Reads a frame, of a piece only what stands before its bytes.
    ///
    /// @param stream of one message; a piece keeps it
    /// @throws IOException no `KvFrame`
    static IncomingFrame read(InputStream stream) throws IOException {
        int first = stream.read();
        if (first
                == PieceReader.tag(
                        KvFrame.PIECE_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
            var piece = new Piece(stream);
            piece.readHead();
            return piece;
        }
        if (first < 0) {
            return new Message(KvFrame.getDefaultInstance());
        }
        var rest = stream.readAllBytes(); // small, but for a writer that wants to be refused
        var all = new byte[rest.length + 1];
        all[0] = (byte) first;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return new Message(KvFrame.parseFrom(CodedInputStream.newInstance(all)));
    }

    /// Bytes of a block, still in gRPC's buffers. Valid while the frame is handled.
    final class Piece implements IncomingFrame {
        private final InputStream stream;
        private final PieceReader reader;
        private boolean crcRead;
        private int crc;
        private int payloadBytes;

        long lease;
        long writerIncarnation;
        long receiverIncarnation;
        int slot;
        long offset;
        long bytes;

        private Piece(InputStream stream) throws IOException {
            this.stream = stream;
            this.reader = new PieceReader(stream);
        }

        /// For tests: a piece whose parts are known.
        Piece(KvPiece message) throws IOException {
            this(withoutTag(message));
            readHead();
        }

        private static InputStream withoutTag(KvPiece message) throws IOException {
            InputStream frame =
                    KvFrame.newBuilder().setPiece(message).build().toByteString().newInput();
            if (frame.read() < 0) {
                throw new EOFException();
            }
            return frame;
        }

        private void readHead() throws IOException {
            reader.begin();
            while (!reader.atEnd()) {
                int tag = reader.varint32();
                if (tag
                        == PieceReader.tag(
                                KvPiece.PAYLOAD_FIELD_NUMBER,
                                WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
                    payloadBytes = reader.varint32();
                    reader.take(payloadBytes);
                    return;
                }
                field(tag);
            }
        }

        private void field(int tag) throws IOException {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case KvPiece.LEASE_FIELD_NUMBER -> lease = reader.varint64();
                case KvPiece.WRITER_INCARNATION_FIELD_NUMBER ->
                        writerIncarnation = reader.fixed64();
                case KvPiece.RECEIVER_INCARNATION_FIELD_NUMBER ->
                        receiverIncarnation = reader.fixed64();
                case KvPiece.SLOT_FIELD_NUMBER -> slot = reader.varint32();
                case KvPiece.OFFSET_FIELD_NUMBER ->
                        offset = Integer.toUnsignedLong(reader.varint32());
                case KvPiece.LENGTH_FIELD_NUMBER ->
                        bytes = Integer.toUnsignedLong(reader.varint32());
                case KvPiece.CRC32C_FIELD_NUMBER -> {
                    crc = reader.fixed32();
                    crcRead = true;
                }
                default ->
                        throw new IOException("unknown field " + WireFormat.getTagFieldNumber(tag));
            }
        }

        /// Bytes that came along; a good piece brings [#bytes].
        int payloadBytes() {
            return payloadBytes;
        }

        /// Moves the payload into the pool and checks it on the way.
        ///
        /// @return what is wrong with the bytes, in words; null when they are right. If they are not, they have been
        ///     written nevertheless.
        @Nullable String copyTo(MemorySegment target, long to) throws IOException {
            Scratch scratch = Scratch.ofThread();
            scratch.crc.reset();
            for (int at = 0; at < payloadBytes; ) {
                int part =
                        stream.readNBytes(
                                scratch.chunk,
                                0,
                                Math.min(scratch.chunk.length, payloadBytes - at));
                if (part == 0) {
                    throw new EOFException("a piece ends within its bytes");
                }
                scratch.crc.update(scratch.chunk, 0, part);
                MemorySegment.copy(scratch.chunk, 0, target, ValueLayout.JAVA_BYTE, to + at, part);
                at += part;
            }
            while (!reader.atEnd()) {
                field(reader.varint32());
            }
            int found = (int) scratch.crc.getValue();
            if (!crcRead) {
                return "there is no CRC32C";
            }
            return found == crc ? null : "CRC32C is %08x, %08x expected".formatted(found, crc);
        }
    }
}
