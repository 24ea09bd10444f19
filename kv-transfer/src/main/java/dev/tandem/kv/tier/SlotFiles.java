package dev.tandem.kv.tier;

import dev.tandem.kv.BlockHash;
import dev.tandem.kv.Crc32c;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/// The two files of a disk tier, as slots of equal size. Little-endian.
///
/// ```
/// tandem-kv.index   entries of 64 bytes; entry 0 is the file's head, entry 1 + i tells of slot i
///   head            magic "TANDEMK1", bytes of a block (8), identity (32), zeros (12), CRC32C of the 60 bytes before (4)
///   entry           magic "KVBLOCK1", sequence (8), hash (32), bytes of the block (8), CRC32C of the block (4),
///                   CRC32C of the 60 bytes before (4); all zero, or anything that is not like this: the slot is free
/// tandem-kv.blocks  slot i at i * bytes of a block, nothing else
/// ```
/// The entries lie together so that a worker that starts reads 64 bytes a block, in one sweep, and no block.
///
/// A slot is written in this order: its entry is cleared, the block, then the new entry, with a sequence number above
/// all others. A process that is killed in between leaves a free slot. There is no fsync: a host that loses power may
/// keep the later write and lose the earlier one, or half of a page; then the checksum in the entry does not fit the
/// block, which is seen when it is read. A cache that loses its newest blocks with the power has lost nothing that can't
/// be computed again, while an fsync per block costs milliseconds.
///
/// One process at a time: the index is locked for as long as it is open, and the operating system lets go of the lock
/// when the process ends, however it ends. One owner.
final class SlotFiles implements AutoCloseable {
    static final String INDEX = "tandem-kv.index";
    static final String BLOCKS = "tandem-kv.blocks";
    static final int ENTRY_BYTES = 64;
    static final int IDENTITY_BYTES = 32;

    /// Hears of the slots that are taken.
    @FunctionalInterface
    interface Visitor {
        /// @param hash valid during the call only, from `at` on
        void visit(int slot, long sequence, byte[] hash, int at);
    }

    private static final Logger LOG = LoggerFactory.getLogger(SlotFiles.class);
    private static final long HEAD_MAGIC = magic("TANDEMK1");
    private static final long ENTRY_MAGIC = magic("KVBLOCK1");
    private static final int SEQUENCE_AT = 8;
    private static final int HASH_AT = 16;
    private static final int LENGTH_AT = 48;
    private static final int BLOCK_CHECKSUM_AT = 56;
    private static final int CHECKSUM_AT = 60;
    private static final int SCAN_ENTRIES = 4096;
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<?> OWNER_ONLY_FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final FileChannel index;
    private final FileChannel blocks;
    private final int blockBytes;
    private final int slots;
    private final ByteBuffer entry = buffer(ENTRY_BYTES);
    private final byte[] hash = new byte[BlockHash.BYTES];
    private final MemorySegment entryMemory = MemorySegment.ofBuffer(entry);

    private SlotFiles(FileChannel index, FileChannel blocks, int blockBytes, int slots) {
        this.index = index;
        this.blocks = blocks;
        this.blockBytes = blockBytes;
        this.slots = slots;
    }

    /// Opens the files of a folder, making them where they are not there. What belongs to another identity or block
    /// size is removed, and so is what lies beyond `slots`.
    ///
    /// @param identity 32 bytes that name the model and the layout
    /// @throws IOException no such folder and it can't be made, no right to write, in use by another process
    static SlotFiles open(Path folder, byte[] identity, int blockBytes, int slots)
            throws IOException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(folder, OWNER_ONLY_FOLDER);
        }
        FileChannel index = openFile(folder.resolve(INDEX));
        try {
            if (!lock(index)) {
                throw new IOException("another worker uses the folder " + folder);
            }
            FileChannel blocks = openFile(folder.resolve(BLOCKS));
            try {
                var files = new SlotFiles(index, blocks, blockBytes, slots);
                files.begin(folder, identity);
                return files;
            } catch (Throwable e) {
                blocks.close();
                throw e;
            }
        } catch (Throwable e) {
            index.close();
            throw e;
        }
    }

    private static FileChannel openFile(Path file) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        file,
                        Set.of(
                                StandardOpenOption.CREATE,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE,
                                LinkOption.NOFOLLOW_LINKS),
                        OWNER_ONLY);
        try {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            return channel;
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    private static boolean lock(FileChannel index) throws IOException {
        try {
            return index.tryLock() != null; // let go of when the channel closes
        } catch (OverlappingFileLockException e) {
            // A worker in this process, as only tests have: closing its index lets go of both
            // locks.
            return false;
        }
    }

    private void begin(Path folder, byte[] identity) throws IOException {
        long bytes = index.size() + blocks.size();
        if (!isOurs(identity)) {
            if (bytes > 0) {
                LOG.warn(
                        "{} held {} bytes of KV blocks of another model or KV layout, or without a"
                                + " readable head; removed",
                        folder,
                        bytes);
            }
            index.truncate(0);
            blocks.truncate(0);
            writeHead(identity);
        }
        index.truncate((1L + slots) * ENTRY_BYTES);
        blocks.truncate((long) slots * blockBytes);
    }

    private boolean isOurs(byte[] identity) throws IOException {
        entry.clear();
        if (!readFully(index, entry, 0) || !isWhole(entryMemory, 0)) {
            return false;
        }
        byte[] found = new byte[IDENTITY_BYTES];
        entry.get(HASH_AT, found);
        return entry.getLong(0) == HEAD_MAGIC
                && entry.getLong(SEQUENCE_AT) == blockBytes
                && Arrays.equals(found, identity);
    }

    private void writeHead(byte[] identity) throws IOException {
        clearEntry();
        entry.putLong(0, HEAD_MAGIC);
        entry.putLong(SEQUENCE_AT, blockBytes);
        entry.put(HASH_AT, identity);
        writeEntry(0);
    }

    /// Reads all entries, and tells of each whole one in the order of the slots.
    void scan(Visitor visitor) throws IOException {
        ByteBuffer entries = buffer(SCAN_ENTRIES * ENTRY_BYTES);
        MemorySegment memory = MemorySegment.ofBuffer(entries);
        long blocksWritten = Math.ceilDiv(blocks.size(), blockBytes);
        for (int slot = 0; slot < slots; slot += SCAN_ENTRIES) {
            entries.clear();
            boolean more = readFully(index, entries, (1L + slot) * ENTRY_BYTES);
            int whole = entries.position() / ENTRY_BYTES;
            for (int i = 0; i < whole && slot + i < Math.min(slots, blocksWritten); i++) {
                visit(slot + i, entries, memory, i * ENTRY_BYTES, visitor);
            }
            if (!more) {
                return;
            }
        }
    }

    private void visit(
            int slot, ByteBuffer entries, MemorySegment memory, int at, Visitor visitor) {
        if (entries.getLong(at) == ENTRY_MAGIC
                && entries.getLong(at + LENGTH_AT) == blockBytes
                && isWhole(memory, at)) {
            entries.get(at + HASH_AT, hash);
            visitor.visit(slot, entries.getLong(at + SEQUENCE_AT), hash, 0);
        }
    }

    /// Writes a block into a slot.
    ///
    /// @param block what is written, all that remains of it
    /// @param checksum CRC32C of the block
    /// @throws IOException the disk is full or failing; the slot is free then, or its block is found to be damaged
    void write(int slot, long sequence, byte[] hash, int at, ByteBuffer block, int checksum)
            throws IOException {
        clear(slot);
        writeFully(blocks, block, (long) slot * blockBytes);
        clearEntry();
        entry.putLong(0, ENTRY_MAGIC);
        entry.putLong(SEQUENCE_AT, sequence);
        entry.put(HASH_AT, hash, at, BlockHash.BYTES);
        entry.putLong(LENGTH_AT, blockBytes);
        entry.putInt(BLOCK_CHECKSUM_AT, checksum);
        writeEntry(1L + slot);
    }

    /// Reads a slot; [#checksum] then tells the checksum that it must have.
    ///
    /// @param into filled, all that remains of it
    /// @return false when the slot does not hold this block unharmed, as far as the entry and the length tell
    boolean read(int slot, byte[] hash, int at, ByteBuffer into) throws IOException {
        entry.clear();
        if (!readFully(index, entry, (1L + slot) * ENTRY_BYTES)
                || !isWhole(entryMemory, 0)
                || entry.getLong(0) != ENTRY_MAGIC
                || entry.getLong(LENGTH_AT) != blockBytes) {
            return false;
        }
        for (int i = 0; i < BlockHash.BYTES; i++) {
            if (entry.get(HASH_AT + i) != hash[at + i]) {
                return false;
            }
        }
        return readFully(blocks, into, (long) slot * blockBytes);
    }

    /// The checksum that the entry of the last [#read] gives for its block.
    int checksum() {
        return entry.getInt(BLOCK_CHECKSUM_AT);
    }

    /// Clears a slot's entry.
    void clear(int slot) throws IOException {
        clearEntry();
        writeFully(index, entry, (1L + slot) * ENTRY_BYTES);
    }

    private void clearEntry() {
        entry.clear();
        for (int at = 0; at < ENTRY_BYTES; at += Long.BYTES) {
            entry.putLong(at, 0);
        }
    }

    private void writeEntry(long number) throws IOException {
        entry.putInt(CHECKSUM_AT, Crc32c.of(entryMemory, 0, CHECKSUM_AT));
        writeFully(index, entry.clear(), number * ENTRY_BYTES);
    }

    private static boolean isWhole(MemorySegment entries, int at) {
        return Crc32c.of(entries, at, CHECKSUM_AT) == entries.get(INT, at + CHECKSUM_AT);
    }

    /// @return false when the file ends first
    private static boolean readFully(FileChannel file, ByteBuffer into, long from)
            throws IOException {
        int start = into.position();
        while (into.hasRemaining()) {
            if (file.read(into, from + into.position() - start) < 0) {
                return false;
            }
        }
        return true;
    }

    private static void writeFully(FileChannel file, ByteBuffer bytes, long to) throws IOException {
        int start = bytes.position();
        while (bytes.hasRemaining()) {
            file.write(bytes, to + bytes.position() - start);
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static long magic(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
    }

    /// Lets go of the lock too.
    @Override
    public void close() throws IOException {
        try (index) {
            blocks.close();
        }
    }
}
