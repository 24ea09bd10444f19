package dev.tandem.engine;

import dev.tandem.transport.BlockSender;
import dev.tandem.transport.LeaseRegistry;
import dev.tandem.wire.CoordinatorGrpc;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.Goodbye;
import dev.tandem.wire.Heartbeat;
import dev.tandem.wire.Hello;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.Welcome;
import dev.tandem.wire.WorkerMessage;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// One stream `Join` to the coordinator: from the dial to the end, never reused. Plans are queued for the engine
/// thread; lease messages go to both transport ends at once, on the stream's thread. [#send] and [#end] may be called by
/// any thread, all else by the engine thread.
///
/// What waits to be sent is bounded by the protocol: one result per plan, one end per lease, one answer per request to the tiers; a heartbeat is left out
/// while the stream is not ready.
final class CoordinatorLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorLink.class);

    /// Plans that may wait; many times the run-ahead of a coordinator.
    private static final int PLANS_QUEUED_MAX = 64;

    private static final int MESSAGE_BYTES_MAX = 64 << 20;
    private static final long CONNECT_MILLIS_MAX = 5_000;
    private static final long WELCOME_MILLIS_MAX = 10_000;
    private static final long FLUSH_MILLIS_MAX = 2_000;

    /// Servers allow a ping every five minutes by default.
    private static final long KEEPALIVE_MILLIS = 330_000;

    /// Also the time that sent bytes may stay unacknowledged (TCP_USER_TIMEOUT), which with the heartbeats finds a
    /// dead host long before a ping does.
    private static final long KEEPALIVE_MILLIS_MAX = 20_000;

    private final ManagedChannel channel;
    private final LeaseRegistry leases;
    private final BlockSender sender;
    private final TierRequests tierRequests;
    private final ScheduledExecutorService timer;
    private final PlanQueue plans = new PlanQueue(PLANS_QUEUED_MAX);
    private final CompletableFuture<Welcome> welcome = new CompletableFuture<>();
    private final CompletableFuture<String> ended = new CompletableFuture<>();
    private final Object outbox = new Object(); // a stream observer is not thread-safe
    private @Nullable ClientCallStreamObserver<WorkerMessage> stream; // guarded by outbox
    private volatile long plansDone;

    /// @param timer runs the heartbeats; not closed here
    CoordinatorLink(
            ManagedChannel channel,
            KvSide kv,
            TierRequests tierRequests,
            ScheduledExecutorService timer) {
        this.channel = channel;
        this.leases = kv.leases();
        this.sender = kv.sender();
        this.tierRequests = tierRequests;
        this.timer = timer;
    }

    /// Opens a channel; nothing is sent yet.
    static ManagedChannel channel(String host, int port) {
        return NettyChannelBuilder.forAddress(host, port)
                .usePlaintext()
                .maxInboundMessageSize(MESSAGE_BYTES_MAX)
                .keepAliveTime(KEEPALIVE_MILLIS, TimeUnit.MILLISECONDS)
                .keepAliveTimeout(KEEPALIVE_MILLIS_MAX, TimeUnit.MILLISECONDS)
                .build();
    }

    /// Waits until the channel is connected, so that a worker without a coordinator holds no KV memory.
    ///
    /// @return false when it can't be for now
    static boolean connect(ManagedChannel channel) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS_MAX);
        ConnectivityState state = channel.getState(true);
        while (state == ConnectivityState.IDLE || state == ConnectivityState.CONNECTING) {
            var changed = new CompletableFuture<Boolean>();
            channel.notifyWhenStateChanged(state, () -> changed.complete(true));
            try {
                changed.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                return false;
            } catch (ExecutionException e) {
                throw new AssertionError("never completed by an error", e);
            }
            state = channel.getState(true);
        }
        return state == ConnectivityState.READY;
    }

    /// Says Hello, waits for the Welcome and starts the heartbeats.
    ///
    /// @return the Welcome; null when the link ended first, see [#endReason]
    @Nullable Welcome join(Hello hello) throws InterruptedException {
        CoordinatorGrpc.newStub(channel).join(new Inbound());
        send(WorkerMessage.newBuilder().setHello(hello).build());
        Welcome answer;
        try {
            answer = welcome.get(WELCOME_MILLIS_MAX, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            end("no Welcome within " + WELCOME_MILLIS_MAX + " ms");
            return null;
        } catch (ExecutionException e) {
            return null;
        }
        int heartbeatMillis = answer.getHeartbeatMillis();
        if (heartbeatMillis < 1) {
            end("Welcome asks for a heartbeat every " + heartbeatMillis + " ms");
            return null;
        }
        var heartbeats =
                timer.scheduleAtFixedRate(
                        this::heartbeat, heartbeatMillis, heartbeatMillis, TimeUnit.MILLISECONDS);
        var _ = ended.thenRun(() -> heartbeats.cancel(false));
        return answer;
    }

    /// Waits for the next plan.
    ///
    /// @return null when the link has ended
    @Nullable StepPlan nextPlan() throws InterruptedException {
        return plans.take();
    }

    /// What heartbeats tell from now on.
    void setPlansDone(long plansDone) {
        this.plansDone = plansDone;
    }

    /// Sends one message; after the end it goes nowhere.
    void send(WorkerMessage message) {
        synchronized (outbox) {
            if (stream != null && !ended.isDone()) {
                stream.onNext(message);
            }
        }
    }

    /// Ends the link: plans that wait are dropped, the engine thread is woken. Only the first reason counts.
    void end(String reason) {
        ended.complete(reason);
        welcome.completeExceptionally(new IllegalStateException(reason));
        plans.close();
    }

    /// Why the link ended, in words.
    String endReason() {
        return ended.getNow("not ended");
    }

    /// Takes leave in good order. Nothing is executed or sent any more.
    void leave(String reason) {
        synchronized (outbox) {
            if (stream != null && !channel.isShutdown()) {
                send(
                        WorkerMessage.newBuilder()
                                .setGoodbye(Goodbye.newBuilder().setReason(reason))
                                .build());
                stream.onCompleted();
                stream = null;
            }
        }
        end(reason);
    }

    /// Closes the channel, giving what was said last [#FLUSH_MILLIS_MAX] to get out.
    @Override
    public void close() {
        end("closed");
        synchronized (outbox) {
            if (stream != null) {
                stream.cancel(endReason(), null);
                stream = null;
            }
        }
        close(channel);
    }

    static void close(ManagedChannel channel) {
        channel.shutdown();
        try {
            if (!channel.awaitTermination(FLUSH_MILLIS_MAX, TimeUnit.MILLISECONDS)) {
                channel.shutdownNow();
            }
        } catch (InterruptedException e) {
            channel.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private void heartbeat() {
        synchronized (outbox) {
            if (stream != null && stream.isReady()) {
                send(
                        WorkerMessage.newBuilder()
                                .setHeartbeat(Heartbeat.newBuilder().setPlansDone(plansDone))
                                .build());
            }
        }
    }

    private void grant(LeaseGrant grant) {
        try {
            leases.grant(grant);
        } catch (RuntimeException e) {
            LOG.warn(
                    "lease {} can't be granted: {}",
                    Long.toUnsignedString(grant.getLease()),
                    e.toString());
            var update =
                    LeaseUpdate.newBuilder()
                            .setLease(grant.getLease())
                            .setOutcome(LeaseOutcome.LEASE_OUTCOME_ABORTED);
            send(WorkerMessage.newBuilder().setLeaseUpdate(update).build());
        }
    }

    /// The stream's thread: gRPC calls these one at a time.
    private final class Inbound
            implements ClientResponseObserver<WorkerMessage, CoordinatorMessage> {
        @Override
        public void beforeStart(ClientCallStreamObserver<WorkerMessage> requests) {
            synchronized (outbox) {
                stream = requests;
            }
        }

        @Override
        public void onNext(CoordinatorMessage message) {
            switch (message.getMessageCase()) {
                case WELCOME -> welcome.complete(message.getWelcome());
                case STEP_PLAN -> {
                    if (!plans.offer(message.getStepPlan())) {
                        end("more than " + PLANS_QUEUED_MAX + " plans ahead of the results");
                    }
                }
                case LEASE_GRANT -> grant(message.getLeaseGrant());
                case LEASE_ABORT -> {
                    leases.abort(message.getLeaseAbort());
                    sender.abort(message.getLeaseAbort());
                }
                case TIER_STORE -> tierRequests.store(message.getTierStore());
                case TIER_LOAD -> tierRequests.load(message.getTierLoad());
                case MESSAGE_NOT_SET -> LOG.warn("message of a kind unknown to this worker");
            }
        }

        @Override
        public void onError(Throwable error) {
            Status status = Status.fromThrowable(error);
            end("stream broken: " + status.getCode() + " " + status.getDescription());
        }

        @Override
        public void onCompleted() {
            end("closed by the coordinator");
        }
    }
}
