package dev.tandem.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Random;
import java.util.zip.CRC32C;

class KvPoolsTest {
    private static final KvShape SHAPE = new KvShape(2, 3, 16, 8); // 6144 bytes a block

    @TempDir Path folder;

    @Test
    void privatePoolIsZeroAndWritable() {
        try (KvPool pool = KvPools.privateMemory(SHAPE, 10)) {
            assertThat(pool.path()).isNull();
            assertZero(pool);
            assertBlocksAreDistinct(pool);
        }
    }

    @Test
    void privatePoolMayBeLargerThanTheHeapAndDirectMemory() {
        assumeTrue(
                PrivateMemory.availableBytes() > 5L << 30,
                "needs 5 GiB of memory that are not in use");
        var shape = new KvShape(32, 8, 16, 128); // 4 MiB a block
        try (KvPool pool = KvPools.privateMemory(shape, 1024)) {
            pool.block(1023).set(ValueLayout.JAVA_BYTE, shape.blockBytes() - 1, (byte) 7);
            assertThat(pool.memory().byteSize()).isEqualTo(4L << 30);
        }
    }

    @Test
    void sharedPoolIsSeenThroughItsFileUntilClosed() throws IOException {
        SharedKvPool pool = KvPools.shared(SHAPE, 10, 0x1234, folder);
        assertZero(pool);
        assertBlocksAreDistinct(pool);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(pool.path())))
                .isEqualTo("rw-------");
        assertThat(pool.path().getFileName().toString()).contains("0000000000001234");
        try (SharedKvPool other = KvPools.attach(pool.path(), SHAPE, 0x1234)) {
            other.block(7).fill((byte) 9);
            assertThat(pool.block(7).mismatch(other.block(7))).isEqualTo(-1);
            assertThat(pool.block(7).get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 9);
            pool.close();
            assertThat(other.incarnation()).isZero();
            other.block(7).fill((byte) 8); // the mapping outlives the file
        }
        assertThat(pool.path()).doesNotExist();
    }

    @Test
    void attachRefusesWhatIsNotThatPool() throws IOException {
        try (SharedKvPool pool = KvPools.shared(SHAPE, 10, 5, folder)) {
            assertThatThrownBy(() -> KvPools.attach(pool.path(), SHAPE, 6))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another incarnation");
            assertThatThrownBy(() -> KvPools.attach(pool.path(), new KvShape(2, 3, 16, 4), 5))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another shape");
            Path link = folder.resolve("tandem-kv-link.pool");
            Files.createSymbolicLink(link, pool.path());
            assertThatThrownBy(() -> KvPools.attach(link, SHAPE, 5))
                    .isInstanceOf(IOException.class);
        }
        Path other = Files.writeString(folder.resolve("tandem-kv-1-0.pool"), "no pool");
        assertThatThrownBy(() -> KvPools.attach(other, SHAPE, 5))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a KV pool");
        Path passwords = Files.writeString(folder.resolve("passwords"), "x".repeat(10_000));
        assertThatThrownBy(() -> KvPools.attach(passwords, SHAPE, 5))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not named like");
    }

    @Test
    void removesPoolsOfDeadProcessesOnly() throws IOException {
        long noProcess = 2_000_000_000L; // above every Linux pid_max
        Path dead = Files.writeString(name(noProcess), "left behind");
        Path alive = Files.writeString(name(ProcessHandle.current().pid()), "in use");
        Path foreign = Files.writeString(folder.resolve("tandem-kv-notes.txt"), "keep");
        KvPools.shared(SHAPE, 1, 1, folder).close();
        assertThat(dead).doesNotExist();
        assertThat(alive).exists();
        assertThat(foreign).exists();
    }

    @Test
    void tooLargeIsAClearError() {
        var huge = new KvShape(1000, 1000, 1000, 1000); // 8 TB
        assertThatThrownBy(() -> KvPools.privateMemory(huge, 1000))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("MiB");
        assertThatThrownBy(() -> KvPools.shared(huge, 1000, 1, folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("MiB");
        assertThat(folder).isEmptyDirectory();
        assertThatThrownBy(() -> KvPools.privateMemory(SHAPE, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void ledgerOpensAndClosesCells() throws IOException {
        try (SharedKvPool pool = KvPools.shared(SHAPE, 100, 5, folder);
                SharedKvPool writer = KvPools.attach(pool.path(), SHAPE, 5)) {
            int[] blocks = {42, 99, 0};
            for (int slot = 0; slot < blocks.length; slot++) {
                pool.ledger().open(blocks[slot], -7, 11, slot);
            }
            pool.ledger().open(50, 8, 11, 1); // another lease
            assertThat(writer.ledger().locate(-7, 11)).startsWith(42, 99, 0);
            assertThat(writer.ledger().locate(-7, 12)).isEmpty();
            assertThat(writer.ledger().claim(99, -7, 11, 2)).isFalse();
            assertThat(writer.ledger().claim(99, -7, 12, 1)).isFalse();
            assertThat(writer.ledger().claim(99, -8, 11, 1)).isFalse();
            assertThat(writer.ledger().claim(99, -7, 11, 1)).isTrue();
            assertThat(writer.ledger().claim(99, -7, 11, 1)).as("taken").isFalse();
            assertThat(writer.ledger().locate(-7, 11)).startsWith(42, 99, 0);
            writer.ledger().release(99);
            assertThat(pool.ledger().close(99)).isTrue();
            assertThat(writer.ledger().claim(99, -7, 11, 1)).isFalse();
            assertThat(writer.ledger().locate(-7, 11)).startsWith(42, -1, 0);
        }
    }

    @Test
    void aCellClosedWithinACopyIsSilentOnlyAfterIt() throws IOException {
        try (SharedKvPool pool = KvPools.shared(SHAPE, 10, 5, folder);
                SharedKvPool writer = KvPools.attach(pool.path(), SHAPE, 5)) {
            pool.ledger().open(3, 7, 11, 0);
            assertThat(writer.ledger().claim(3, 7, 11, 0)).isTrue();
            assertThat(pool.ledger().close(3)).isFalse();
            assertThat(pool.ledger().close(3)).as("asked again").isFalse();
            writer.ledger().release(3);
            assertThat(pool.ledger().close(3)).isTrue();
            assertThat(writer.ledger().claim(3, 7, 11, 0)).isFalse();
            pool.ledger().open(3, 8, 11, 0);
            assertThat(writer.ledger().claim(3, 7, 11, 0)).as("an ended lease").isFalse();
            assertThat(writer.ledger().claim(3, 8, 11, 0)).isTrue();
            pool.ledger().closeDead(3);
            assertThat(pool.ledger().close(3)).isTrue();
        }
    }

    @Test
    void checksumsAgreeWithTheStandardAndCopyIsExact() {
        byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII);
        try (KvPool pool = KvPools.privateMemory(new KvShape(3, 5, 16, 64), 16)) {
            MemorySegment nine = pool.memory().asSlice(0, 9).copyFrom(MemorySegment.ofArray(check));
            assertThat(Crc32c.of(nine)).isEqualTo(0xe3069283); // RFC 3720's CRC-32C of "123456789"
            for (int i = 0; i < pool.shape().blockBytes(); i++) {
                pool.block(1).set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31 + i / 255));
            }
            var whole = new CRC32C();
            whole.update(pool.block(1).asByteBuffer());
            assertThat(Crc32c.copy(pool.block(1), 0, pool.block(2), 0, pool.shape().blockBytes()))
                    .isEqualTo((int) whole.getValue());
            assertThat(pool.block(2).mismatch(pool.block(1))).isEqualTo(-1);
        }
    }

    /// Both ways, at all alignments and around the lengths at which the C code changes its step.
    @Test
    void checksumsAgreeForAnyPlaceAndLength() {
        long seed = Long.getLong("tandem.seed", 9);
        var random = new Random(seed);
        assumeTrue(Crc32c.isFused(), "there is no C code here: no gcc, or another CPU");
        try (KvPool pool = KvPools.privateMemory(new KvShape(3, 5, 16, 64), 16)) {
            MemorySegment memory = pool.memory();
            for (long at = 0; at < memory.byteSize(); at += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
            }
            long half = memory.byteSize() / 2;
            for (int round = 0; round < 3000; round++) {
                long bytes = random.nextInt(3) * 4032L + random.nextInt(round % 2 == 0 ? 80 : 9000);
                long from = random.nextLong(half - bytes);
                long to = half + random.nextLong(half - bytes);
                var whole = new CRC32C();
                whole.update(memory.asSlice(from, bytes).asByteBuffer());
                int expected = (int) whole.getValue();
                byte before = memory.get(ValueLayout.JAVA_BYTE, to - 1);
                byte after = memory.get(ValueLayout.JAVA_BYTE, Math.min(to + bytes, 2 * half - 1));
                String repeat =
                        "%d bytes from %d to %d; repeat with -Dtandem.seed=%d"
                                .formatted(bytes, from, to, seed);
                assertThat(Crc32c.of(memory, from, bytes)).as(repeat).isEqualTo(expected);
                assertThat(Crc32c.inJava(memory, from, bytes)).as(repeat).isEqualTo(expected);
                int copied =
                        round % 2 == 0
                                ? Crc32c.copy(memory, from, memory, to, bytes)
                                : Crc32c.copyInJava(memory, from, memory, to, bytes);
                assertThat(copied).as(repeat).isEqualTo(expected);
                assertThat(memory.asSlice(to, bytes).mismatch(memory.asSlice(from, bytes)))
                        .as(repeat)
                        .isEqualTo(-1);
                assertThat(memory.get(ValueLayout.JAVA_BYTE, to - 1)).isEqualTo(before);
                if (to + bytes < 2 * half) {
                    assertThat(memory.get(ValueLayout.JAVA_BYTE, to + bytes)).isEqualTo(after);
                }
            }
            assertThatThrownBy(() -> Crc32c.of(memory, half, half + 1))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> Crc32c.copy(memory, 0, memory, half + 1, half))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    private Path name(long pid) {
        return folder.resolve("tandem-kv-%d-%016x.pool".formatted(pid, 99));
    }

    private static void assertZero(KvPool pool) {
        MemorySegment memory = pool.memory();
        assertThat(memory.byteSize()).isEqualTo(pool.blocks() * SHAPE.blockBytes());
        for (long at = 0; at < memory.byteSize(); at++) {
            if (memory.get(ValueLayout.JAVA_BYTE, at) != 0) {
                throw new AssertionError("byte %d is not zero".formatted(at));
            }
        }
    }

    private static void assertBlocksAreDistinct(KvPool pool) {
        for (int block = 0; block < pool.blocks(); block++) {
            pool.block(block).fill((byte) (block + 1));
        }
        for (int block = 0; block < pool.blocks(); block++) {
            long bytes = SHAPE.blockBytes();
            assertThat(pool.memory().get(ValueLayout.JAVA_BYTE, block * bytes))
                    .isEqualTo((byte) (block + 1));
            assertThat(pool.memory().get(ValueLayout.JAVA_BYTE, (block + 1) * bytes - 1))
                    .isEqualTo((byte) (block + 1));
        }
        assertThatThrownBy(() -> pool.block(pool.blocks()))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> pool.block(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
