package dev.tandem.engine;

import dev.tandem.wire.CoordinatorGrpc;
import dev.tandem.wire.CoordinatorMessage;
import dev.tandem.wire.StepPlan;
import dev.tandem.wire.Welcome;
import dev.tandem.wire.WorkerMessage;
import dev.tandem.wire.WorkerMessage.MessageCase;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A coordinator on a real socket that only listens and says what a test tells it to.
final class TestCoordinator implements AutoCloseable {
    /// Far longer than anything takes; only a broken test waits for it.
    private static final long WAIT_SECONDS_MAX = 60;

    private final BlockingQueue<Connection> connections = new LinkedBlockingQueue<>();
    private final Server server;

    /// @param port 0 = any free one
    TestCoordinator(int port) throws IOException {
        server =
                NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
                        .addService(new Service())
                        .build()
                        .start();
    }

    int port() {
        return server.getPort();
    }

    Connection nextConnection() throws InterruptedException {
        return take(connections, "a connection");
    }

    @Override
    public void close() throws InterruptedException {
        server.shutdownNow();
        server.awaitTermination(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
    }

    private static <T> T take(BlockingQueue<T> queue, String what) throws InterruptedException {
        T taken = queue.poll(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
        if (taken == null) {
            throw new AssertionError("waited in vain for " + what);
        }
        return taken;
    }

    /// One stream of a worker.
    static final class Connection implements StreamObserver<WorkerMessage> {
        private final StreamObserver<CoordinatorMessage> worker;
        private final Map<MessageCase, BlockingQueue<WorkerMessage>> messages =
                new ConcurrentHashMap<>();
        private final BlockingQueue<String> ends = new LinkedBlockingQueue<>();

        Connection(StreamObserver<CoordinatorMessage> worker) {
            this.worker = worker;
        }

        /// The next message of a kind; other kinds keep waiting.
        WorkerMessage next(MessageCase kind) throws InterruptedException {
            return take(queue(kind), kind.toString());
        }

        private BlockingQueue<WorkerMessage> queue(MessageCase kind) {
            return messages.computeIfAbsent(kind, _ -> new LinkedBlockingQueue<>());
        }

        void welcome(int heartbeatMillis) {
            tell(
                    CoordinatorMessage.newBuilder()
                            .setWelcome(
                                    Welcome.newBuilder()
                                            .setHeartbeatMillis(heartbeatMillis)
                                            .setHeartbeatLostMillis(10 * heartbeatMillis)));
        }

        void plan(StepPlan.Builder plan) {
            tell(CoordinatorMessage.newBuilder().setStepPlan(plan));
        }

        synchronized void tell(CoordinatorMessage.Builder message) {
            worker.onNext(message.build());
        }

        synchronized void breakStream() {
            worker.onError(Status.UNAVAILABLE.asRuntimeException());
        }

        /// Waits until the worker ends the stream.
        String awaitEnd() throws InterruptedException {
            return take(ends, "the end of the stream");
        }

        @Override
        public void onNext(WorkerMessage message) {
            queue(message.getMessageCase()).add(message);
        }

        @Override
        public void onError(Throwable error) {
            ends.add(error.toString());
        }

        @Override
        public synchronized void onCompleted() {
            ends.add("completed");
            worker.onCompleted();
        }
    }

    private final class Service extends CoordinatorGrpc.CoordinatorImplBase {
        @Override
        public StreamObserver<WorkerMessage> join(StreamObserver<CoordinatorMessage> worker) {
            var connection = new Connection(worker);
            connections.add(connection);
            return connection;
        }
    }
}
