package dev.tandem.transport;

import static dev.tandem.transport.TestWorker.grant;
import static dev.tandem.transport.TestWorker.send;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.wire.SendResult;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;

/// TLS and mutual TLS between real sockets, with certificates made by the JDK's keytool.
class TransferSecurityTest {
    private static final int MILLIS = 60_000;
    private static final char[] PASSWORD = "tandem".toCharArray();

    @TempDir static Path folder;

    @BeforeAll
    static void makeCertificates() throws Exception {
        certificate("worker");
        certificate("stranger");
    }

    @Test
    void blocksMoveOverTls() throws Exception {
        assertMoves(security("worker", "worker", false), security("worker", "worker", false));
    }

    @Test
    void blocksMoveOverMutualTls() throws Exception {
        assertMoves(security("worker", "worker", true), security("worker", "worker", true));
    }

    @Test
    void aWriterWithoutACertificateOfOursIsRefusedByMutualTls() throws Exception {
        assertRefused(security("worker", "worker", true), security("worker", "worker", false));
        // the stranger trusts the worker, but not the other way round
        assertRefused(security("worker", "worker", true), security("stranger", "worker", true));
    }

    @Test
    void aReceiverThatIsNotTrustedGetsNoBytes() throws Exception {
        assertRefused(security("stranger", null, false), security("worker", "worker", false));
    }

    @Test
    void plainTextAndTlsDoNotMeet() throws Exception {
        assertRefused(security("worker", null, false), TransferSecurity.PLAINTEXT);
        assertRefused(TransferSecurity.PLAINTEXT, security("worker", "worker", false));
    }

    @Test
    void halfASettingIsAClearError() {
        assertThatThrownBy(() -> new TransferSecurity(file("worker.crt"), null, null, false))
                .hasMessageContaining("both a certificate and a private key");
        assertThatThrownBy(() -> new TransferSecurity(null, null, file("worker.crt"), false))
                .hasMessageContaining("needs a certificate");
        assertThatThrownBy(() -> security("worker", null, true))
                .hasMessageContaining("the certificates to trust");
        assertThatThrownBy(
                        () ->
                                GrpcDialer.of(
                                        new TransferSecurity(
                                                file("worker.crt"),
                                                file("worker.key"),
                                                file("none.crt"),
                                                false)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none.crt");
    }

    private static void assertMoves(TransferSecurity receiving, TransferSecurity writing)
            throws Exception {
        try (var writer = worker(1, writing);
                var receiver = worker(2, receiving)) {
            writer.fillRandom(5);
            receiver.leases.grant(grant(1, writer, MILLIS, 9));
            writer.send(send(1, receiver, MILLIS, true, 0, 20));
            SendResult result = writer.result();
            assertThat(result.getCommitted()).as(result.getError()).isTrue();
            assertThat(receiver.pool.block(9).mismatch(writer.pool.block(20))).isEqualTo(-1);
        }
    }

    private static void assertRefused(TransferSecurity receiving, TransferSecurity writing)
            throws Exception {
        try (var writer = worker(1, writing);
                var receiver = worker(2, receiving)) {
            receiver.leases.grant(grant(1, writer, MILLIS, 9));
            writer.send(send(1, receiver, MILLIS, true, 0, 20));
            assertThat(writer.result().getCommitted()).isFalse();
            assertThat(receiver.metrics.piecesReceived()).isZero();
        }
    }

    private static TestWorker worker(long incarnation, TransferSecurity security)
            throws IOException {
        return new TestWorker(
                incarnation,
                TestWorker.GRPC,
                folder,
                TestWorker.SHAPE,
                64,
                SenderOptions.defaults(),
                GrpcDialer.of(security),
                security,
                transport -> transport);
    }

    private static TransferSecurity security(String own, @Nullable String trusted, boolean mutual) {
        return new TransferSecurity(
                file(own + ".crt"),
                file(own + ".key"),
                trusted == null ? null : file(trusted + ".crt"),
                mutual);
    }

    private static Path file(String name) {
        return folder.resolve(name);
    }

    private static void certificate(String name) throws Exception {
        Path store = file(name + ".p12");
        Process keytool =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-alias",
                                name,
                                "-keyalg",
                                "EC",
                                "-dname",
                                "CN=" + name,
                                "-ext",
                                "SAN=IP:127.0.0.1",
                                "-keystore",
                                store.toString(),
                                "-storetype",
                                "PKCS12",
                                "-storepass",
                                new String(PASSWORD))
                        .inheritIO()
                        .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        pem(name + ".crt", "CERTIFICATE", keys.getCertificate(name).getEncoded());
        pem(name + ".key", "PRIVATE KEY", keys.getKey(name, PASSWORD).getEncoded());
    }

    private static void pem(String name, String kind, byte[] der) throws IOException {
        String body =
                Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                        .encodeToString(der);
        Files.writeString(
                file(name),
                "-----BEGIN %s-----%n%s%n-----END %s-----%n".formatted(kind, body, kind));
    }
}
