package dev.tandem.bench.transfer;

import org.openucx.jucx.UcxCallback;
import org.openucx.jucx.UcxException;
import org.openucx.jucx.ucp.UcpContext;
import org.openucx.jucx.ucp.UcpEndpoint;
import org.openucx.jucx.ucp.UcpEndpointParams;
import org.openucx.jucx.ucp.UcpMemMapParams;
import org.openucx.jucx.ucp.UcpMemory;
import org.openucx.jucx.ucp.UcpParams;
import org.openucx.jucx.ucp.UcpRemoteKey;
import org.openucx.jucx.ucp.UcpRequest;
import org.openucx.jucx.ucp.UcpWorker;
import org.openucx.jucx.ucp.UcpWorkerParams;

import java.nio.ByteBuffer;

/// One-sided UCX puts into registered memory, a flush for every eight and no more than four flushes under way: what
/// UCX alone makes of the same path.
final class UcxPutWay implements Way {
    private static final int PUTS_PER_FLUSH = 8;
    private static final int FLUSHES_MAX = 4;
    private static final int IDLE_POLLS_MAX = 64;

    private final Pools pools;
    private final UcpContext context;
    private final UcpMemory registered;
    private final UcpWorker target;
    private final UcpWorker source;
    private final UcpEndpoint endpoint;
    private final UcpRemoteKey key;
    private final Thread thread;
    private volatile boolean stopping;
    private int flushed;
    private final UcxCallback onFlush =
            new UcxCallback() {
                @Override
                public void onSuccess(UcpRequest request) {
                    flushed++;
                }

                @Override
                public void onError(int status, String message) {
                    throw new UcxException(message, status);
                }
            };

    UcxPutWay(Pools pools) {
        this.pools = pools;
        context =
                new UcpContext(
                        new UcpParams()
                                .requestRmaFeature()
                                .requestWakeupFeature()
                                .setMtWorkersShared(true)
                                .setConfig("LOG_LEVEL", "fatal"));
        var memory = pools.target().memory();
        registered =
                context.memoryMap(
                        new UcpMemMapParams()
                                .setAddress(memory.address())
                                .setLength(memory.byteSize()));
        target = context.newWorker(wakeable());
        source = context.newWorker(wakeable());
        endpoint =
                source.newEndpoint(
                        new UcpEndpointParams()
                                .setUcpAddress(direct(target.getAddress()))
                                .setPeerErrorHandlingMode());
        key = endpoint.unpackRemoteKey(registered.getRemoteKeyBuffer());
        thread = Thread.ofPlatform().daemon().name("figures-ucx-target").start(this::progress);
    }

    private static UcpWorkerParams wakeable() {
        return new UcpWorkerParams().requestWakeupRX().requestWakeupTX().requestWakeupRMA();
    }

    private static ByteBuffer direct(ByteBuffer bytes) {
        return ByteBuffer.allocateDirect(bytes.remaining()).put(bytes.duplicate()).flip();
    }

    private void progress() {
        try {
            for (int idle = 0; !stopping; ) {
                idle = target.progress() != 0 ? 0 : idle + 1;
                if (idle > IDLE_POLLS_MAX) {
                    target.waitForEvents();
                    idle = 0;
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String name() {
        return "UCX put";
    }

    @Override
    public void move(int first, int count) throws Exception {
        long bytes = pools.blockBytes();
        long from = pools.source().memory().address();
        long to = pools.target().memory().address();
        int flushes = 0;
        flushed = 0;
        for (int i = 1; i <= count; i++) {
            long at = (first + i - 1) * bytes;
            endpoint.putNonBlockingImplicit(from + at, bytes, to + at, key);
            if (i % PUTS_PER_FLUSH == 0 || i == count) {
                endpoint.flushNonBlocking(onFlush);
                flushes++;
                await(flushes - FLUSHES_MAX);
            }
        }
        await(flushes);
    }

    private void await(int flushes) throws Exception {
        for (int idle = 0; flushed < flushes; ) {
            idle = source.progress() != 0 ? 0 : idle + 1;
            if (idle > IDLE_POLLS_MAX) {
                source.waitForEvents();
                idle = 0;
            }
        }
    }

    @Override
    public boolean isEqual() {
        return pools.isEqual();
    }

    @Override
    public void close() throws Exception {
        key.close();
        UcpRequest closing = endpoint.closeNonBlockingFlush();
        while (!closing.isCompleted()) {
            source.progress();
        }
        stopping = true;
        target.signal();
        thread.join();
        source.close();
        target.close();
        registered.close();
        context.close();
        pools.close();
    }
}
