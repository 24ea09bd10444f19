package dev.tandem.kv;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// A pool mapped from a file, so that workers on the same host write blocks straight into it. The worker that
/// created it owns it; others attach. File: one page of header (magic, shape, blocks, incarnation), the
/// [PoolLedger], then the blocks, each part starting on a page; integers in the host's byte order.
///
/// The file is never cut, only removed, so a mapping stays valid whatever happens to the other process. Its
/// space is written before it is mapped: a full file system shows as an error then, not as SIGBUS later.
public final class SharedKvPool implements KvPool {
    static final String NAME_PREFIX = "tandem-kv-";
    static final String NAME_SUFFIX = ".pool";

    private static final Logger log = LoggerFactory.getLogger(SharedKvPool.class);
    private static final long MAGIC = 0x544e444d4b563031L; // "TNDMKV01"
    private static final long PAGE_BYTES = 4096;
    private static final int ZEROS_BYTES = 1 << 20;
    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

    /// The owner's lock is on the first byte; a writer's, on a byte of its own past every file's end.
    static final long OWNER_LOCK = 0;

    private static final long WRITER_LOCKS = 1L << 62;

    // offsets of the header's 64-bit words
    private static final long MAGIC_OFFSET = 0;
    private static final long INCARNATION_OFFSET = 8;
    private static final long BLOCKS_OFFSET = 16;
    private static final long SHAPE_OFFSET = 24; // layers, KV heads, block tokens, head dimension

    private final KvShape shape;
    private final int blocks;
    private final Path path;
    private final FileChannel file; // the owner's holds the lock that says "alive"
    private final boolean owner;
    private final Arena arena;
    private final MemorySegment header;
    private final MemorySegment memory;
    private final PoolLedger ledger;

    @SuppressWarnings("MustBeClosed") // by close()
    private SharedKvPool(KvShape shape, int blocks, Path path, FileChannel file, boolean owner)
            throws IOException {
        this.shape = shape;
        this.blocks = blocks;
        this.path = path;
        this.file = file;
        this.owner = owner;
        this.arena = Arena.ofShared();
        try {
            long size = fileBytes(shape, blocks);
            MemorySegment all = file.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
            header = all.asSlice(0, PAGE_BYTES);
            ledger =
                    new PoolLedger(
                            all.asSlice(PAGE_BYTES, (long) blocks * PoolLedger.CELL_BYTES), blocks);
            memory = all.asSlice(PAGE_BYTES + ledgerBytes(blocks));
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    static SharedKvPool create(KvShape shape, int blocks, Path path, long incarnation)
            throws IOException {
        long size = fileBytes(shape, blocks);
        long usable = Files.getFileStore(path.toAbsolutePath().getParent()).getUsableSpace();
        if (size > usable) {
            throw new IOException(
                    "the KV pool needs %d MiB in %s, which has %d MiB left; give it less or make room"
                            .formatted(size >> 20, path.getParent(), usable >> 20));
        }
        FileAttribute<?> mode =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        var options =
                Set.of(
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        FileChannel file = FileChannel.open(path, options, mode);
        try {
            if (file.tryLock(OWNER_LOCK, 1, false) == null) {
                throw new IOException("another process holds " + path);
            }
            fillWithZeros(file, size);
            var pool = new SharedKvPool(shape, blocks, path, file, true);
            pool.writeHeader(incarnation);
            return pool;
        } catch (Throwable e) {
            file.close();
            Files.deleteIfExists(path);
            throw e;
        }
    }

    /// Maps another worker's pool for writing.
    ///
    /// @throws IOException not there, not a pool of ours, another shape or incarnation
    static SharedKvPool attach(Path path, KvShape shape, long incarnation) throws IOException {
        String name = String.valueOf(path.getFileName());
        if (!name.startsWith(NAME_PREFIX) || !name.endsWith(NAME_SUFFIX)) {
            throw new IOException(path + " is not named like a KV pool");
        }
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("no KV pool at " + path);
        }
        FileChannel file =
                FileChannel.open(
                        path,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
        try {
            int blocks = readBlocks(file, path, shape, incarnation);
            return new SharedKvPool(shape, blocks, path, file, false);
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    private static int readBlocks(FileChannel file, Path path, KvShape shape, long incarnation)
            throws IOException {
        ByteBuffer head = ByteBuffer.allocate((int) PAGE_BYTES).order(ByteOrder.nativeOrder());
        while (head.hasRemaining() && file.read(head, head.position()) > 0) {}
        if (head.hasRemaining() || head.getLong((int) MAGIC_OFFSET) != MAGIC) {
            throw new IOException(path + " is not a KV pool");
        }
        int at = (int) SHAPE_OFFSET;
        long blocks = head.getLong((int) BLOCKS_OFFSET);
        if (head.getLong(at) != shape.layers()
                || head.getLong(at + 8) != shape.kvHeads()
                || head.getLong(at + 16) != shape.blockTokens()
                || head.getLong(at + 24) != shape.headDim()) {
            var theirs =
                    "[layers %d, KV heads %d, block tokens %d, head dimension %d]"
                            .formatted(
                                    head.getLong(at),
                                    head.getLong(at + 8),
                                    head.getLong(at + 16),
                                    head.getLong(at + 24));
            throw new IOException(
                    "%s holds blocks of another shape: %s, not %s".formatted(path, theirs, shape));
        }
        if (head.getLong((int) INCARNATION_OFFSET) != incarnation) {
            throw new IOException(path + " belongs to another incarnation of the receiver");
        }
        if (blocks < 1
                || blocks > Integer.MAX_VALUE
                || file.size() != fileBytes(shape, (int) blocks)) {
            throw new IOException(path + " has a wrong size: " + file.size());
        }
        return (int) blocks;
    }

    private void writeHeader(long incarnation) {
        WORD.set(header, SHAPE_OFFSET, (long) shape.layers());
        WORD.set(header, SHAPE_OFFSET + 8, (long) shape.kvHeads());
        WORD.set(header, SHAPE_OFFSET + 16, (long) shape.blockTokens());
        WORD.set(header, SHAPE_OFFSET + 24, (long) shape.headDim());
        WORD.set(header, BLOCKS_OFFSET, (long) blocks);
        incarnation(incarnation);
        WORD.setRelease(header, MAGIC_OFFSET, MAGIC);
    }

    private void incarnation(long incarnation) {
        WORD.setRelease(header, INCARNATION_OFFSET, incarnation);
    }

    public long incarnation() {
        return (long) WORD.getAcquire(header, INCARNATION_OFFSET);
    }

    /// Writer only, before its first claim: shows that this process lives and has the pool mapped. The operating system
    /// takes the mark away when the process ends, however it ends. A process attaches to a pool once at a time, since
    /// closing a second channel of the same file would take it away too early.
    ///
    /// @throws IOException the file system has no locks, or another process is there under that incarnation
    public void enter(long writer) throws IOException {
        if (file.tryLock(writerLock(writer), 1, false) == null) {
            throw new IOException(
                    "another process writes to %s as the same writer".formatted(path));
        }
    }

    /// Owner only: whether the process of that writer has the pool mapped, so that it may be in the middle of a copy.
    public boolean isEntered(long writer) {
        try (FileLock lock = file.tryLock(writerLock(writer), 1, false)) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true; // a writer in this process
        } catch (IOException e) {
            log.warn("can't tell whether a writer to {} lives; its blocks stay held", path, e);
            return true;
        }
    }

    private static long writerLock(long writer) {
        return WRITER_LOCKS | writer & (WRITER_LOCKS - 1);
    }

    public PoolLedger ledger() {
        return ledger;
    }

    @Override
    public KvShape shape() {
        return shape;
    }

    @Override
    public int blocks() {
        return blocks;
    }

    @Override
    public MemorySegment memory() {
        return memory;
    }

    @Override
    public Path path() {
        return path;
    }

    /// Unmaps; the owner also removes the file, while others that have it mapped keep their mapping.
    @Override
    public void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        try {
            if (owner) {
                incarnation(0); // nobody's: writers stop
                Files.deleteIfExists(path);
            }
            file.close();
        } catch (IOException e) {
            log.warn("KV pool {} could not be removed", path, e);
        } finally {
            arena.close();
        }
    }

    private static long fileBytes(KvShape shape, int blocks) {
        return PAGE_BYTES + ledgerBytes(blocks) + KvPools.requireBytes(shape, blocks);
    }

    private static long ledgerBytes(int blocks) {
        return Math.ceilDiv((long) blocks * PoolLedger.CELL_BYTES, PAGE_BYTES) * PAGE_BYTES;
    }

    private static void fillWithZeros(FileChannel file, long size) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(ZEROS_BYTES, size));
        for (long at = 0; at < size; ) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), size - at));
            at += file.write(zeros, at);
        }
    }
}
