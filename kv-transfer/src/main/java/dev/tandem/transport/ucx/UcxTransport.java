package dev.tandem.transport.ucx;

import dev.tandem.transport.BlockLink;
import dev.tandem.transport.BlockTransport;
import dev.tandem.transport.GrpcConnection;
import dev.tandem.transport.GrpcDialer;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// Pieces as UCX messages to a door of the receiver's. The endpoint tells the address of the receiver's gRPC port;
/// UCX's own address is asked for there.
public final class UcxTransport implements BlockTransport {
    /// Pieces under way on one link, sent and not yet out of the writer's memory.
    static final int PIECES_MAX = 32;

    private final UcxRuntime runtime;
    private final GrpcDialer dialer;
    private final long incarnation;

    /// @param runtime to be closed after the sender that uses this
    /// @param incarnation of this worker
    public UcxTransport(UcxRuntime runtime, GrpcDialer dialer, long incarnation) {
        this.runtime = runtime;
        this.dialer = dialer;
        this.incarnation = incarnation;
    }

    @Override
    public TransportKind kind() {
        return TransportKind.TRANSPORT_KIND_UCX;
    }

    /// Works only when a first message has arrived: that UCX can't get through shows here, not in a lease.
    @Override
    public BlockLink open(TransferEndpoint endpoint, long receiverIncarnation, long waitMillisMax)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillisMax);
        GrpcConnection connection =
                dialer.open(endpoint.getAddress(), receiverIncarnation, waitMillisMax);
        var link = new UcxLink(runtime, connection, incarnation, receiverIncarnation);
        try {
            link.attach(end);
            return link;
        } catch (IOException | InterruptedException | RuntimeException e) {
            link.close();
            throw e;
        }
    }
}
