package dev.tandem.transport;

import com.google.protobuf.CodedOutputStream;

import dev.tandem.wire.KvFrame;
import dev.tandem.wire.KvPiece;

import io.grpc.Drainable;
import io.grpc.KnownLength;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;

/// A frame that the writer sends.
sealed interface OutgoingFrame {
    /// Anything but bytes of a block.
    record Message(KvFrame frame) implements OutgoingFrame {}

    /// Bytes of a block, read from the pool when gRPC takes them. The checksum is that of the bytes as they went out
    /// and follows them, so that they are read once.
    ///
    /// @param memory the writer's pool
    record Piece(
            long lease,
            long writerIncarnation,
            long receiverIncarnation,
            int slot,
            int offset,
            MemorySegment memory,
            long from,
            int bytes)
            implements OutgoingFrame {

        private static final int CRC_BYTES = 5; // tag and fixed32

        InputStream open() {
            return new PieceStream(this);
        }

        /// Bytes of the piece's message before the payload.
        private int headBytes() {
            return CodedOutputStream.computeUInt64Size(KvPiece.LEASE_FIELD_NUMBER, lease)
                    + CodedOutputStream.computeFixed64Size(
                            KvPiece.WRITER_INCARNATION_FIELD_NUMBER, writerIncarnation)
                    + CodedOutputStream.computeFixed64Size(
                            KvPiece.RECEIVER_INCARNATION_FIELD_NUMBER, receiverIncarnation)
                    + CodedOutputStream.computeUInt32Size(KvPiece.SLOT_FIELD_NUMBER, slot)
                    + CodedOutputStream.computeUInt32Size(KvPiece.OFFSET_FIELD_NUMBER, offset)
                    + CodedOutputStream.computeUInt32Size(KvPiece.LENGTH_FIELD_NUMBER, bytes)
                    + CodedOutputStream.computeTagSize(KvPiece.PAYLOAD_FIELD_NUMBER)
                    + CodedOutputStream.computeUInt32SizeNoTag(bytes);
        }

        int messageBytes() {
            return headBytes() + bytes + CRC_BYTES;
        }

        int frameBytes() {
            int message = messageBytes();
            return CodedOutputStream.computeTagSize(KvFrame.PIECE_FIELD_NUMBER)
                    + CodedOutputStream.computeUInt32SizeNoTag(message)
                    + message;
        }

        void writeTo(OutputStream target) throws IOException {
            Scratch scratch = Scratch.ofThread();
            byte[] chunk = scratch.chunk;
            var head = CodedOutputStream.newInstance(chunk);
            head.writeTag(KvFrame.PIECE_FIELD_NUMBER, 2);
            head.writeUInt32NoTag(messageBytes());
            head.writeUInt64(KvPiece.LEASE_FIELD_NUMBER, lease);
            head.writeFixed64(KvPiece.WRITER_INCARNATION_FIELD_NUMBER, writerIncarnation);
            head.writeFixed64(KvPiece.RECEIVER_INCARNATION_FIELD_NUMBER, receiverIncarnation);
            head.writeUInt32(KvPiece.SLOT_FIELD_NUMBER, slot);
            head.writeUInt32(KvPiece.OFFSET_FIELD_NUMBER, offset);
            head.writeUInt32(KvPiece.LENGTH_FIELD_NUMBER, bytes);
            head.writeTag(KvPiece.PAYLOAD_FIELD_NUMBER, 2);
            head.writeUInt32NoTag(bytes);
            target.write(chunk, 0, head.getTotalBytesWritten());
            scratch.crc.reset();
            for (int at = 0; at < bytes; at += chunk.length) {
                int part = Math.min(chunk.length, bytes - at);
                MemorySegment.copy(
                        memory, java.lang.foreign.ValueLayout.JAVA_BYTE, from + at, chunk, 0, part);
                scratch.crc.update(chunk, 0, part);
                target.write(chunk, 0, part);
            }
            var tail = CodedOutputStream.newInstance(chunk);
            tail.writeFixed32(KvPiece.CRC32C_FIELD_NUMBER, (int) scratch.crc.getValue());
            target.write(chunk, 0, tail.getTotalBytesWritten());
        }
    }

    /// What gRPC takes a piece from: it asks for the length and then has it all written to its buffers.
    final class PieceStream extends InputStream implements Drainable, KnownLength {
        private final Piece piece;
        private boolean drained;

        PieceStream(Piece piece) {
            this.piece = piece;
        }

        @Override
        public int available() {
            return drained ? 0 : piece.frameBytes();
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            int bytes = available();
            drained = true;
            try {
                piece.writeTo(target);
            } catch (IllegalStateException e) { // the pool is closed: so is the lease
                throw new IOException(e);
            }
            return bytes;
        }

        @Override
        public int read() {
            throw new UncheckedIOException(new IOException("a piece is drained, not read"));
        }
    }
}
