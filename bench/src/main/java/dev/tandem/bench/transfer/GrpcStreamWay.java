package dev.tandem.bench.transfer;

import io.grpc.CallOptions;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A gRPC stream with nothing but blocks' bytes in its messages, at most 1 MiB each as the transports' pieces are. The
/// receiver copies them into the target and answers the last one.
final class GrpcStreamWay implements Way {
    private static final int MESSAGE_BYTES_MAX = 1 << 20;
    private static final int CHUNK_BYTES = 64 << 10;
    private static final int HEADER_BYTES = Long.BYTES + 1;
    private static final int WINDOW_BYTES_MIN = 1 << 20;
    private static final int WINDOW_BYTES_MAX = 8 << 20;
    private static final ThreadLocal<byte[]> CHUNK =
            ThreadLocal.withInitial(() -> new byte[CHUNK_BYTES]);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final Pools pools;
    private final Server server;
    private final ManagedChannel channel;
    private final ClientCallStreamObserver<Message> call;
    private final LinkedBlockingQueue<Boolean> answers = new LinkedBlockingQueue<>();
    private final Object ready = new Object();

    /// @param memory read when written out; what was read is in the target already
    private record Message(MemorySegment memory, long from, int bytes, boolean last) {}

    GrpcStreamWay(Pools pools) throws IOException {
        this.pools = pools;
        MethodDescriptor<Message, Boolean> method =
                MethodDescriptor.<Message, Boolean>newBuilder(new Bytes(), new Answer())
                        .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                        .setFullMethodName("tandem.figures/bytes")
                        .build();
        int window = (int) Math.clamp(2 * pools.blockBytes(), WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
        server =
                NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                        .maxInboundMessageSize(2 * MESSAGE_BYTES_MAX)
                        .flowControlWindow(window)
                        .addService(
                                ServerServiceDefinition.builder("tandem.figures")
                                        .addMethod(
                                                method,
                                                ServerCalls.asyncBidiStreamingCall(
                                                        GrpcStreamWay::answerLast))
                                        .build())
                        .build()
                        .start();
        channel =
                NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                        .usePlaintext()
                        .directExecutor()
                        .disableRetry()
                        .build();
        var answer = new AnswerObserver();
        call =
                (ClientCallStreamObserver<Message>)
                        ClientCalls.asyncBidiStreamingCall(
                                channel.newCall(method, CallOptions.DEFAULT), answer);
    }

    @Override
    public String name() {
        return "gRPC stream";
    }

    @Override
    public void move(int first, int count) throws InterruptedException {
        long end = (first + count) * pools.blockBytes();
        int most = (int) Math.min(MESSAGE_BYTES_MAX, pools.blockBytes());
        for (long at = first * pools.blockBytes(); at < end; at += most) {
            synchronized (ready) {
                while (!call.isReady()) {
                    ready.wait();
                }
            }
            call.onNext(new Message(pools.source().memory(), at, most, at + most == end));
        }
        var unused = answers.take();
    }

    private static StreamObserver<Message> answerLast(StreamObserver<Boolean> out) {
        return new StreamObserver<>() {
            @Override
            public void onNext(Message message) {
                if (message.last()) {
                    out.onNext(true);
                }
            }

            @Override
            public void onError(Throwable cause) {
                // the writer is done
            }

            @Override
            public void onCompleted() {
                out.onCompleted();
            }
        };
    }

    private final class AnswerObserver implements ClientResponseObserver<Message, Boolean> {
        @Override
        public void beforeStart(ClientCallStreamObserver<Message> stream) {
            stream.setOnReadyHandler(
                    () -> {
                        synchronized (ready) {
                            ready.notifyAll();
                        }
                    });
        }

        @Override
        public void onNext(Boolean answer) {
            answers.add(answer);
        }

        @Override
        public void onError(Throwable cause) {
            // the channel is closed
        }

        @Override
        public void onCompleted() {
            // not before the end
        }
    }

    private final class Bytes implements MethodDescriptor.Marshaller<Message> {
        @Override
        public InputStream stream(Message message) {
            return new Outgoing(message);
        }

        @Override
        public Message parse(InputStream stream) {
            byte[] chunk = CHUNK.get();
            try {
                long to = 0;
                int head = stream.readNBytes(chunk, 0, HEADER_BYTES);
                for (int i = 0; i < Long.BYTES; i++) {
                    to = to << 8 | chunk[i] & 0xff;
                }
                boolean last = head == HEADER_BYTES && chunk[Long.BYTES] != 0;
                long from = to;
                for (int read; (read = stream.read(chunk, 0, chunk.length)) > 0; to += read) {
                    MemorySegment.copy(chunk, 0, pools.target().memory(), BYTE, to, read);
                }
                return new Message(pools.target().memory(), from, (int) (to - from), last);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class Outgoing extends InputStream implements KnownLength, Drainable {
        private final Message message;
        private boolean drained;

        Outgoing(Message message) {
            this.message = message;
        }

        @Override
        public int available() {
            return drained ? 0 : HEADER_BYTES + message.bytes();
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            byte[] chunk = CHUNK.get();
            for (int i = 0; i < Long.BYTES; i++) {
                chunk[i] = (byte) (message.from() >>> 8 * (Long.BYTES - 1 - i));
            }
            chunk[Long.BYTES] = (byte) (message.last() ? 1 : 0);
            target.write(chunk, 0, HEADER_BYTES);
            for (int at = 0; at < message.bytes(); ) {
                int part = Math.min(chunk.length, message.bytes() - at);
                MemorySegment.copy(message.memory(), BYTE, message.from() + at, chunk, 0, part);
                target.write(chunk, 0, part);
                at += part;
            }
            drained = true;
            return HEADER_BYTES + message.bytes();
        }

        @Override
        public int read() {
            throw new UnsupportedOperationException("gRPC drains");
        }
    }

    private static final class Answer implements MethodDescriptor.Marshaller<Boolean> {
        @Override
        public InputStream stream(Boolean answer) {
            return InputStream.nullInputStream();
        }

        @Override
        public Boolean parse(InputStream stream) {
            return true;
        }
    }

    @Override
    public boolean isEqual() {
        return pools.isEqual();
    }

    @Override
    public void close() throws Exception {
        call.cancel("done", null);
        channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        pools.close();
    }
}
