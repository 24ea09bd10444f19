package dev.tandem.kv.tier;

import static dev.tandem.kv.tier.TestBlocks.MODEL;
import static dev.tandem.kv.tier.TestBlocks.SMALL;
import static dev.tandem.kv.tier.TestBlocks.dropped;
import static dev.tandem.kv.tier.TestBlocks.set;
import static dev.tandem.kv.tier.TestBlocks.stored;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.kv.KvShape;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

class DiskTierTest {
    private static final int BLOCKS = 20;
    private static final int DAMAGES = 600;
    private static final int BLOCK = (int) SMALL.blockBytes();
    private static final int ENTRY = SlotFiles.ENTRY_BYTES;

    private final TestBlocks blocks = new TestBlocks(SMALL);
    private final TierMetrics metrics = new TierMetrics();
    private Path folder;

    @BeforeEach
    void choose(@TempDir Path temporary) {
        folder = temporary.resolve("model").resolve("worker"); // is made
    }

    @AfterEach
    void close() {
        blocks.close();
    }

    private BlockTier open() {
        return open(SMALL, MODEL, BLOCKS);
    }

    private BlockTier open(KvShape shape, String model, int slots) {
        long bytes = ENTRY + slots * (shape.blockBytes() + ENTRY);
        return BlockTier.open(new TierOptions(0, folder, bytes), shape, model, metrics);
    }

    private void storeAll() {
        try (BlockTier tier = open()) {
            for (long number = 0; number < BLOCKS; number++) {
                assertThat(blocks.store(tier, number)).isTrue();
            }
        }
    }

    private Path index() {
        return folder.resolve(SlotFiles.INDEX);
    }

    private Path blocksFile() {
        return folder.resolve(SlotFiles.BLOCKS);
    }

    @Test
    void aRestartFindsAllAndKnowsWhichIsTheOldest() throws Exception {
        storeAll();
        try (BlockTier tier = open()) {
            assertThat(stored(tier, 6)).hasSize(BLOCKS);
            blocks.store(tier, 100);
            assertThat(dropped(tier)).isEqualTo(set(0));
        }
        try (BlockTier tier = open()) {
            blocks.store(tier, 101);
            assertThat(dropped(tier)).isEqualTo(set(1));
            assertThat(blocks.load(tier, 100)).isTrue();
            for (long number = 2; number < BLOCKS; number++) {
                assertThat(blocks.load(tier, number)).isTrue();
            }
        }
        assertThat(Files.size(index())).isEqualTo((1 + BLOCKS) * ENTRY);
        assertThat(Files.size(blocksFile())).isEqualTo(BLOCKS * BLOCK);
    }

    @Test
    void onlyTheOwnerMayReadTheFiles() throws Exception {
        storeAll();
        Files.setPosixFilePermissions(blocksFile(), PosixFilePermissions.fromString("rw-rw-rw-"));
        open().close();
        for (Path file : List.of(index(), blocksFile())) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
    }

    @Test
    void blocksOfAnotherModelOrLayoutAreRemoved() throws Exception {
        List<KvShape> shapes =
                List.of(SMALL, new KvShape(1, 4, 4, 4), new KvShape(2, 2, 4, 8)); // 2nd: same size
        for (String model : List.of("f1e2", "a0b1")) {
            for (KvShape shape : shapes) {
                storeAll();
                if (shape.equals(SMALL) && model.equals(MODEL)) {
                    continue;
                }
                try (BlockTier other = open(shape, model, BLOCKS)) {
                    assertThat(stored(other, 9)).as("%s %s", model, shape).isEmpty();
                    assertThat(Files.size(blocksFile())).isZero();
                }
                try (BlockTier again = open()) {
                    assertThat(stored(again, 9)).isEmpty();
                }
            }
        }
    }

    @Test
    void aSmallerBoundCutsTheFilesAndALargerOneFills() throws Exception {
        storeAll();
        try (BlockTier tier = open(SMALL, MODEL, 5)) {
            assertThat(stored(tier, 9)).hasSize(5);
            assertThat(Files.size(blocksFile())).isEqualTo(5 * BLOCK);
        }
        try (BlockTier tier = open(SMALL, MODEL, 30)) {
            Set<Long> left = stored(tier, 9);
            for (long number = 100; number < 125; number++) {
                blocks.store(tier, number);
            }
            assertThat(dropped(tier)).isEmpty();
            for (long number : left) {
                assertThat(blocks.load(tier, number)).isTrue();
            }
        }
    }

    @Test
    void theSecondOnAFolderRunsWithoutIt() {
        try (BlockTier first = open();
                BlockTier second = open()) {
            assertThat(first.blocksMax()).isEqualTo(BLOCKS);
            assertThat(second.blocksMax()).isZero();
            assertThat(blocks.store(second, 1)).isFalse();
            assertThat(blocks.store(first, 1)).isTrue();
            assertThat(blocks.load(first, 1)).isTrue();
        }
        try (BlockTier third = open()) {
            assertThat(blocks.load(third, 1)).isTrue();
        }
    }

    @Test
    void foldersThatCanNotBeUsedAreLeftOut(@TempDir Path temporary) throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "no folder");
        Path link = temporary.resolve("link");
        Files.createDirectory(link);
        Files.createSymbolicLink(link.resolve(SlotFiles.INDEX), file);
        Path taken = temporary.resolve("taken");
        Files.createDirectories(taken.resolve(SlotFiles.BLOCKS));
        List<Path> folders =
                List.of(file, file.resolve("below"), link, taken, Path.of("/proc/tandem-tier"));
        for (Path unusable : folders) {
            folder = unusable;
            try (BlockTier tier =
                    BlockTier.open(
                            new TierOptions(2L * BLOCK, folder, 1 << 20), SMALL, MODEL, metrics)) {
                assertThat(tier.blocksMax()).as("%s", unusable).isEqualTo(2);
                for (long number = 0; number < 3; number++) {
                    assertThat(blocks.store(tier, number)).isTrue();
                }
                assertThat(dropped(tier)).isEqualTo(set(0));
            }
        }
        assertThat(file).hasContent("no folder");
    }

    @Test
    void oneDamagedBlockIsDroppedAloneAndItsSlotIsUsedAgain() throws Exception {
        storeAll();
        flip(blocksFile(), 7L * BLOCK + 100, 3);
        try (BlockTier tier = open()) {
            assertThat(blocks.load(tier, 7)).isFalse();
            assertThat(dropped(tier)).isEqualTo(set(7));
            assertThat(metrics.corrupt()).isEqualTo(1);
        }
        try (BlockTier tier = open()) {
            assertThat(stored(tier, 9)).hasSize(BLOCKS - 1).doesNotContain(7L);
            blocks.store(tier, 7);
            assertThat(dropped(tier)).isEmpty();
            for (long number = 0; number < BLOCKS; number++) {
                assertThat(blocks.load(tier, number)).isTrue();
            }
        }
    }

    @Test
    void aFileCutInUseIsDamageNotAnEnd() throws Exception {
        storeAll();
        try (BlockTier tier = open()) {
            cut(blocksFile(), 10L * BLOCK + 1);
            assertThat(blocks.load(tier, 9)).isTrue();
            assertThat(blocks.load(tier, 10)).isFalse();
            assertThat(blocks.load(tier, 11)).isFalse();
            assertThat(dropped(tier)).isEqualTo(set(10, 11));
            blocks.store(tier, 10);
            assertThat(blocks.load(tier, 10)).isTrue();
        }
    }

    /// Whatever happens to the files while nobody has them open: what comes back is right, and the tier works on.
    @Test
    void noDamageIsEverReturned() throws Throwable {
        TestBlocks.seeded("DiskTierTest", this::damageFiles);
    }

    private void damageFiles(Random random) throws IOException {
        storeAll();
        byte[] goodIndex = Files.readAllBytes(index());
        byte[] goodBlocks = Files.readAllBytes(blocksFile());
        long lost = 0;
        for (int round = 0; round < DAMAGES; round++) {
            Files.write(index(), goodIndex);
            Files.write(blocksFile(), goodBlocks);
            Path file = random.nextInt(3) > 0 ? index() : blocksFile();
            damage(file, random);
            try (BlockTier tier = open()) {
                for (long number = 0; number < BLOCKS; number++) {
                    lost += blocks.load(tier, number) ? 0 : 1; // checks every byte
                }
                for (long number = 0; number < BLOCKS; number++) {
                    blocks.store(tier, number);
                    assertThat(blocks.load(tier, number)).isTrue();
                }
            }
        }
        assertThat(lost).as("blocks lost by all damages").isGreaterThan(DAMAGES);
        assertThat(metrics.diskFailures()).isZero();
    }

    private static void damage(Path file, Random random) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(6)) {
            case 0, 1 -> flip(file, at, random.nextInt(8));
            case 2 -> cut(file, at);
            case 3 -> { // a page, or less, that never reached the disk
                int end = Math.min(bytes.length, at + 1 + random.nextInt(1024));
                Arrays.fill(bytes, at, end, (byte) 0);
                Files.write(file, bytes);
            }
            case 4 -> { // noise
                byte[] noise = new byte[Math.min(bytes.length - at, 1 + random.nextInt(200))];
                random.nextBytes(noise);
                System.arraycopy(noise, 0, bytes, at, noise.length);
                Files.write(file, bytes);
            }
            default -> { // a sector in another one's place
                int from = random.nextInt(bytes.length / ENTRY) * ENTRY;
                int to = random.nextInt(bytes.length / ENTRY) * ENTRY;
                System.arraycopy(bytes, from, bytes, to, ENTRY);
                Files.write(file, bytes);
            }
        }
    }

    private static void flip(Path file, long at, int bit) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) at] ^= (byte) (1 << bit);
        Files.write(file, bytes);
    }

    private static void cut(Path file, long length) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, (int) length));
    }

    @Test
    void foreignFilesOfTheFolderStay() throws Exception {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("notes"), "mine");
        storeAll();
        open(SMALL, "another", BLOCKS).close();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("notes", SlotFiles.INDEX, SlotFiles.BLOCKS);
        }
    }
}
