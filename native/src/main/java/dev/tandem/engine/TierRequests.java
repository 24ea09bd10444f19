package dev.tandem.engine;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;

import dev.tandem.kv.BlockHash;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.tier.BlockTier;
import dev.tandem.wire.TierLoad;
import dev.tandem.wire.TierReport;
import dev.tandem.wire.TierStore;
import dev.tandem.wire.WorkerMessage;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.function.Consumer;

/// What the coordinator asks of a worker's tiers over one stream. Each request gets exactly one answer, in the order of
/// the requests, from a thread of their own, so that neither the engine nor the stream waits for a copy or a disk. The
/// tiers outlive the stream; the requests that it leaves behind are dropped, since the pool whose blocks they name goes
/// with it.
///
/// A request too many, a malformed one, and any one to a worker without tiers, are answered at once as if nothing were
/// there, ahead of those that wait: the coordinator then computes instead. [#store] and [#load] may be called by any
/// thread, the rest by the engine thread.
final class TierRequests implements AutoCloseable {
    /// Requests that may wait.
    static final int REQUESTS_QUEUED_MAX = 256;

    /// Hashes in one report: half a megabyte, far below the limit of a message.
    static final int REPORT_HASHES_MAX = 16_384;

    private static final Logger LOG = LoggerFactory.getLogger(TierRequests.class);

    /// Closing waits for the block under way; only a disk that hangs takes that long.
    private static final Duration CLOSE_MAX = Duration.ofSeconds(10);

    private final BlockTier tier;
    private final KvPool pool;
    private final ArrayDeque<Request> queue = new ArrayDeque<>(); // and the lock of `closed`
    private volatile boolean closed;
    private volatile Consumer<WorkerMessage> reports = _ -> {};
    private @Nullable Thread thread;

    private static final class Request {
        final boolean isStore;
        final long number;
        final int[] blocks;
        final byte[] hashes;

        Request(boolean isStore, long number, int[] blocks, ByteString hashes) {
            this.isStore = isStore;
            this.number = number;
            this.blocks = blocks;
            this.hashes = hashes.toByteArray();
        }
    }

    /// @param tier nobody else uses it until this is closed
    /// @param pool where the blocks of the requests lie; closed after this
    TierRequests(BlockTier tier, KvPool pool) {
        this.tier = tier;
        this.pool = pool;
    }

    /// @param reports hears of every answer and all news, from any thread; must not block
    void onReport(Consumer<WorkerMessage> reports) {
        this.reports = reports;
    }

    /// Tells what is there and begins to answer; requests may have come before. Once.
    void start() {
        if (tier.blocksMax() > 0) {
            thread = Thread.ofPlatform().daemon().name("kv-tier").start(this::serve);
        }
    }

    void store(TierStore store) {
        int[] blocks = store.getBlocksList().stream().mapToInt(Integer::intValue).toArray();
        offer(new Request(true, store.getRequest(), blocks, store.getHashes()));
    }

    void load(TierLoad load) {
        int[] blocks = load.getBlocksList().stream().mapToInt(Integer::intValue).toArray();
        offer(new Request(false, load.getRequest(), blocks, load.getHashes()));
    }

    private void offer(Request request) {
        boolean valid = isValid(request);
        if (!valid) {
            LOG.warn(
                    "request {} to the tiers names a block that does not exist, or not one hash"
                            + " each",
                    Long.toUnsignedString(request.number));
        }
        if (!valid || !enqueue(request)) {
            answer(request, 0, null);
        }
    }

    private boolean isValid(Request request) {
        for (int block : request.blocks) {
            if (block < 0 || block >= pool.blocks()) {
                return false;
            }
        }
        return request.hashes.length == (long) request.blocks.length * BlockHash.BYTES;
    }

    private boolean enqueue(Request request) {
        synchronized (queue) {
            if (closed || tier.blocksMax() == 0 || queue.size() == REQUESTS_QUEUED_MAX) {
                return false;
            }
            queue.add(request);
            queue.notifyAll();
            return true;
        }
    }

    /// The tier's thread.
    private void serve() {
        Request request = null;
        try {
            tellAll();
            for (request = next(); request != null; request = next()) {
                int blocks = run(request);
                var dropped = new ArrayList<byte[]>();
                tier.takeDropped(REPORT_HASHES_MAX, dropped::add);
                answer(request, blocks, dropped.isEmpty() ? null : dropped.getFirst());
                for (int i = 1; i < dropped.size(); i++) {
                    report(TierReport.newBuilder().setDropped(wrap(dropped.get(i))));
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.error("the tiers of KV blocks failed; the worker goes on without them", e);
            fail(request);
        }
    }

    /// What was dropped before is not among what is there now.
    private void tellAll() {
        tier.takeDropped(REPORT_HASHES_MAX, _ -> {});
        tier.forEachPart(
                REPORT_HASHES_MAX,
                hashes -> report(TierReport.newBuilder().setStored(wrap(hashes))));
    }

    private int run(Request request) {
        int done = 0;
        while (done < request.blocks.length && !closed) {
            int block = request.blocks[done];
            int at = done * BlockHash.BYTES;
            boolean there =
                    request.isStore
                            ? tier.store(pool, block, request.hashes, at)
                            : tier.load(pool, block, request.hashes, at);
            if (!there) {
                break;
            }
            done++;
        }
        return done;
    }

    /// Answers the request under way, those that wait, and from now on every one at once.
    private void fail(@Nullable Request underWay) {
        if (underWay != null) {
            answer(underWay, 0, null);
        }
        synchronized (queue) {
            closed = true;
            for (Request request = queue.poll(); request != null; request = queue.poll()) {
                answer(request, 0, null);
            }
        }
    }

    /// Waits for a request.
    ///
    /// @return null when closed
    private @Nullable Request next() {
        synchronized (queue) {
            while (queue.isEmpty() && !closed) {
                try {
                    queue.wait();
                } catch (InterruptedException e) {
                    throw new IllegalStateException("nobody interrupts the tier's thread", e);
                }
            }
            return queue.poll();
        }
    }

    private void answer(Request request, int blocks, byte @Nullable [] dropped) {
        var report = TierReport.newBuilder().setRequest(request.number).setBlocks(blocks);
        if (dropped != null) {
            report.setDropped(wrap(dropped));
        }
        report(report);
    }

    private void report(TierReport.Builder report) {
        reports.accept(WorkerMessage.newBuilder().setTierReport(report).build());
    }

    private static ByteString wrap(byte[] ours) {
        return UnsafeByteOperations.unsafeWrap(ours); // nobody else has the array
    }

    /// Drops what waits, and returns when the pool is no longer touched.
    ///
    /// @throws IllegalStateException the disk hangs, so that the pool can't be given back
    @Override
    public void close() {
        synchronized (queue) {
            closed = true;
            queue.clear();
            queue.notifyAll();
        }
        if (thread != null && !joined(thread)) {
            throw new IllegalStateException(
                    "the tiers' disk has not answered for " + CLOSE_MAX.toSeconds() + " s");
        }
    }

    private static boolean joined(Thread thread) {
        try {
            return thread.join(CLOSE_MAX);
        } catch (InterruptedException e) {
            boolean ended = joined(thread); // the pool must not go before; interrupts are rare
            Thread.currentThread().interrupt();
            return ended;
        }
    }
}
