package dev.tandem.transport;

import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Blocks inside the frames of gRPC streams: works between any two hosts. A lease is one stream; leases are dealt out
/// over the connections of the pair.
public final class GrpcTransport implements BlockTransport {
    private final GrpcDialer dialer;
    private final int connections;

    /// @param connections per receiver, at least 1; each is served by one thread on either side
    public GrpcTransport(GrpcDialer dialer, int connections) {
        if (connections < 1) {
            throw new IllegalArgumentException(
                    "%d connections per receiver".formatted(connections));
        }
        this.dialer = dialer;
        this.connections = connections;
    }

    @Override
    public TransportKind kind() {
        return TransportKind.TRANSPORT_KIND_GRPC;
    }

    @Override
    public BlockLink open(TransferEndpoint endpoint, long receiverIncarnation, long waitMillisMax)
            throws IOException, InterruptedException {
        var link = new Link();
        try {
            for (int i = 0; i < connections; i++) {
                link.connections.add(
                        dialer.open(endpoint.getAddress(), receiverIncarnation, waitMillisMax));
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            link.close();
            throw e;
        }
        return link;
    }

    private static final class Link implements BlockLink {
        final List<GrpcConnection> connections = new ArrayList<>();
        private int next;

        @Override
        public BlockChannel open(long lease, long writerIncarnation, Events events) {
            next = (next + 1) % connections.size();
            return new Channel(connections.get(next).push(lease, writerIncarnation, events));
        }

        @Override
        public void close() {
            connections.forEach(GrpcConnection::close);
        }
    }

    private record Channel(ControlStream stream) implements BlockChannel {
        @Override
        public boolean ready() {
            return stream.ready();
        }

        @Override
        public void put(int slot, long offset, MemorySegment memory, long from, long bytes) {
            stream.inline(slot, offset, memory, from, bytes);
        }

        @Override
        public void flush() {
            // each piece is a frame of its own
        }

        @Override
        public void commit(int pieces) {
            stream.commit(pieces);
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
