package dev.tandem.transport;

import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Connects to the `KvTransfer` services of receivers, in plain text or with TLS. Any thread.
public final class GrpcDialer {
    private static final int KEEPALIVE_SECONDS = 10;
    private static final int KEEPALIVE_SECONDS_MAX = 5;
    private static final int RECEIPT_BYTES_MAX = 64 << 10;

    private final ChannelCredentials credentials;
    private final List<ClientInterceptor> interceptors;

    private GrpcDialer(ChannelCredentials credentials, List<ClientInterceptor> interceptors) {
        this.credentials = credentials;
        this.interceptors = interceptors;
    }

    public static GrpcDialer plaintext() {
        return new GrpcDialer(InsecureChannelCredentials.create(), List.of());
    }

    /// @throws IOException a file can't be read or holds no certificate or key
    public static GrpcDialer of(TransferSecurity security) throws IOException {
        return new GrpcDialer(security.forWriter(), List.of());
    }

    /// For faults on the way: everything sent passes through `interceptor`.
    GrpcDialer through(ClientInterceptor interceptor) {
        return new GrpcDialer(credentials, List.of(interceptor));
    }

    /// @param address `host:port`, an IPv6 host in brackets
    /// @throws IOException not connected in time
    public GrpcConnection open(String address, long receiverIncarnation, long waitMillisMax)
            throws IOException, InterruptedException {
        ManagedChannel channel =
                NettyChannelBuilder.forAddress(parse(address), credentials)
                        .intercept(interceptors)
                        .directExecutor() // our callbacks only take note
                        .disableRetry() // else frames are kept, and their memory read, after the
                        // call
                        .maxInboundMessageSize(RECEIPT_BYTES_MAX)
                        .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                        .keepAliveTimeout(KEEPALIVE_SECONDS_MAX, TimeUnit.SECONDS)
                        .build();
        try {
            awaitReady(channel, address, waitMillisMax);
        } catch (IOException | InterruptedException | RuntimeException e) {
            channel.shutdownNow();
            throw e;
        }
        return new GrpcConnection(channel, receiverIncarnation);
    }

    private static InetSocketAddress parse(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        if (colon > 0) {
            String host = address.substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            try {
                var peer =
                        new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
                if (peer.isUnresolved()) {
                    throw new IOException("unknown host in transfer address " + address);
                }
                return peer;
            } catch (IllegalArgumentException e) {
                throw new IOException("bad port in transfer address '%s'".formatted(address), e);
            }
        }
        throw new IOException("transfer address '%s' is not host:port".formatted(address));
    }

    private static void awaitReady(ManagedChannel channel, String address, long waitMillisMax)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillisMax);
        ConnectivityState state = channel.getState(true);
        while (state != ConnectivityState.READY) {
            if (state == ConnectivityState.TRANSIENT_FAILURE) {
                throw new IOException("no connection to " + address);
            }
            var changed = new CountDownLatch(1);
            channel.notifyWhenStateChanged(state, changed::countDown);
            if (!changed.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                throw new IOException(
                        "no connection to %s within %d ms".formatted(address, waitMillisMax));
            }
            state = channel.getState(true);
        }
    }
}
