package dev.tandem.transport;

import dev.tandem.wire.KvReceipt;
import dev.tandem.wire.KvTransferGrpc;

import io.grpc.MethodDescriptor;
import io.grpc.Status;

import java.io.IOException;
import java.io.InputStream;

/// The method `Push` with marshallers of our own on the writer's and on the receiver's side: on the wire the messages
/// of `kv.proto`, but a piece's bytes never lie in a message object.
final class PushMethod {
    static final MethodDescriptor<OutgoingFrame, KvReceipt> WRITER =
            KvTransferGrpc.getPushMethod().toBuilder(
                            new WriteOnly(), KvTransferGrpc.getPushMethod().getResponseMarshaller())
                    .build();

    static final MethodDescriptor<IncomingFrame, KvReceipt> RECEIVER =
            KvTransferGrpc.getPushMethod().toBuilder(
                            new ReadOnly(), KvTransferGrpc.getPushMethod().getResponseMarshaller())
                    .build();

    private PushMethod() {}

    private static final class WriteOnly implements MethodDescriptor.Marshaller<OutgoingFrame> {
        @Override
        public InputStream stream(OutgoingFrame frame) {
            return switch (frame) {
                case OutgoingFrame.Message(var message) ->
                        KvTransferGrpc.getPushMethod().streamRequest(message);
                case OutgoingFrame.Piece piece -> piece.open();
            };
        }

        @Override
        public OutgoingFrame parse(InputStream stream) {
            throw new UnsupportedOperationException("the writer reads no frames");
        }
    }

    private static final class ReadOnly implements MethodDescriptor.Marshaller<IncomingFrame> {
        @Override
        public InputStream stream(IncomingFrame frame) {
            throw new UnsupportedOperationException("the receiver writes no frames");
        }

        @Override
        public IncomingFrame parse(InputStream stream) {
            try {
                return IncomingFrame.read(stream);
            } catch (IOException e) {
                throw Status.INVALID_ARGUMENT
                        .withDescription("not a frame: " + e.getMessage())
                        .withCause(e)
                        .asRuntimeException();
            }
        }
    }
}
