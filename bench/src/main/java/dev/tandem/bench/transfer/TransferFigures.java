package dev.tandem.bench.transfer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;

import dev.tandem.kv.KvShape;
import dev.tandem.transport.ucx.UcxRuntime;
import dev.tandem.wire.TransportKind;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Measures all ways in alternating rounds and prints a table. Options: `--rounds N` (7), `--mib N` per move (128),
/// `--singles N` 4 KiB blocks a round (400), `--seed N`, `--json FILE`.
public final class TransferFigures {
    private static final int WARM_UP_ROUNDS = 2;
    private static final KvShape SMALLEST = new KvShape(1, 1, 16, 32); // 4 KiB
    private static final List<KvShape> SHAPES =
            List.of(
                    new KvShape(8, 1, 16, 64), // 64 KiB
                    new KvShape(8, 8, 16, 64), // 512 KiB
                    new KvShape(32, 8, 16, 64)); // 2 MiB

    /// The ceiling that each way is compared with.
    private static final Map<String, String> CEILINGS =
            Map.of(
                    "shared-memory", "memcpy",
                    "ucx", "UCX put",
                    "grpc", "gRPC stream");

    private final int rounds;
    private final int mib;
    private final int singles;
    private final long seed;
    private final @Nullable UcxRuntime ucx;
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private TransferFigures(int rounds, int mib, int singles, long seed, @Nullable UcxRuntime ucx) {
        this.rounds = rounds;
        this.mib = mib;
        this.singles = singles;
        this.seed = seed;
        this.ucx = ucx;
    }

    public static void main(String[] arguments) throws Exception {
        var options = new LinkedHashMap<String, String>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        UcxRuntime ucx = null;
        try {
            ucx = UcxRuntime.open();
        } catch (IOException e) {
            System.err.println("without UCX: " + e.getMessage());
        }
        var figures =
                new TransferFigures(
                        Integer.parseInt(options.getOrDefault("--rounds", "7")),
                        Integer.parseInt(options.getOrDefault("--mib", "128")),
                        Integer.parseInt(options.getOrDefault("--singles", "400")),
                        Long.parseLong(options.getOrDefault("--seed", "1")),
                        ucx);
        ObjectNode all = figures.measure();
        String file = options.get("--json");
        if (file != null) {
            new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .writeValue(Path.of(file).toFile(), all);
        }
    }

    private ObjectNode measure() throws Exception {
        ObjectNode all = new ObjectMapper().createObjectNode();
        all.put("seed", seed)
                .put("commit", commit())
                .put("jvm", Runtime.version().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put("cpu", cpu())
                .put("rounds", rounds)
                .put("mibPerMove", mib)
                .put("loadBefore", load());
        System.out.printf(
                Locale.ROOT,
                "seed %d, commit %s, JVM %s, %d cores (%s), load %.1f, %d rounds after %d, %d MiB a"
                        + " move%n%n",
                seed,
                all.get("commit").asText(),
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                all.get("cpu").asText(),
                load(),
                rounds,
                WARM_UP_ROUNDS,
                mib);
        System.out.println(
                "| block | way | GB/s, median | least | most | of its ceiling, median | bytes"
                        + " allocated a block |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (KvShape shape : SHAPES) {
            throughput(shape, all.withArray("throughput"));
        }
        System.out.println();
        System.out.println("| one 4 KiB block | p50 us | p99 us | bytes allocated |");
        System.out.println("|---|---|---|---|");
        latency(all.withArray("latency"));
        all.put("loadAfter", load());
        System.out.printf(Locale.ROOT, "%nload at the end %.1f%n", load());
        return all;
    }

    private void throughput(KvShape shape, ArrayNode out) throws Exception {
        int blocks = Math.toIntExact(((long) mib << 20) / shape.blockBytes());
        List<Way> ways = open(shape, blocks);
        try {
            var rates = new double[ways.size()][rounds];
            var allocated = new double[ways.size()][rounds];
            for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
                progress(
                        "%d KiB blocks, round %d of %d",
                        shape.blockBytes() >> 10, round + 1, rounds);
                for (int i = 0; i < ways.size(); i++) {
                    int way =
                            (i + Math.floorMod(round, ways.size()))
                                    % ways.size(); // nobody is always first
                    long bytesBefore = threads.getTotalThreadAllocatedBytes();
                    long start = System.nanoTime();
                    ways.get(way).move(0, blocks);
                    long nanos = System.nanoTime() - start;
                    long bytes = threads.getTotalThreadAllocatedBytes() - bytesBefore;
                    if (round >= 0) {
                        rates[way][round] = (double) blocks * shape.blockBytes() / nanos;
                        allocated[way][round] = (double) bytes / blocks;
                    }
                }
            }
            requireEqual(ways);
            for (int way = 0; way < ways.size(); way++) {
                row(shape, ways, way, rates, median(allocated[way]), out.addObject());
            }
        } finally {
            close(ways);
        }
    }

    private static void row(
            KvShape shape,
            List<Way> ways,
            int way,
            double[][] rates,
            double allocated,
            ObjectNode out) {
        String name = ways.get(way).name();
        double[] sorted = rates[way].clone();
        Arrays.sort(sorted);
        out.put("blockBytes", shape.blockBytes())
                .put("way", name)
                .put("gigabytesPerSecond", median(sorted))
                .put("least", sorted[0])
                .put("most", sorted[sorted.length - 1])
                .put("allocatedBytesPerBlock", allocated);
        double ratio = ratio(ways, way, rates);
        if (ratio > 0) {
            out.put("ofCeiling", ratio);
        }
        System.out.printf(
                Locale.ROOT,
                "| %d KiB | %s | %.2f | %.2f | %.2f | %s | %.0f |%n",
                shape.blockBytes() >> 10,
                name,
                median(sorted),
                sorted[0],
                sorted[sorted.length - 1],
                ratio > 0
                        ? String.format(
                                Locale.ROOT, "%.0f %% of %s", 100 * ratio, CEILINGS.get(name))
                        : "",
                allocated);
    }

    /// Median of the rounds' own ratios: what disturbed one round disturbed both.
    private static double ratio(List<Way> ways, int way, double[][] rates) {
        String ceiling = CEILINGS.get(ways.get(way).name());
        for (int other = 0; other < ways.size(); other++) {
            if (ways.get(other).name().equals(ceiling)) {
                var ratios = new double[rates[way].length];
                for (int round = 0; round < ratios.length; round++) {
                    ratios[round] = rates[way][round] / rates[other][round];
                }
                return median(ratios);
            }
        }
        return 0;
    }

    private void latency(ArrayNode out) throws Exception {
        List<Way> ways = open(SMALLEST, singles);
        try {
            var histograms = new Histogram[ways.size()];
            Arrays.setAll(histograms, i -> new Histogram(60_000_000_000L, 3));
            var allocated = new double[ways.size()][rounds];
            for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
                progress("4 KiB blocks one by one, round %d of %d", round + 1, rounds);
                for (int way = 0; way < ways.size(); way++) {
                    long bytesBefore = threads.getTotalThreadAllocatedBytes();
                    for (int block = 0; block < singles; block++) {
                        long start = System.nanoTime();
                        ways.get(way).move(block, 1);
                        if (round >= 0) {
                            histograms[way].recordValue(System.nanoTime() - start);
                        }
                    }
                    if (round >= 0) {
                        long bytes = threads.getTotalThreadAllocatedBytes() - bytesBefore;
                        allocated[way][round] = (double) bytes / singles;
                    }
                }
            }
            requireEqual(ways);
            for (int way = 0; way < ways.size(); way++) {
                double p50 = histograms[way].getValueAtPercentile(50) / 1e3;
                double p99 = histograms[way].getValueAtPercentile(99) / 1e3;
                out.addObject()
                        .put("way", ways.get(way).name())
                        .put("p50Micros", p50)
                        .put("p99Micros", p99)
                        .put("allocatedBytes", median(allocated[way]));
                System.out.printf(
                        Locale.ROOT,
                        "| %s | %.1f | %.1f | %.0f |%n",
                        ways.get(way).name(),
                        p50,
                        p99,
                        median(allocated[way]));
            }
        } finally {
            close(ways);
        }
    }

    private List<Way> open(KvShape shape, int blocks) throws IOException {
        var ways = new ArrayList<Way>();
        ways.add(new CopyWay(Pools.open(shape, blocks, LeaseWay.RECEIVER + 1, seed)));
        ways.add(lease(shape, blocks, TransportKind.TRANSPORT_KIND_SHARED_MEMORY));
        ways.add(new SocketWay(Pools.open(shape, blocks, 0, seed)));
        if (ucx != null) {
            ways.add(new UcxPutWay(Pools.open(shape, blocks, 0, seed)));
            ways.add(lease(shape, blocks, TransportKind.TRANSPORT_KIND_UCX));
        }
        ways.add(new GrpcStreamWay(Pools.open(shape, blocks, 0, seed)));
        ways.add(lease(shape, blocks, TransportKind.TRANSPORT_KIND_GRPC));
        return ways;
    }

    private Way lease(KvShape shape, int blocks, TransportKind kind) throws IOException {
        boolean shared = kind == TransportKind.TRANSPORT_KIND_SHARED_MEMORY;
        boolean overUcx = kind == TransportKind.TRANSPORT_KIND_UCX;
        return new LeaseWay(
                Pools.open(shape, blocks, shared ? LeaseWay.RECEIVER : 0, seed),
                kind,
                overUcx ? ucx : null);
    }

    private static void requireEqual(List<Way> ways) {
        for (Way way : ways) {
            if (!way.isEqual()) {
                throw new IllegalStateException(way.name() + " did not bring the same bytes");
            }
        }
    }

    private static void close(List<Way> ways) throws Exception {
        for (Way way : ways) {
            way.close();
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    private static void progress(String text, Object... values) {
        System.err.println(String.format(Locale.ROOT, text, values));
    }

    private static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    private static String cpu() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static String commit() throws InterruptedException {
        try {
            Process git = new ProcessBuilder("git", "describe", "--always", "--dirty").start();
            String name =
                    new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return git.waitFor() == 0 ? name : "unknown";
        } catch (IOException e) {
            return "unknown";
        }
    }
}
