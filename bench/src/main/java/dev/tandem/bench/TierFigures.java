package dev.tandem.bench;

import com.sun.management.ThreadMXBean;

import dev.tandem.kv.BlockHash;
import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.kv.tier.BlockTier;
import dev.tandem.kv.tier.TierMetrics;
import dev.tandem.kv.tier.TierOptions;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How fast tiers of KV blocks take blocks in and give them back, beside what the same machine does at best: a plain copy
/// for host memory, plain reads and writes of a file for the disk. Both sides take turns in one run, on one thread, and
/// each line is the median of the rounds. Files stay in the operating system's cache, as most blocks that are asked for
/// again soon do; what a device does is the device's figure.
///
/// ```
/// java -cp ... dev.tandem.bench.TierFigures FOLDER [MIB=256] [ROUNDS=15]
/// ```
public final class TierFigures {
    private static final String MODEL = "figures";
    private static final int WARM_UP_ROUNDS = 4;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final KvPool pool;
    private final KvPool other;
    private final int blocks;
    private final int blockBytes;
    private final byte[] hashes;
    private final FileChannel plain;
    private final Map<String, List<Double>> seconds = new LinkedHashMap<>();
    private final Map<String, Double> allocated = new LinkedHashMap<>();
    private long firstNumber;

    private TierFigures(KvPool pool, KvPool other, FileChannel plain) {
        this.pool = pool;
        this.other = other;
        this.blocks = pool.blocks();
        this.blockBytes = (int) pool.shape().blockBytes();
        this.hashes = new byte[blocks * BlockHash.BYTES];
        this.plain = plain;
    }

    /// One block of a round.
    @FunctionalInterface
    private interface Step {
        void run(int block) throws IOException;
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        long mib = arguments.length > 1 ? Long.parseLong(arguments[1]) : 256;
        int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 15;
        System.out.printf(
                "JVM %s, %d cores, load %.1f, fused CRC %s, %d MiB a round, %d rounds%n",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
                Crc32c.isFused(),
                mib,
                rounds);
        measure(new KvShape(1, 4, 16, 128), folder, mib, rounds);
        measure(new KvShape(8, 8, 16, 128), folder, mib, rounds);
    }

    private static void measure(KvShape shape, Path folder, long mib, int rounds)
            throws IOException {
        int blocks = (int) ((mib << 20) / shape.blockBytes());
        Path file = folder.resolve("plain");
        long bytes = mib << 20;
        try (KvPool pool = KvPools.privateMemory(shape, blocks);
                KvPool other = KvPools.privateMemory(shape, blocks);
                BlockTier host = tier(shape, bytes, null, 0);
                BlockTier disk = tier(shape, 0, folder.resolve("disk"), 2 * bytes);
                BlockTier both = tier(shape, bytes / 4, folder.resolve("both"), 2 * bytes);
                FileChannel plain =
                        FileChannel.open(
                                file,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE)) {
            pool.memory().fill((byte) 3);
            other.memory().fill((byte) 4);
            var figures = new TierFigures(pool, other, plain);
            for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
                if (round == 0) {
                    figures.seconds.clear();
                }
                figures.round(host, disk, both);
            }
            figures.print();
        } finally {
            Files.deleteIfExists(file);
            for (String tier : new String[] {"disk", "both"}) {
                for (String name : new String[] {"tandem-kv.index", "tandem-kv.blocks"}) {
                    Files.deleteIfExists(folder.resolve(tier).resolve(name));
                }
            }
        }
    }

    private static BlockTier tier(KvShape shape, long hostBytes, @Nullable Path dir, long disk) {
        return BlockTier.open(
                new TierOptions(hostBytes, dir, disk + (disk >> 4)),
                shape,
                MODEL,
                new TierMetrics());
    }

    /// New hashes each round, so that every store is one.
    private void round(BlockTier host, BlockTier disk, BlockTier both) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(hashes);
        for (int i = 0; i < blocks; i++) {
            long number = ++firstNumber * 0x9E3779B97F4A7C15L;
            bytes.putLong(number).putLong(~number).putLong(number * 31).putLong(number ^ 77);
        }
        MemorySegment from = pool.memory();
        MemorySegment to = other.memory();
        time("memcpy", i -> MemorySegment.copy(from, at(i), to, at(i), blockBytes));
        time("memcpy + CRC32C", i -> Crc32c.copy(from, at(i), to, at(i), blockBytes));
        time("host: store", i -> require(host.store(pool, i, hashes, hashAt(i))));
        time("host: load", i -> require(host.load(other, i, hashes, hashAt(i))));
        time("file: write", this::write);
        time("file: read", this::read);
        time("disk: store", i -> require(disk.store(pool, i, hashes, hashAt(i))));
        time("disk: load", i -> require(disk.load(other, i, hashes, hashAt(i))));
        time("host full, disk below: store", i -> store(both, i));
        for (BlockTier tier : List.of(host, disk, both)) {
            tier.takeDropped(1 << 14, _ -> {});
        }
    }

    private void store(BlockTier both, int i) {
        require(both.store(pool, i, hashes, hashAt(i)));
    }

    private static ByteBuffer view(KvPool pool, int i) {
        return pool.block(i).asByteBuffer();
    }

    private long at(int i) {
        return (long) i * blockBytes;
    }

    private static int hashAt(int i) {
        return i * BlockHash.BYTES;
    }

    private static void require(boolean done) {
        if (!done) {
            throw new IllegalStateException("a block was refused");
        }
    }

    private void write(int i) throws IOException {
        plain.write(view(pool, i), at(i));
    }

    private void read(int i) throws IOException {
        plain.read(view(other, i), at(i));
    }

    private void time(String what, Step step) throws IOException {
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        for (int i = 0; i < blocks; i++) {
            step.run(i);
        }
        double elapsed = (System.nanoTime() - start) * 1e-9;
        double perBlock = (double) (THREADS.getCurrentThreadAllocatedBytes() - bytes) / blocks;
        seconds.computeIfAbsent(what, _ -> new ArrayList<>()).add(elapsed);
        allocated.put(what, perBlock); // of the last round
    }

    private void print() {
        System.out.printf("%nblocks of %d KiB%n", blockBytes >> 10);
        double bytes = (double) blocks * blockBytes;
        seconds.forEach(
                (what, times) ->
                        System.out.printf(
                                "%-30s %6.2f GB/s  %5.1f %% of %-12s %8.1f us a block  %.1f B"
                                        + " allocated%n",
                                what,
                                bytes / median(times) * 1e-9,
                                100 * ratio(baseline(what), times),
                                baseline(what),
                                median(times) / blocks * 1e6,
                                allocated.get(what)));
    }

    private static String baseline(String what) {
        return switch (what) {
            case "disk: store", "host full, disk below: store" -> "file: write";
            case "disk: load" -> "file: read";
            default -> "memcpy";
        };
    }

    /// Median over the rounds of how fast it was compared with its baseline in the same round.
    private double ratio(String baseline, List<Double> times) {
        List<Double> base = seconds.getOrDefault(baseline, times);
        var ratios = new ArrayList<Double>();
        for (int i = 0; i < times.size(); i++) {
            ratios.add(base.get(i) / times.get(i));
        }
        return median(ratios);
    }

    private static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return Arrays.stream(sorted).skip(sorted.length / 2).findFirst().orElse(Double.NaN);
    }
}
