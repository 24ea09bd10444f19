package dev.tandem.coordinator;

import dev.tandem.api.GenerationService.ServedModel;
import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.Commands;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.Event;
import dev.tandem.core.Outputs;
import dev.tandem.core.Replica;
import dev.tandem.core.ReplicaFacts;
import dev.tandem.core.ReplicaRole;
import dev.tandem.core.SchedulerCore;
import dev.tandem.core.StepPlan;
import dev.tandem.record.FlightRecorder;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.Hello;
import dev.tandem.wire.KvLayout;
import dev.tandem.wire.Welcome;
import dev.tandem.wire.WorkerRole;

import io.grpc.Status;

import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.concurrent.TimeUnit;

/// The one thread that owns the core: takes messages from the front and the workers, lets the core decide, and
/// carries its commands out. Everything it owns is touched by this thread only; others hand over messages through a
/// bounded queue.
final class CoordinatorAgent implements Agent {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorAgent.class);
    private static final int INBOX_MESSAGES_MAX = 1 << 16;
    private static final int MESSAGES_PER_TURN_MAX = 256;
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long PARK_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Event.Tick TICK = new Event.Tick();

    private final CoordinatorOptions options;
    private final SchedulerCore core;
    private final @Nullable FlightRecorder recorder;
    private final ServingMetrics metrics;
    private final PlanEncoder encoder;
    private final SignalIdleStrategy idle = new SignalIdleStrategy(PARK_NANOS_MAX);
    private final ManyToOneConcurrentArrayQueue<AgentMessage> inbox =
            new ManyToOneConcurrentArrayQueue<>(INBOX_MESSAGES_MAX);
    private final WorkerRoster roster = new WorkerRoster();
    private final ManyToOneConcurrentArrayQueue<WorkerLink> opened =
            new ManyToOneConcurrentArrayQueue<>(1024);
    private final Long2ObjectHashMap<ActiveRequest> requests = new Long2ObjectHashMap<>();
    private long lastTickNanos;
    private volatile @Nullable ServedModel model;
    private volatile CoreSnapshot snapshot;
    private volatile int blockTokens;
    private volatile long turnNanos = System.nanoTime();

    /// @param recorder hears of everything that the core hears of; closed by the agent
    CoordinatorAgent(
            CoordinatorOptions options, ServingMetrics metrics, @Nullable FlightRecorder recorder) {
        this.options = options;
        this.core = new SchedulerCore(options.core());
        this.metrics = metrics;
        this.recorder = recorder;
        this.encoder = new PlanEncoder(this::helloOf, options.core().leaseMillis());
        this.snapshot = core.snapshot();
    }

    // ---- any thread ----

    SignalIdleStrategy idleStrategy() {
        return idle;
    }

    /// @return false when the inbox is full
    boolean offer(AgentMessage message) {
        boolean accepted = inbox.offer(message);
        idle.signal();
        return accepted;
    }

    /// A worker's messages must not be lost: its stream's thread waits, which slows that worker down.
    void offerFromWorker(AgentMessage message) {
        while (!offer(message)) {
            Thread.onSpinWait();
        }
    }

    void opened(WorkerLink link) {
        if (!opened.offer(link)) {
            LOG.warn("too many workers dial at once, one is left to time out");
        }
        idle.signal();
    }

    @Nullable ServedModel model() {
        return model;
    }

    /// Tokens per KV block of the workers joined; 0 before the first one.
    int blockTokens() {
        return blockTokens;
    }

    CoreSnapshot snapshot() {
        return snapshot;
    }

    WorkerRoster roster() {
        return roster;
    }

    /// Whether the agent's loop has turned lately.
    boolean makesProgress() {
        return System.nanoTime() - turnNanos < STUCK_NANOS;
    }

    // ---- agent thread ----

    @Override
    public String roleName() {
        return "tandem-core";
    }

    @Override
    public int doWork() {
        long now = System.nanoTime();
        turnNanos = now;
        WorkerLink link;
        while ((link = opened.poll()) != null) {
            roster.addStranger(link);
        }
        int work = 0;
        AgentMessage message;
        while (work < MESSAGES_PER_TURN_MAX && (message = inbox.poll()) != null) {
            take(message, now);
            work++;
        }
        if (now - lastTickNanos >= TICK_NANOS) {
            lastTickNanos = now;
            dropSilent(now);
            decide(TICK, now);
            snapshot = core.snapshot();
        }
        return work;
    }

    private void take(AgentMessage message, long now) {
        switch (message) {
            case AgentMessage.FromWorker(WorkerLink from, var content) ->
                    fromWorker(from, content, now);
            case AgentMessage.LinkClosed(WorkerLink from, String reason) -> lost(from, reason, now);
            case AgentMessage.Submission submission -> {
                requests.put(
                        submission.submit().sequence(),
                        new ActiveRequest(submission.sink(), submission.submittedNanos()));
                decide(submission.submit(), now);
            }
            case AgentMessage.Cancellation(long sequence, boolean satisfied) -> {
                ActiveRequest request = requests.remove(sequence);
                if (request != null) {
                    metrics.cancelled(request, satisfied, now);
                    decide(new Event.Cancel(sequence), now);
                }
            }
        }
    }

    private void fromWorker(WorkerLink link, dev.tandem.wire.WorkerMessage message, long now) {
        if (message.hasHello()) {
            hello(link, message.getHello(), now);
            return;
        }
        if (!link.isJoined()) {
            link.close(Status.FAILED_PRECONDITION.withDescription("say hello first"));
            return;
        }
        if (!roster.holds(link)) {
            return; // lost already; late words of an old incarnation count for nothing
        }
        switch (message.getMessageCase()) {
            case STEP_RESULT -> stepResult(link, message.getStepResult(), now);
            case SEND_RESULT -> {
                var sent = message.getSendResult();
                metrics.sendEnded(sent);
                decide(
                        new Event.SendEnded(link.replica(), sent.getLease(), sent.getCommitted()),
                        now);
                if (!sent.getCommitted()) {
                    LOG.warn(
                            "{}: sending KV under lease {} failed: {}",
                            link.name(),
                            sent.getLease(),
                            sent.getError());
                }
            }
            case LEASE_UPDATE -> {
                var update = message.getLeaseUpdate();
                if (update.getOutcome() == dev.tandem.wire.LeaseOutcome.LEASE_OUTCOME_EXPIRED) {
                    metrics.leaseExpired();
                }
                boolean committed =
                        update.getOutcome() == dev.tandem.wire.LeaseOutcome.LEASE_OUTCOME_COMMITTED;
                decide(
                        new Event.LeaseEnded(
                                link.replica(), update.getLease(), committed, update.getBytes()),
                        now);
            }
            case GOODBYE -> lost(link, "said goodbye: " + message.getGoodbye().getReason(), now);
            case HELLO, HEARTBEAT, MESSAGE_NOT_SET -> {}
        }
    }

    private void stepResult(WorkerLink link, dev.tandem.wire.StepResult result, long now) {
        if (!result.getError().isEmpty()) {
            lost(link, "refused plan " + result.getNumber() + ": " + result.getError(), now);
            return;
        }
        metrics.step(result);
        decide(ResultDecoder.stepDone(link.replica(), result), now);
    }

    private void hello(WorkerLink link, Hello hello, long now) {
        if (link.isJoined()) {
            lost(link, "said hello twice", now);
            return;
        }
        String refusal = roster.refusal(hello);
        if (refusal != null) {
            LOG.warn("refused worker {}: {}", hello.getWorker(), refusal);
            roster.remove(link);
            link.close(Status.FAILED_PRECONDITION.withDescription(refusal));
            return;
        }
        WorkerLink earlier = roster.find(hello.getWorker());
        if (earlier != null) {
            lost(earlier, "joined again with a new incarnation", now);
        }
        int replica = roster.join(link, hello);
        model =
                new ServedModel(
                        hello.getModel().getFingerprint(),
                        hello.getModel().getVocabulary(),
                        hello.getModel().getContextTokensMax());
        blockTokens = hello.getLayout().getBlockTokens();
        link.send(
                CoordinatorMessage.newBuilder()
                        .setWelcome(
                                Welcome.newBuilder()
                                        .setHeartbeatMillis(options.heartbeatMillis())
                                        .setHeartbeatLostMillis(options.heartbeatLostMillis()))
                        .build());
        ReplicaRole role =
                hello.getRole() == WorkerRole.WORKER_ROLE_PREFILL
                        ? ReplicaRole.PREFILL
                        : ReplicaRole.DECODE;
        LOG.info(
                "worker {} joined as {} with {} KV blocks of {} tokens on {}",
                hello.getWorker(),
                role,
                hello.getBlocks(),
                blockTokens,
                hello.getDevice().getName());
        decide(
                new Event.ReplicaJoined(
                        replica,
                        new ReplicaFacts(
                                hello.getWorker(),
                                hello.getIncarnation(),
                                role,
                                "",
                                hello.getZone(),
                                hello.getBlocks(),
                                blockTokens,
                                hello.getSequencesMax(),
                                hello.getStepTokensMax(),
                                deviceFacts(hello))),
                now);
    }

    private static DeviceFacts deviceFacts(Hello hello) {
        KvLayout layout = hello.getLayout();
        double kvBytesPerToken =
                2.0 * layout.getLayers() * layout.getKvHeads() * layout.getHeadDim() * Float.BYTES;
        return new DeviceFacts(
                hello.getDevice().getName(),
                hello.getDevice().getFlopsPerSecond(),
                hello.getDevice().getBytesPerSecond(),
                0,
                hello.getModel().getFlopsPerToken(),
                hello.getModel().getFlopsPerPair(),
                hello.getModel().getWeightBytes(),
                kvBytesPerToken);
    }

    private void lost(WorkerLink link, String reason, long now) {
        boolean wasJoined = roster.remove(link);
        link.close(Status.ABORTED.withDescription(reason));
        if (wasJoined) {
            LOG.warn("worker {} is lost: {}", link.name(), reason);
            decide(new Event.ReplicaLost(link.replica(), reason), now);
        }
    }

    private void dropSilent(long now) {
        long silentNanosMax = TimeUnit.MILLISECONDS.toNanos(options.heartbeatLostMillis());
        for (WorkerLink link : roster.silent(now, silentNanosMax)) {
            lost(link, "silent for over " + options.heartbeatLostMillis() + " ms", now);
        }
    }

    private void decide(Event event, long now) {
        Commands commands = ask(event, now);
        for (Commands.Grant grant : commands.grants()) {
            send(grant.receiver(), encoder.grant(grant));
        }
        for (Commands.Abort abort : commands.aborts()) {
            send(abort.replica(), encoder.abort(abort));
        }
        for (StepPlan plan : commands.plans()) {
            send(plan.replica(), encoder.plan(plan));
        }
        Outputs outputs = commands.outputs();
        for (int i = 0; i < outputs.size(); i++) {
            ActiveRequest request = requests.get(outputs.sequence(i));
            if (request != null) {
                if (request.token(metrics, now)) {
                    request.sink().onStarted(outputs.cachedTokens(i));
                }
                request.sink().onToken(outputs.token(i), outputs.logprobs(i));
            }
        }
        for (Commands.Finished finished : commands.finished()) {
            ActiveRequest request = requests.remove(finished.sequence());
            if (request != null) {
                metrics.finished(request, finished, now);
                request.sink().onFinished(finished.reason());
            }
        }
        for (Commands.Failed failed : commands.failed()) {
            ActiveRequest request = requests.remove(failed.sequence());
            if (request != null) {
                metrics.failed();
                request.sink()
                        .onFailed(
                                failed.category(),
                                failed.code(),
                                failed.message(),
                                failed.retryAfterMillis());
            }
        }
        // Handling one may call back into this method, so the list is copied: it is rarely not
        // empty.
        if (!commands.disconnects().isEmpty()) {
            for (Commands.Disconnect disconnect : List.copyOf(commands.disconnects())) {
                WorkerLink link = roster.find(disconnect.replica());
                if (link != null) {
                    lost(link, disconnect.reason(), now);
                }
            }
        }
    }

    private Commands ask(Event event, long now) {
        if (recorder == null) {
            return core.on(event, now);
        }
        recorder.event(event, now); // first, so that an event on which the core fails is recorded
        Commands commands = core.on(event, now);
        recorder.decided(event, now, commands);
        return commands;
    }

    private void send(Replica replica, CoordinatorMessage message) {
        WorkerLink link = roster.find(replica.id());
        if (link != null) {
            link.send(message);
        }
    }

    private @Nullable Hello helloOf(Replica replica) {
        WorkerLink link = roster.find(replica.id());
        return link == null ? null : link.hello();
    }

    /// Ends the recording in good order; on the agent's thread.
    void closeRecorder() {
        if (recorder != null) {
            recorder.close();
        }
    }

    /// Ends what is left when the coordinator stops.
    @Override
    public void onClose() {
        closeRecorder();
        for (ActiveRequest request : requests.values()) {
            request.sink()
                    .onFailed(
                            ErrorCategory.CAPACITY,
                            "service_unavailable",
                            "The server is shutting down.",
                            0);
        }
        requests.clear();
        for (WorkerLink link : roster.all()) {
            link.close(Status.UNAVAILABLE.withDescription("the coordinator is shutting down"));
        }
    }
}
