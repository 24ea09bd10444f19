package dev.tandem.e2e;

import dev.tandem.coordinator.CoordinatorOptions;
import dev.tandem.coordinator.CoordinatorProcess;
import dev.tandem.core.CoreOptions;
import dev.tandem.engine.TransferOptions;
import dev.tandem.engine.WorkerOptions;
import dev.tandem.engine.WorkerProcess;
import dev.tandem.kv.KvShape;
import dev.tandem.sim.cluster.OptionKeys;
import dev.tandem.transport.BlockTransport;
import dev.tandem.transport.TransferSecurity;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// A coordinator and workers in this JVM, each on its own thread, with real sockets between them and the default model.
/// Everything is as in separate processes but the process itself.
final class TestCluster implements AutoCloseable {
    private static final long START_SECONDS_MAX = 60;
    private static final long STOP_SECONDS_MAX = 30;

    private final CoordinatorProcess coordinator;
    private final Thread coordinatorThread;
    private final List<WorkerProcess> workers = new ArrayList<>();
    private final List<Thread> workerThreads = new ArrayList<>();
    private final URI url;

    /// @param kvBytesMax of each worker
    /// @param around put around every transport
    record Spec(
            int prefillWorkers,
            int decodeWorkers,
            CoreOptions core,
            List<TransportKind> transports,
            long kvBytesMax,
            UnaryOperator<BlockTransport> around) {
        static Spec disaggregated() {
            return new Spec(1, 1, patient(), BOTH_TRANSPORTS, 64L << 20, transport -> transport);
        }

        Spec withWorkers(int prefill, int decode) {
            return new Spec(prefill, decode, core, transports, kvBytesMax, around);
        }

        Spec withCore(CoreOptions options) {
            return new Spec(prefillWorkers, decodeWorkers, options, transports, kvBytesMax, around);
        }

        Spec over(TransportKind transport) {
            return new Spec(
                    prefillWorkers, decodeWorkers, core, List.of(transport), kvBytesMax, around);
        }

        Spec withAround(UnaryOperator<BlockTransport> fault) {
            return new Spec(prefillWorkers, decodeWorkers, core, transports, kvBytesMax, fault);
        }

        Spec withKvBytes(long bytes) {
            return new Spec(prefillWorkers, decodeWorkers, core, transports, bytes, around);
        }
    }

    private static final List<TransportKind> BOTH_TRANSPORTS =
            List.of(TransportKind.TRANSPORT_KIND_SHARED_MEMORY, TransportKind.TRANSPORT_KIND_GRPC);

    /// The defaults without an objective for the first token: on a busy build machine, with workers that have just been
    /// started, it is predicted to be missed, and requests of tests about other things would be refused.
    static CoreOptions patient() {
        return OptionKeys.with(CoreOptions.defaults(), "admission.default-class.ttft-millis", "0");
    }

    static Path defaultModel() {
        return Path.of(System.getProperty("tandem.project"), "dist/src/main/models/tandem-tiny");
    }

    /// Of that model's KV blocks: 4 layers, 2 KV heads of 32, with the 16 tokens that workers here have.
    static KvShape defaultShape() {
        return new KvShape(4, 2, 16, 32);
    }

    TestCluster(Spec spec) throws Exception {
        CoordinatorOptions options =
                new CoordinatorOptions(
                        defaultModel(),
                        "",
                        "127.0.0.1",
                        0,
                        "127.0.0.1",
                        0,
                        32 << 20,
                        200,
                        10_000,
                        5_000,
                        spec.core(),
                        null);
        CompletableFuture<URI> ready = new CompletableFuture<>();
        coordinator =
                new CoordinatorProcess(
                        options, spec.prefillWorkers() + spec.decodeWorkers(), readyLineTo(ready));
        coordinatorThread =
                Thread.ofPlatform()
                        .name("coordinator")
                        .start(
                                () -> {
                                    int code = coordinator.run();
                                    ready.completeExceptionally(
                                            new IllegalStateException("exit code " + code));
                                });
        int port = coordinator.awaitWorkerPort();
        for (int i = 0; i < spec.prefillWorkers(); i++) {
            startWorker("prefill-" + i, WorkerRole.WORKER_ROLE_PREFILL, port, spec);
        }
        for (int i = 0; i < spec.decodeWorkers(); i++) {
            startWorker("decode-" + i, WorkerRole.WORKER_ROLE_DECODE, port, spec);
        }
        url = ready.get(START_SECONDS_MAX, TimeUnit.SECONDS);
    }

    URI url() {
        return url;
    }

    private void startWorker(String name, WorkerRole role, int port, Spec spec) throws IOException {
        WorkerOptions options =
                new WorkerOptions(
                        name,
                        role,
                        defaultModel(),
                        "127.0.0.1",
                        port,
                        "127.0.0.1",
                        0,
                        "",
                        "cpu",
                        spec.kvBytesMax(),
                        16,
                        64,
                        2048,
                        1,
                        spec.transports(),
                        new TransferOptions(1, 1, TransferSecurity.PLAINTEXT));
        WorkerProcess worker = WorkerProcess.open(options, spec.around());
        workers.add(worker);
        workerThreads.add(Thread.ofPlatform().name(name).start(worker::run));
    }

    private static PrintStream readyLineTo(CompletableFuture<URI> ready) {
        var line = new ByteArrayOutputStream();
        return new PrintStream(line, true, StandardCharsets.UTF_8) {
            @Override
            public void println(String text) {
                ready.complete(URI.create(text.substring(text.indexOf("http://"))));
            }
        };
    }

    @Override
    public void close() throws Exception {
        coordinator.stop("the test is over");
        coordinatorThread.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS_MAX));
        for (WorkerProcess worker : workers) {
            worker.stop("the test is over");
        }
        for (Thread thread : workerThreads) {
            thread.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS_MAX));
        }
    }
}
