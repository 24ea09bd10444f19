package dev.tandem.coordinator;

import dev.tandem.wire.CoordinatorGrpc;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.WorkerMessage;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/// The gRPC service that workers dial.
final class WorkerService extends CoordinatorGrpc.CoordinatorImplBase {
    private final CoordinatorAgent agent;

    WorkerService(CoordinatorAgent agent) {
        this.agent = agent;
    }

    @Override
    public StreamObserver<WorkerMessage> join(StreamObserver<CoordinatorMessage> responses) {
        var out = (ServerCallStreamObserver<CoordinatorMessage>) responses;
        WorkerLink link = new WorkerLink(agent, out, System.nanoTime());
        // Without a handler a cancelled stream would throw on the agent's thread; the loss itself
        // arrives by onError.
        out.setOnCancelHandler(() -> {});
        agent.opened(link);
        return link;
    }
}
