package dev.tandem.engine;

import dev.tandem.kv.KvShape;
import dev.tandem.process.ManagedProcess;
import dev.tandem.transport.BlockTransport;
import dev.tandem.wire.DeviceFacts;
import dev.tandem.wire.Hello;
import dev.tandem.wire.ModelFacts;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.StepResult;
import dev.tandem.wire.Welcome;
import dev.tandem.wire.WorkerMessage;

import io.grpc.ManagedChannel;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// A worker's life: join the coordinator, execute its plans, and when the stream breaks forget everything and join
/// again as a new incarnation. The thread that calls [#run] is the engine thread: it alone touches the backend and
/// the executor. [#stop] may be called by any thread.
public final class WorkerProcess implements ManagedProcess {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerProcess.class);
    private static final long BACKOFF_MILLIS_MIN = 100;
    private static final long BACKOFF_MILLIS_MAX = 5_000;

    private final WorkerOptions options;
    private final LoadedModel model;
    private final KvSide.Factory kvSides;
    private final int blocks;
    private final SecureRandom random = new SecureRandom();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile @Nullable CoordinatorLink link;

    /// @param model its backend is closed when [#run] returns
    /// @throws IllegalArgumentException the memory allowed does not hold one KV block
    public WorkerProcess(WorkerOptions options, LoadedModel model, KvSide.Factory kvSides) {
        this.options = options;
        this.model = model;
        this.kvSides = kvSides;
        KvShape shape = model.backend().kvShape();
        this.blocks =
                (int) Math.min(options.kvBytesMax() / shape.blockBytes(), Integer.MAX_VALUE - 8);
        if (blocks < 1) {
            throw new IllegalArgumentException(
                    "%d bytes of KV memory don't hold one block of %d bytes"
                            .formatted(options.kvBytesMax(), shape.blockBytes()));
        }
    }

    /// Loads the model and makes a worker of it, with the device and the transports that the options name.
    ///
    /// @throws IOException the model can't be read, or there is no such device
    /// @throws IllegalArgumentException an option is out of range
    public static WorkerProcess open(WorkerOptions options) throws IOException {
        return open(options, transport -> transport);
    }

    /// As above, with something around each transport that blocks are sent over, such as a fault.
    public static WorkerProcess open(WorkerOptions options, UnaryOperator<BlockTransport> around)
            throws IOException {
        LoadedModel model = WorkerWiring.loadModel(options);
        try {
            return new WorkerProcess(options, model, WorkerWiring.kvSides(options, around));
        } catch (RuntimeException e) {
            model.backend().close();
            throw e;
        }
    }

    /// Serves until [#stop], on the caller's thread.
    ///
    /// @return exit code: 0 after a stop, 1 after a failure of the engine that a new join would not mend
    @Override
    public int run() {
        ScheduledExecutorService timer =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("heartbeat").factory());
        try (var _ = model.backend()) {
            serveUntilStopped(timer);
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        } catch (IOException e) {
            LOG.error("no KV memory or transfer port", e);
            return 1;
        } catch (RuntimeException | Error e) {
            LOG.error("the engine failed", e);
            return 1;
        } finally {
            timer.shutdownNow();
        }
    }

    /// Says Goodbye and makes [#run] return once the step under way is done.
    @Override
    public void stop(String reason) {
        stopping.countDown();
        CoordinatorLink current = link;
        if (current != null) {
            current.leave(reason);
        }
    }

    private void serveUntilStopped(ScheduledExecutorService timer)
            throws InterruptedException, IOException {
        long backoffMillis = BACKOFF_MILLIS_MIN;
        while (stopping.getCount() > 0) {
            if (joinOnce(timer)) {
                backoffMillis = BACKOFF_MILLIS_MIN;
            }
            // Up to a fifth more, so that the workers of a coordinator that restarts don't come all
            // at once.
            long jitterMillis = random.nextLong(backoffMillis / 5 + 1);
            if (!stopping.await(backoffMillis + jitterMillis, TimeUnit.MILLISECONDS)) {
                backoffMillis = Math.min(2 * backoffMillis, BACKOFF_MILLIS_MAX);
            }
        }
    }

    /// @return whether the coordinator welcomed this worker
    private boolean joinOnce(ScheduledExecutorService timer)
            throws InterruptedException, IOException {
        String address = options.coordinatorHost() + ":" + options.coordinatorPort();
        ManagedChannel channel =
                CoordinatorLink.channel(options.coordinatorHost(), options.coordinatorPort());
        if (!CoordinatorLink.connect(channel)) {
            LOG.info("worker {}: no coordinator at {} yet", options.name(), address);
            CoordinatorLink.close(channel);
            return false;
        }
        long incarnation = newIncarnation();
        try (KvSide kv = kvSides.open(incarnation, model.backend().kvShape(), blocks);
                var newLink = new CoordinatorLink(channel, kv, timer)) {
            link = newLink;
            if (stopping.getCount() == 0) {
                return false;
            }
            kv.leases()
                    .onUpdate(
                            update ->
                                    newLink.send(
                                            WorkerMessage.newBuilder()
                                                    .setLeaseUpdate(update)
                                                    .build()));
            Welcome welcome = newLink.join(hello(incarnation, kv));
            if (welcome != null) {
                LOG.info(
                        "worker {} joined {} with {} KV blocks on {}",
                        options.name(),
                        address,
                        blocks,
                        model.backend().deviceName());
                serve(newLink, kv);
            }
            LOG.info("worker {} left {}: {}", options.name(), address, newLink.endReason());
            return welcome != null;
        } finally {
            link = null;
            CoordinatorLink.close(channel); // once more, in case that the KV side did not open
        }
    }

    private void serve(CoordinatorLink link, KvSide kv) throws InterruptedException {
        var reports =
                new SendReports(
                        kv.sender(),
                        result ->
                                link.send(
                                        WorkerMessage.newBuilder().setSendResult(result).build()));
        try {
            var executor =
                    new StepExecutor(
                            model.backend(),
                            kv.pool(),
                            options.sequencesMax(),
                            options.stepTokensMax(),
                            options.transfer().groupLayers(kv.pool().shape()),
                            reports::send,
                            System::nanoTime);
            for (StepPlan plan = link.nextPlan(); plan != null; plan = link.nextPlan()) {
                StepResult result = executor.execute(plan);
                if (!result.getError().isEmpty()) {
                    LOG.warn("plan {} refused: {}", plan.getNumber(), result.getError());
                }
                link.setPlansDone(executor.plansDone());
                link.send(WorkerMessage.newBuilder().setStepResult(result).build());
            }
        } catch (RuntimeException | Error e) {
            link.leave("the engine failed: " + e);
            throw e;
        }
    }

    private Hello hello(long incarnation, KvSide kv) {
        return Hello.newBuilder()
                .setWorker(options.name())
                .setIncarnation(incarnation)
                .setRole(options.role())
                .setModel(
                        ModelFacts.newBuilder()
                                .setFingerprint(model.fingerprint())
                                .setVocabulary(model.backend().vocabulary())
                                .setContextTokensMax(model.backend().contextTokensMax())
                                .setFlopsPerToken(model.work().flopsPerToken())
                                .setFlopsPerPair(model.work().flopsPerPair())
                                .setWeightBytes(model.work().weightBytes()))
                .setLayout(kv.pool().shape().toWire())
                .setBlocks(kv.pool().blocks())
                .setSequencesMax(options.sequencesMax())
                .setStepTokensMax(options.stepTokensMax())
                .setZone(options.zone())
                .setDevice(
                        DeviceFacts.newBuilder()
                                .setName(model.backend().deviceName())
                                .setFlopsPerSecond(model.flopsPerSecond())
                                .setBytesPerSecond(model.bytesPerSecond()))
                .addAllEndpoints(kv.endpoints())
                .build();
    }

    private long newIncarnation() {
        long incarnation = random.nextLong();
        while (incarnation == 0) {
            incarnation = random.nextLong();
        }
        return incarnation;
    }
}
