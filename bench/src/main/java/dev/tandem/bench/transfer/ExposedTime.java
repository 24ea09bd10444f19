package dev.tandem.bench.transfer;

import dev.tandem.device.Backend;
import dev.tandem.device.Backends;
import dev.tandem.device.OpenedModel;
import dev.tandem.device.RaggedBatch;
import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.kv.SharedKvPool;
import dev.tandem.transport.BlockTransport;
import dev.tandem.transport.GrpcDialer;
import dev.tandem.transport.GrpcTransport;
import dev.tandem.transport.KvTransferService;
import dev.tandem.transport.LayerProgress;
import dev.tandem.transport.Leases;
import dev.tandem.transport.SenderOptions;
import dev.tandem.transport.SharedMemoryTransport;
import dev.tandem.transport.TransferMetrics;
import dev.tandem.transport.TransferSecurity;
import dev.tandem.transport.TransportSender;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;

/// How much of a prompt's KV transfer is left when its computation ends: the real model on the CPU backend, chunk by
/// chunk, with the real sender, receiver and transports in this process. Beside it the same transfer without overlap
/// (given to the sender when its chunk is computed), and the last chunk's transfer on an idle machine, of which one layer
/// group is a share. The two ways alternate; medians of the rounds.
///
/// Arguments: model folder, tokens of a chunk, kernel threads, rounds, then the prompts' tokens.
public final class ExposedTime {
    private static final int BLOCK_TOKENS = 16;
    private static final int DEADLINE_MILLIS = 600_000;
    private static final long WRITER = 1;
    private static final long RECEIVER = 2;

    private final Backend backend;
    private final KvShape shape;
    private final int groupLayers;
    private final int chunk;
    private final SharedKvPool from;
    private final SharedKvPool to;
    private final Leases leases;
    private final KvTransferService service;
    private final TransportSender sender;
    private final List<TransferEndpoint> endpoints;
    private final BlockingQueue<SendResult> results = new LinkedBlockingQueue<>();
    private final RaggedBatch batch = new RaggedBatch();
    private long lease;

    private ExposedTime(Backend backend, int chunk, int blocks, TransportKind kind)
            throws IOException {
        this.backend = backend;
        this.chunk = chunk;
        shape = backend.kvShape();
        groupLayers = SenderOptions.groupLayers(shape);
        from = KvPools.shared(shape, blocks, WRITER);
        to = KvPools.shared(shape, blocks, RECEIVER);
        var metrics = new TransferMetrics();
        leases = new Leases(to, RECEIVER, metrics);
        leases.onUpdate(update -> {});
        service = new KvTransferService(leases, to, TransferSecurity.PLAINTEXT);
        int port = service.start("127.0.0.1", 0);
        endpoints = service.endpoints(List.of(kind), "127.0.0.1", port);
        GrpcDialer dialer = GrpcDialer.plaintext();
        BlockTransport transport =
                kind == TransportKind.TRANSPORT_KIND_GRPC
                        ? new GrpcTransport(dialer, 1)
                        : new SharedMemoryTransport(shape, WRITER, dialer, metrics);
        sender =
                new TransportSender(
                        from, WRITER, List.of(transport), SenderOptions.defaults(), metrics);
        sender.onResult(results::add);
    }

    public static void main(String[] arguments) throws Exception {
        Path model = Path.of(arguments[0]);
        int chunk = Integer.parseInt(arguments[1]);
        int threads = Integer.parseInt(arguments[2]);
        int rounds = Integer.parseInt(arguments[3]);
        int[] prompts =
                Arrays.stream(arguments, 4, arguments.length).mapToInt(Integer::parseInt).toArray();
        var system = ManagementFactory.getOperatingSystemMXBean();
        System.out.printf(
                "%s, chunks of %d, %d kernel threads, JVM %s, %d cores, load %.1f, checksum in C:"
                        + " %b%n",
                model.getFileName(),
                chunk,
                threads,
                Runtime.version(),
                system.getAvailableProcessors(),
                system.getSystemLoadAverage(),
                Crc32c.isFused());
        System.out.println(
                "| transport | tokens | prefill ms | exposed ms | share of prefill | without"
                        + " overlap ms | last chunk alone ms | its group ms |");
        System.out.println("|---|---|---|---|---|---|---|---|");
        try (OpenedModel opened = Backends.open(model, "cpu", threads, BLOCK_TOKENS)) {
            int blocks = Math.ceilDiv(Arrays.stream(prompts).max().orElseThrow(), BLOCK_TOKENS);
            for (TransportKind kind :
                    List.of(
                            TransportKind.TRANSPORT_KIND_SHARED_MEMORY,
                            TransportKind.TRANSPORT_KIND_GRPC)) {
                var run = new ExposedTime(opened.backend(), chunk, blocks, kind);
                try {
                    for (int tokens : prompts) {
                        run.measure(kind, tokens, rounds);
                    }
                } finally {
                    run.close();
                }
            }
        }
        System.out.printf("load at the end %.1f%n", system.getSystemLoadAverage());
    }

    private void measure(TransportKind kind, int tokens, int rounds) throws InterruptedException {
        int[] prompt = new Random(tokens).ints(tokens, 0, backend.vocabulary()).toArray();
        prefill(prompt, true); // warm
        prefill(prompt, false);
        var compute = new double[rounds];
        var exposed = new double[rounds];
        var after = new double[rounds];
        var alone = new double[rounds];
        for (int round = 0; round < rounds; round++) {
            long begin = System.nanoTime();
            SendResult hidden = prefill(prompt, true);
            compute[round] = (lastComputedNanos - begin) * 1e-6;
            exposed[round] = hidden.getExposedNanos() * 1e-6;
            after[round] = prefill(prompt, false).getExposedNanos() * 1e-6;
            alone[round] = lastChunkAlone(tokens);
        }
        double share = median(exposed) / median(compute);
        int groups = Math.ceilDiv(shape.layers(), groupLayers);
        System.out.printf(
                "| %s | %d | %.1f | %.2f | %.2f %% | %.2f | %.2f | %.2f |%n",
                kind.name().replace("TRANSPORT_KIND_", ""),
                tokens,
                median(compute),
                median(exposed),
                100 * share,
                median(after),
                median(alone),
                median(alone) / groups);
    }

    private long lastComputedNanos;

    /// Computes a prompt and sends its blocks, while they are computed or after each chunk.
    private SendResult prefill(int[] prompt, boolean overlap) throws InterruptedException {
        int blocks = Math.ceilDiv(prompt.length, BLOCK_TOKENS);
        int[] table = IntStream.range(0, blocks).toArray();
        grant(blocks);
        int sent = 0;
        for (int at = 0; at < prompt.length; at += chunk) {
            int count = Math.min(chunk, prompt.length - at);
            boolean last = at + count == prompt.length;
            int complete = last ? blocks : (at + count) / BLOCK_TOKENS;
            KvSend send = send(sent, complete, last);
            sent = complete;
            batch.clear();
            batch.addRow(prompt, at, count, table, blocks, last);
            var progress = new LayerProgress(shape.layers(), groupLayers);
            if (overlap) {
                offer(send, progress);
                backend.forward(batch, from, progress::layersDone);
            } else {
                backend.forward(batch, from);
            }
            progress.complete();
            lastComputedNanos = System.nanoTime();
            if (!overlap) {
                offer(send, progress);
            }
        }
        return result();
    }

    private double lastChunkAlone(int tokens) throws InterruptedException {
        int blocks = Math.ceilDiv(Math.min(chunk, tokens), BLOCK_TOKENS);
        grant(blocks);
        long begin = System.nanoTime();
        offer(send(0, blocks, true), LayerProgress.complete(shape.layers()));
        SendResult unused = result();
        return (System.nanoTime() - begin) * 1e-6;
    }

    private void grant(int blocks) {
        lease++;
        var grant =
                LeaseGrant.newBuilder()
                        .setLease(lease)
                        .setWriterIncarnation(WRITER)
                        .setDeadlineMillis(DEADLINE_MILLIS);
        IntStream.range(0, blocks).forEach(grant::addBlocks);
        leases.grant(grant.build());
    }

    private KvSend send(int first, int end, boolean last) {
        var send =
                KvSend.newBuilder()
                        .setLease(lease)
                        .setReceiverIncarnation(RECEIVER)
                        .addAllEndpoints(endpoints)
                        .setLast(last)
                        .setDeadlineMillis(DEADLINE_MILLIS);
        IntStream.range(first, end).forEach(block -> send.addBlocks(block).addSlots(block));
        return send.build();
    }

    private void offer(KvSend send, LayerProgress progress) {
        if (!sender.send(send, progress)) {
            throw new IllegalStateException("the sender's queue is full");
        }
    }

    private SendResult result() throws InterruptedException {
        SendResult result = results.take();
        if (!result.getCommitted()) {
            throw new IllegalStateException(result.getError());
        }
        return result;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private void close() {
        sender.close();
        service.close();
        leases.close();
        to.close();
        from.close();
    }
}
