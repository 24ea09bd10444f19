package dev.tandem.transport;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;

/// How workers prove themselves to each other on the KV transfer connections. Every worker is server and client, so one
/// set of files serves both roles. Certificates must name the host under which a worker is reached.
///
/// @param certificates the worker's own certificate chain, PEM; null = plain text
/// @param privateKey PKCS #8 key of the first certificate, PEM; null = plain text
/// @param trusted certificates of those whom to trust, PEM; null = the JDK's
/// @param mutual whether a writer must show a certificate too, signed by one of `trusted`
public record TransferSecurity(
        @Nullable Path certificates,
        @Nullable Path privateKey,
        @Nullable Path trusted,
        boolean mutual) {

    public static final TransferSecurity PLAINTEXT = new TransferSecurity(null, null, null, false);

    public TransferSecurity {
        if ((certificates == null) != (privateKey == null)) {
            throw new IllegalArgumentException(
                    "TLS for KV transfers needs both a certificate and a private key");
        }
        if (certificates == null && (trusted != null || mutual)) {
            throw new IllegalArgumentException(
                    "TLS for KV transfers needs a certificate and a private key");
        }
        if (mutual && trusted == null) {
            throw new IllegalArgumentException(
                    "mutual TLS for KV transfers needs the certificates to trust");
        }
    }

    public boolean isPlaintext() {
        return certificates == null;
    }

    ServerCredentials forReceiver() throws IOException {
        if (certificates == null || privateKey == null) {
            return InsecureServerCredentials.create();
        }
        var builder =
                TlsServerCredentials.newBuilder()
                        .keyManager(certificates.toFile(), privateKey.toFile());
        if (mutual && trusted != null) {
            builder.trustManager(trusted.toFile())
                    .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
        }
        return builder.build();
    }

    ChannelCredentials forWriter() throws IOException {
        if (certificates == null || privateKey == null) {
            return InsecureChannelCredentials.create();
        }
        var builder = TlsChannelCredentials.newBuilder();
        if (trusted != null) {
            builder.trustManager(trusted.toFile());
        }
        if (mutual) {
            builder.keyManager(certificates.toFile(), privateKey.toFile());
        }
        return builder.build();
    }
}
