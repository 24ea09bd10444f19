package dev.tandem.engine;

import dev.tandem.device.Backends;
import dev.tandem.device.OpenedModel;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.BlockTransport;
import dev.tandem.transport.GrpcDialer;
import dev.tandem.transport.GrpcTransport;
import dev.tandem.transport.KvTransferService;
import dev.tandem.transport.Leases;
import dev.tandem.transport.SenderOptions;
import dev.tandem.transport.SharedMemoryTransport;
import dev.tandem.transport.TransferMetrics;
import dev.tandem.transport.TransportSender;
import dev.tandem.transport.ucx.UcxReceiver;
import dev.tandem.transport.ucx.UcxRuntime;
import dev.tandem.transport.ucx.UcxTransport;
import dev.tandem.wire.TransportKind;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// The one place that chooses the classes behind a worker's device and transports.
final class WorkerWiring {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerWiring.class);

    private WorkerWiring() {}

    /// @throws IOException the model can't be read, or there is no such device
    /// @throws IllegalArgumentException an option is out of range
    static LoadedModel loadModel(WorkerOptions options) throws IOException {
        OpenedModel opened =
                Backends.open(
                        options.model(),
                        options.device(),
                        options.threads(),
                        options.blockTokens());
        return new LoadedModel(
                opened.backend(),
                opened.fingerprint(),
                opened.speed().flopsPerSecond(),
                opened.speed().bytesPerSecond(),
                ModelWork.of(
                        opened.config(), Float.BYTES)); // the CPU's kernels read packed float32
    }

    /// @param around what to put around each transport; as it is, for serving
    static KvSide.Factory kvSides(WorkerOptions options, UnaryOperator<BlockTransport> around) {
        return (incarnation, shape, blocks) -> {
            GrpcDialer dialer = GrpcDialer.of(options.transfer().security());
            UcxRuntime ucx = Ucx.runtime(options);
            List<TransportKind> offered = offered(options, ucx != null);
            KvPool pool = pool(options, incarnation, shape, blocks);
            var metrics = new TransferMetrics();
            var leases = new Leases(pool, incarnation, metrics);
            var service = new KvTransferService(leases, pool, options.transfer().security());
            UcxReceiver doors = ucx == null ? null : new UcxReceiver(ucx, leases, incarnation);
            int port;
            try {
                port =
                        doors == null
                                ? service.start(options.transferHost(), options.transferPort())
                                : service.start(
                                        options.transferHost(), options.transferPort(), doors);
            } catch (IOException e) {
                try (pool;
                        leases;
                        service) {
                    throw new IOException(
                            "KV transfers can't be received at %s:%d: %s"
                                    .formatted(
                                            options.transferHost(),
                                            options.transferPort(),
                                            e.getMessage()),
                            e);
                }
            }
            var sender =
                    new TransportSender(
                            pool,
                            incarnation,
                            transports(offered, options, incarnation, shape, dialer, ucx, metrics)
                                    .stream()
                                    .map(around)
                                    .toList(),
                            SenderOptions.defaults(),
                            metrics);
            return new KvSide(
                    pool,
                    sender,
                    leases,
                    () -> {
                        if (doors != null) {
                            doors.close();
                        }
                        service.close();
                    },
                    service.endpoints(offered, options.transferHost(), port));
        };
    }

    /// What this worker is told to offer and can.
    ///
    /// @throws IllegalArgumentException nothing is left
    private static List<TransportKind> offered(WorkerOptions options, boolean ucx) {
        List<TransportKind> offered =
                options.transports().stream()
                        .filter(kind -> ucx || kind != TransportKind.TRANSPORT_KIND_UCX)
                        .toList();
        if (offered.isEmpty()) {
            throw new IllegalArgumentException(
                    "UCX is the only transport that worker %s is to offer, and it can't"
                            .formatted(options.name()));
        }
        return offered;
    }

    /// UCX is looked for once a process, when it is asked for. What it opens lives as long as the process.
    private static final class Ucx {
        private static @Nullable UcxRuntime runtime;
        private static boolean looked;

        private Ucx() {}

        /// @return null when UCX is not asked for or can't be used; the log says why
        static synchronized @Nullable UcxRuntime runtime(WorkerOptions options) {
            if (!options.transports().contains(TransportKind.TRANSPORT_KIND_UCX)) {
                return null;
            }
            if (!options.transfer().security().isPlaintext()) {
                LOG.warn(
                        "worker {} does not offer UCX: it can't encrypt, and KV transfers are to"
                                + " use TLS",
                        options.name());
                return null;
            }
            if (!looked) {
                looked = true;
                try {
                    runtime = UcxRuntime.open();
                } catch (IOException e) {
                    LOG.warn("worker {} does not offer UCX: {}", options.name(), e.getMessage());
                }
            }
            return runtime;
        }
    }

    private static List<BlockTransport> transports(
            List<TransportKind> offered,
            WorkerOptions options,
            long incarnation,
            KvShape shape,
            GrpcDialer dialer,
            @Nullable UcxRuntime ucx,
            TransferMetrics metrics) {
        var transports = new ArrayList<BlockTransport>();
        for (TransportKind kind : offered) {
            switch (kind) {
                case TRANSPORT_KIND_SHARED_MEMORY ->
                        transports.add(
                                new SharedMemoryTransport(shape, incarnation, dialer, metrics));
                case TRANSPORT_KIND_GRPC ->
                        transports.add(new GrpcTransport(dialer, options.transfer().connections()));
                case TRANSPORT_KIND_UCX -> {
                    if (ucx != null) {
                        transports.add(new UcxTransport(ucx, dialer, incarnation));
                    }
                }
                case TRANSPORT_KIND_UNSPECIFIED, UNRECOGNIZED ->
                        throw new IllegalArgumentException("no transport of kind " + kind);
            }
        }
        return transports;
    }

    private static KvPool pool(WorkerOptions options, long incarnation, KvShape shape, int blocks) {
        if (options.transports().contains(TransportKind.TRANSPORT_KIND_SHARED_MEMORY)) {
            try {
                return KvPools.shared(shape, blocks, incarnation);
            } catch (IOException e) {
                LOG.warn(
                        "worker {} can't offer shared memory, blocks come in over the network: {}",
                        options.name(),
                        e.getMessage());
            }
        }
        return KvPools.privateMemory(shape, blocks);
    }
}
