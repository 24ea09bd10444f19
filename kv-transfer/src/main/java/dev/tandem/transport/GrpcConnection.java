package dev.tandem.transport;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;

/// A connection to one receiver's `KvTransfer` service. Any thread.
public final class GrpcConnection implements AutoCloseable {
    private final ManagedChannel channel;
    private final long receiverIncarnation;

    GrpcConnection(ManagedChannel channel, long receiverIncarnation) {
        this.channel = channel;
        this.receiverIncarnation = receiverIncarnation;
    }

    /// Begins a stream for one attempt at one lease.
    public ControlStream push(long lease, long writerIncarnation, BlockLink.Events events) {
        var stream = new ControlStream(lease, writerIncarnation, receiverIncarnation, events);
        var unused = // the same object that beforeStart was given
                ClientCalls.asyncBidiStreamingCall(
                        channel.newCall(PushMethod.WRITER, CallOptions.DEFAULT), stream);
        return stream;
    }

    /// For calls of other services on the same connection.
    public Channel channel() {
        return channel;
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
