package dev.tandem.kv.tier;

import static dev.tandem.kv.tier.TestBlocks.MODEL;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvShape;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Scanner;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// Tiers in processes of their own, which are killed, shut out, or have no disk left.
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class TierProcessTest {
    /// 1 MiB a block: a kill mostly meets a write.
    private static final KvShape LARGE = new KvShape(8, 8, 16, 128);

    private static final int DISK_BLOCKS = 24;

    @TempDir Path folder;

    private static BlockTier open(Path folder, int hostBlocks, TierMetrics metrics) {
        var options =
                new TierOptions(
                        hostBlocks * LARGE.blockBytes(),
                        folder,
                        DISK_BLOCKS * (LARGE.blockBytes() + 2 * SlotFiles.ENTRY_BYTES));
        return BlockTier.open(options, LARGE, MODEL, metrics);
    }

    /// Stores one block after the other and says so. Arguments: folder, blocks in host memory, first number, how many.
    public static final class Storing {
        private Storing() {}

        public static void main(String[] arguments) {
            var metrics = new TierMetrics();
            int hostBlocks = Integer.parseInt(arguments[1]);
            long first = Long.parseLong(arguments[2]);
            long count = Long.parseLong(arguments[3]);
            try (var blocks = new TestBlocks(LARGE);
                    BlockTier tier = open(Path.of(arguments[0]), hostBlocks, metrics)) {
                System.out.println("room " + tier.blocksMax());
                for (long number = first; number < first + count; number++) {
                    boolean stored = blocks.store(tier, number);
                    System.out.println(stored + " " + number);
                }
                for (long number = first; number < first + count; number++) {
                    if (blocks.load(tier, number)) {
                        System.out.println("back " + number);
                    }
                }
                System.out.println("failures " + metrics.diskFailures());
                System.out.println("dropped " + TestBlocks.dropped(tier).size());
            }
        }
    }

    @Test
    void whatAKilledWorkerLeavesIsRightOrNotThere() throws Throwable {
        TestBlocks.seeded("TierProcessTest", this::killAndOpen);
    }

    private void killAndOpen(Random random) throws IOException, InterruptedException {
        long written = 0;
        for (int kill = 0; kill < 6; kill++) {
            long first = written;
            Process process = start(List.of(), 0, first, 1_000_000);
            try (var lines = new Scanner(process.getInputStream(), "US-ASCII")) {
                assertThat(said(lines)).isEqualTo("room " + DISK_BLOCKS);
                long stored = 1 + random.nextInt(2 * DISK_BLOCKS);
                for (long number = first; number < first + stored; number++) {
                    assertThat(said(lines)).isEqualTo("true " + number);
                }
                process.destroyForcibly().waitFor(); // SIGKILL, wherever it is by now
                for (String line = said(lines); !line.isEmpty(); line = said(lines)) {
                    stored += line.startsWith("true") ? 1 : 0;
                }
                written = first + stored + 1; // one more may be whole without having been told
            } finally {
                process.destroyForcibly();
            }
            check(first, written);
        }
    }

    private void check(long first, long end) {
        var metrics = new TierMetrics();
        try (var blocks = new TestBlocks(LARGE);
                BlockTier tier = open(folder, 0, metrics)) {
            Set<Long> there = TestBlocks.stored(tier, 100);
            long expected = Math.min(end - 1, DISK_BLOCKS) - 1; // one slot was being written
            assertThat(there).hasSizeGreaterThanOrEqualTo((int) expected);
            assertThat(there).as("the newest that was told").contains(end - 2);
            assertThat(there).allMatch(number -> number < end);
            assertThat(there.stream().anyMatch(number -> number >= first)).isTrue();
            for (long number : there) {
                assertThat(blocks.load(tier, number)).isTrue(); // checks every byte
            }
            assertThat(metrics.corrupt()).as("a slot in the middle of a write is free").isZero();
        }
    }

    @Test
    void aFolderServesOneProcess() throws Exception {
        try (BlockTier ours = open(folder, 0, new TierMetrics())) {
            assertThat(ours.blocksMax()).isEqualTo(DISK_BLOCKS);
            assertThat(linesOf(start(List.of(), 2, 0, 3)))
                    .startsWith("room 2", "true 0", "true 1", "true 2", "back 1", "back 2");
        }
        assertThat(linesOf(start(List.of(), 2, 0, 3))).startsWith("room " + (DISK_BLOCKS + 2));
    }

    /// The limit of a file's size (`ulimit -f`, KiB) makes write fail in the operating system, in the middle of a
    /// block, as a full disk does.
    @Test
    void aFullDiskEndsTheDiskTierAlone() throws Exception {
        long blockKiB = LARGE.blockBytes() >> 10;
        long limitKiB = 5 * blockKiB + blockKiB / 2;
        List<String> lines =
                linesOf(
                        start(
                                List.of(
                                        "bash",
                                        "-c",
                                        "ulimit -f " + limitKiB + "; exec \"$@\"",
                                        "bash"),
                                2,
                                0,
                                12));
        // Blocks 0 to 4 reach the disk, the sixth finds it full; the memory goes on with the last
        // two.
        assertThat(lines).startsWith("room " + (DISK_BLOCKS + 2)).contains("true 0", "true 11");
        assertThat(lines.stream().filter(line -> line.startsWith("back")))
                .containsExactly("back 10", "back 11");
        assertThat(lines).endsWith("failures 1", "dropped 10");
        // The next start finds what was whole.
        try (BlockTier tier = open(folder, 0, new TierMetrics())) {
            assertThat(TestBlocks.stored(tier, 9)).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L);
        }
    }

    private Process start(List<String> prefix, int hostBlocks, long first, long count)
            throws IOException {
        var command = new ArrayList<>(prefix);
        command.addAll(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Storing.class.getName(),
                        folder.toString(),
                        Integer.toString(hostBlocks),
                        Long.toString(first),
                        Long.toString(count)));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static List<String> linesOf(Process process) throws InterruptedException {
        try (var lines = new Scanner(process.getInputStream(), "US-ASCII")) {
            var all = new ArrayList<String>();
            for (String line = said(lines); !line.isEmpty(); line = said(lines)) {
                all.add(line);
            }
            assertThat(process.waitFor()).isZero();
            return all;
        } finally {
            process.destroyForcibly();
        }
    }

    /// The next whole line that a process says itself, or nothing at the end; its log goes the same way.
    private static String said(Scanner lines) {
        while (lines.hasNextLine()) {
            String line = lines.nextLine();
            if (line.matches("(room|true|false|back|failures|dropped) \\d+")) {
                return line;
            }
        }
        return "";
    }
}
