package dev.tandem.coordinator;

import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.Hello;
import dev.tandem.wire.WorkerMessage;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

import org.jspecify.annotations.Nullable;

/// One worker's `Join` stream. Messages come in on gRPC's threads and go to the agent; only the agent sends.
final class WorkerLink implements StreamObserver<WorkerMessage> {
    private final CoordinatorAgent agent;
    private final ServerCallStreamObserver<CoordinatorMessage> out;
    private volatile long heardNanos;
    // Owned by the agent.
    private @Nullable Hello hello;
    private int replica = -1;
    private boolean closed;

    WorkerLink(
            CoordinatorAgent agent,
            ServerCallStreamObserver<CoordinatorMessage> out,
            long nowNanos) {
        this.agent = agent;
        this.out = out;
        this.heardNanos = nowNanos;
    }

    @Override
    public void onNext(WorkerMessage message) {
        heardNanos = System.nanoTime();
        if (!message.hasHeartbeat()) {
            agent.offerFromWorker(new AgentMessage.FromWorker(this, message));
        }
    }

    @Override
    public void onError(Throwable error) {
        agent.offerFromWorker(
                new AgentMessage.LinkClosed(this, Status.fromThrowable(error).toString()));
    }

    @Override
    public void onCompleted() {
        agent.offerFromWorker(new AgentMessage.LinkClosed(this, "the worker left"));
    }

    /// When the worker was last heard of, [System#nanoTime].
    long heardNanos() {
        return heardNanos;
    }

    void joined(int replica, Hello hello) {
        this.replica = replica;
        this.hello = hello;
    }

    boolean isJoined() {
        return hello != null;
    }

    int replica() {
        return replica;
    }

    Hello hello() {
        if (hello == null) {
            throw new IllegalStateException("no hello yet");
        }
        return hello;
    }

    String name() {
        return hello == null ? "a worker that has not said hello" : hello.getWorker();
    }

    /// Agent thread only.
    void send(CoordinatorMessage message) {
        if (!closed && !out.isCancelled()) {
            out.onNext(message);
        }
    }

    /// Ends the stream from our side; agent thread only.
    void close(Status status) {
        if (!closed) {
            closed = true;
            if (!out.isCancelled()) {
                out.onError(status.asRuntimeException());
            }
        }
    }
}
