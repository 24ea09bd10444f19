package dev.tandem.coordinator;

import dev.tandem.api.FrontOptions;
import dev.tandem.api.HttpFront;
import dev.tandem.api.PromptRenderer;
import dev.tandem.process.ManagedProcess;
import dev.tandem.process.ProcessLife;
import dev.tandem.record.FlightRecorder;
import dev.tandem.record.RecorderOptions;
import dev.tandem.template.ChatRenderer;
import dev.tandem.template.ChatTemplate;
import dev.tandem.text.HuggingFaceTokenizer;
import dev.tandem.text.ModelFolder;
import dev.tandem.text.ModelFolders;
import dev.tandem.text.Tokenizer;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;

import org.agrona.concurrent.AgentRunner;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// The coordinator process: the core's agent between the HTTP front and the workers' gRPC service.
public final class CoordinatorProcess implements ManagedProcess {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorProcess.class);
    private static final int MESSAGE_BYTES_MAX = 64 << 20;
    private static final long CLOSE_MILLIS_MAX = 5_000;
    private static final long REQUEST_MILLIS_MAX = TimeUnit.MINUTES.toMillis(30);
    private static final long BODY_MILLIS_MAX = TimeUnit.SECONDS.toMillis(30);
    private static final int RUNNING_MAX = 4096;
    private static final int CHOICES_MAX = 128;
    private static final int PROMPTS_MAX = 1024;

    private final CoordinatorOptions options;
    private final int readyWorkers;
    private final PrintStream out;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CompletableFuture<Integer> workerPort = new CompletableFuture<>();

    /// @param readyWorkers workers to wait for before the ready line
    /// @param out gets the ready line and nothing else
    public CoordinatorProcess(CoordinatorOptions options, int readyWorkers, PrintStream out) {
        this.options = options;
        this.readyWorkers = readyWorkers;
        this.out = out;
    }

    /// Runs a coordinator as this process, until a signal.
    ///
    /// @return the exit code
    public static int run(CoordinatorOptions options) {
        var process =
                new CoordinatorProcess(
                        options, Integer.getInteger("tandem.readyWorkers", 1), System.out);
        return ProcessLife.run(process, options.drainMillisMax() + CLOSE_MILLIS_MAX);
    }

    /// Waits until workers can dial.
    ///
    /// @return the port that they dial
    public int awaitWorkerPort() throws InterruptedException, ExecutionException {
        return workerPort.get();
    }

    @Override
    public void stop(String reason) {
        stopped.countDown();
    }

    @Override
    public int run() {
        ModelFolder folder;
        FlightRecorder recorder;
        try {
            folder = ModelFolders.read(options.model());
            recorder = recorder();
        } catch (IOException e) {
            LOG.error("{}", e.getMessage());
            return 1;
        }
        // Reading the tokenizer takes about as long as starting everything else.
        CompletableFuture<Tokenizer> tokenizerRead =
                CompletableFuture.supplyAsync(() -> readTokenizer(options.model()));
        String modelName = options.modelName().isEmpty() ? folder.name() : options.modelName();
        ServingMetrics metrics = new ServingMetrics(modelName);
        CoordinatorAgent agent = new CoordinatorAgent(options, metrics, recorder);
        metrics.bind(agent::snapshot);
        AgentRunner runner =
                new AgentRunner(
                        agent.idleStrategy(), failure -> agentFailed(agent, failure), null, agent);
        AgentRunner.startOnThread(runner);
        Server workers = null;
        try (runner) {
            workers = startWorkerService(agent);
            workerPort.complete(workers.getPort());
            try (Tokenizer tokenizer = tokenizerRead.join();
                    HttpFront front = front(folder, modelName, tokenizer, agent, metrics)) {
                int port = front.start();
                announceWhenReady(agent, port);
                stopped.await();
                drain(front);
            }
            return 0;
        } catch (IOException | CompletionException e) {
            Throwable cause =
                    e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            LOG.error("the coordinator can't start: {}", cause.getMessage());
            workerPort.completeExceptionally(cause);
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        } finally {
            if (workers != null) {
                workers.shutdownNow();
            }
        }
    }

    private @Nullable FlightRecorder recorder() throws IOException {
        RecorderOptions recorder = options.recorder();
        return recorder == null
                ? null
                : FlightRecorder.inBackground(
                        recorder, options.core(), version(), System.currentTimeMillis());
    }

    private static String version() {
        String version = CoordinatorProcess.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    private static Tokenizer readTokenizer(Path model) {
        try {
            return HuggingFaceTokenizer.read(model);
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private Server startWorkerService(CoordinatorAgent agent) throws IOException {
        Server server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(options.grpcHost(), options.grpcPort()))
                        .maxInboundMessageSize(MESSAGE_BYTES_MAX)
                        .addService(new WorkerService(agent))
                        .build()
                        .start();
        LOG.info("workers dial {}:{}", options.grpcHost(), server.getPort());
        return server;
    }

    private HttpFront front(
            ModelFolder folder,
            String modelName,
            Tokenizer tokenizer,
            CoordinatorAgent agent,
            ServingMetrics metrics) {
        FrontOptions frontOptions =
                new FrontOptions(
                        options.httpHost(),
                        options.httpPort(),
                        modelName,
                        version(),
                        options.bodyBytesMax(),
                        BODY_MILLIS_MAX,
                        REQUEST_MILLIS_MAX,
                        requestsMax(options.core().admission().queuedSequencesMax()),
                        CHOICES_MAX,
                        PROMPTS_MAX);
        return new HttpFront(
                frontOptions,
                new CoordinatorGeneration(agent),
                tokenizer,
                renderer(folder),
                folder,
                metrics::page);
    }

    /// The front's own bound lies above the core's: who waits in vain is told by the core, with an honest time to come
    /// back.
    private static int requestsMax(int queuedSequencesMax) {
        return (int) Math.min(Integer.MAX_VALUE, (long) queuedSequencesMax + RUNNING_MAX);
    }

    private static PromptRenderer renderer(ModelFolder folder) {
        String source = folder.chatTemplate();
        if (source == null) {
            return PromptRenderer.withoutTemplate();
        }
        ChatRenderer renderer =
                new ChatRenderer(
                        ChatTemplate.compile(source), folder.bosToken(), folder.eosToken());
        return chat ->
                renderer.render(
                        new ChatRenderer.Chat(
                                chat.path("messages"),
                                chat.get("tools"),
                                chat.get("documents"),
                                chat.get("chat_template_kwargs"),
                                chat.path("add_generation_prompt").asBoolean(true)));
    }

    private void announceWhenReady(CoordinatorAgent agent, int port) {
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                agent.roster().awaitWorkers(readyWorkers);
                                String host = options.httpHost();
                                out.println("tandem ready on http://%s:%d".formatted(host, port));
                                out.flush();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
    }

    private void drain(HttpFront front) throws InterruptedException {
        front.beginDrain();
        if (!front.awaitIdle(options.drainMillisMax())) {
            LOG.warn(
                    "requests still running after {} ms of drain end with an error",
                    options.drainMillisMax());
        }
    }

    /// A broken invariant of the core: what it would decide from here on can't be trusted.
    private static void agentFailed(CoordinatorAgent agent, Throwable failure) {
        LOG.error("the scheduling core failed; the process stops", failure);
        agent.closeRecorder();
        Runtime.getRuntime().halt(70);
    }
}
