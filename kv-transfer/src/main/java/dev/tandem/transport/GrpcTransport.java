package dev.tandem.transport;

import com.google.protobuf.UnsafeByteOperations;

import dev.tandem.kv.Crc32c;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// Blocks inside the frames of a gRPC stream: works between any two hosts.
final class GrpcTransport implements BlockTransport {
    @Override
    public TransportKind kind() {
        return TransportKind.TRANSPORT_KIND_GRPC;
    }

    @Override
    public BlockLink open(TransferEndpoint endpoint, long receiverIncarnation, long waitMillisMax)
            throws IOException, InterruptedException {
        return new Link(
                GrpcConnection.open(endpoint.getAddress(), receiverIncarnation, waitMillisMax));
    }

    /// Sends one block in its frame. gRPC serializes within the call, so the wrapped memory is not referred to
    /// afterwards.
    static void putInline(PushStream stream, int slot, MemorySegment block) {
        stream.block(
                slot,
                block.byteSize(),
                Crc32c.of(block),
                UnsafeByteOperations.unsafeWrap(block.asByteBuffer()));
    }

    private record Link(GrpcConnection connection) implements BlockLink {
        @Override
        public BlockChannel open(long lease, long writerIncarnation, Events events) {
            return new Channel(connection.push(lease, writerIncarnation, events));
        }

        @Override
        public void close() {
            connection.close();
        }
    }

    private record Channel(PushStream stream) implements BlockChannel {
        @Override
        public boolean ready() {
            return stream.ready();
        }

        @Override
        public void put(int slot, MemorySegment block) {
            putInline(stream, slot, block);
        }

        @Override
        public void commit(int blocks) {
            stream.commit(blocks);
        }

        @Override
        public void abort(String reason) {
            stream.abort(reason);
        }

        @Override
        public void finish() {
            stream.finish();
        }
    }
}
