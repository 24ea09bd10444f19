package dev.tandem.kv.tier;

import dev.tandem.kv.BlockHash;
import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Objects;
import java.util.function.Consumer;

/// Keeps evicted KV blocks of one worker, by hash: in host memory, and below it on disk. The package page tells how. One
/// thread at a time; a call takes as long as the copy, and the read or the write of one block on disk.
public final class BlockTier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BlockTier.class);

    private final KvShape shape;
    private final TierMetrics metrics;
    private final @Nullable HostTier host;
    private final @Nullable Path diskDir;
    private final int blocksMax;
    private final HashList dropped = new HashList();
    private final HashList absent = new HashList();
    private final byte[] scratch = new byte[BlockHash.BYTES];
    private final byte[] evicted = new byte[BlockHash.BYTES];
    private @Nullable DiskTier disk; // null from its first failure on

    private BlockTier(
            KvShape shape,
            TierMetrics metrics,
            @Nullable HostTier host,
            @Nullable DiskTier disk,
            @Nullable Path diskDir) {
        this.shape = shape;
        this.metrics = metrics;
        this.host = host;
        this.disk = disk;
        this.diskDir = diskDir;
        this.blocksMax =
                (host == null ? 0 : host.slots().capacity())
                        + (disk == null ? 0 : disk.slots().capacity());
        gauge();
    }

    /// Opens the tiers that the options name. What can't be had is left out, with a warning that says why.
    ///
    /// @param fingerprint of the model; with `shape` it decides which blocks of the folder are ours
    public static BlockTier open(
            TierOptions options, KvShape shape, String fingerprint, TierMetrics metrics) {
        long blockBytes = shape.blockBytes();
        HostTier host = openHost(shape, slots("host memory", options.hostBytesMax(), blockBytes));
        DiskTier disk = null;
        if (options.diskDir() != null) {
            long entryBytes = blockBytes + SlotFiles.ENTRY_BYTES;
            long bytes = options.diskBytesMax() - SlotFiles.ENTRY_BYTES; // without the head
            disk =
                    openDisk(
                            options.diskDir(),
                            identity(shape, fingerprint),
                            blockBytes,
                            slots("disk", Math.max(0, bytes), entryBytes));
        }
        return new BlockTier(shape, metrics, host, disk, options.diskDir());
    }

    private static int slots(String tier, long bytes, long slotBytes) {
        long slots = bytes / slotBytes;
        if (bytes > 0 && slots == 0) {
            LOG.warn("{} bytes of {} don't hold one KV block of {}", bytes, tier, slotBytes);
        } else if (slots > DiskTier.SLOTS_MAX) {
            LOG.warn("no more than {} KV blocks are kept in {}", DiskTier.SLOTS_MAX, tier);
        }
        return (int) Math.min(slots, DiskTier.SLOTS_MAX);
    }

    private static @Nullable HostTier openHost(KvShape shape, int slots) {
        if (slots == 0) {
            return null;
        }
        try {
            return new HostTier(shape, slots);
        } catch (IllegalStateException e) {
            LOG.warn("evicted KV blocks are not kept in host memory: {}", e.getMessage());
            return null;
        }
    }

    private static @Nullable DiskTier openDisk(
            Path folder, byte[] identity, long blockBytes, int slots) {
        if (slots == 0) {
            return null;
        }
        if (blockBytes > Integer.MAX_VALUE) {
            LOG.warn("KV blocks of {} bytes are too large to be kept on disk", blockBytes);
            return null;
        }
        try {
            DiskTier disk = DiskTier.open(folder, identity, (int) blockBytes, slots);
            LOG.info(
                    "{} holds {} KV blocks and has room for {}",
                    folder,
                    disk.slots().size(),
                    slots);
            return disk;
        } catch (IOException | UnsupportedOperationException e) {
            LOG.warn("evicted KV blocks are not kept on disk: {}", e.toString());
            return null;
        }
    }

    /// Of model and layout; the order of bytes counts, since blocks are written as they lie in memory.
    private static byte[] identity(KvShape shape, String fingerprint) {
        String text =
                "tandem KV\n%s\nlayers %d\nheads %d\ntokens %d\ndimension %d\nfloat32 %s\n"
                        .formatted(
                                fingerprint,
                                shape.layers(),
                                shape.kvHeads(),
                                shape.blockTokens(),
                                shape.headDim(),
                                ByteOrder.nativeOrder());
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// Blocks that may be here at the same time at most; 0 when there is neither memory nor disk.
    public int blocksMax() {
        return blocksMax;
    }

    /// Whether a block is here. It may still turn out to be damaged.
    public boolean contains(byte[] hashes, int at) {
        return isInHost(hashes, at) || isOnDisk(hashes, at);
    }

    /// Keeps a copy of a block, or notes that the one that is here was used again.
    ///
    /// @param pool of the tier's shape; its `block` is read
    /// @param hashes the block's hash is `hashes[at..at + 32]`
    /// @return false when it is not here: there is no room at all, or the disk failed
    /// @throws IndexOutOfBoundsException no such block, or outside `hashes`
    /// @throws IllegalArgumentException a pool of another shape
    public boolean store(KvPool pool, int block, byte[] hashes, int at) {
        check(pool, block, hashes, at);
        boolean stored =
                host == null
                        ? storeOnDisk(pool, block, hashes, at)
                        : storeInHost(host, pool, block, hashes, at);
        gauge();
        return stored;
    }

    private boolean storeInHost(HostTier tier, KvPool pool, int block, byte[] hashes, int at) {
        int slot = tier.slots().find(hashes, at);
        if (slot != LruSlots.NONE) {
            tier.slots().touch(slot);
            metrics.known.increment();
            return true;
        }
        if (tier.slots().isFull()) {
            demote(tier);
        }
        tier.put(pool, block, hashes, at);
        countStored();
        return true;
    }

    /// Makes room for one block in host memory.
    private void demote(HostTier tier) {
        int slot = tier.slots().eldest();
        tier.slots().hash(slot, scratch, 0);
        boolean kept = touchOnDisk(scratch, 0);
        DiskTier below = disk;
        if (!kept && below != null) {
            if (tier.isWhole(slot)) {
                kept = putOnDisk(below, tier.slab(), slot, scratch, 0, tier.checksum(slot));
                metrics.demoted.add(kept ? 1 : 0);
            } else {
                countCorrupt("host memory");
            }
        }
        tier.slots().remove(slot);
        if (!kept) {
            drop(scratch, 0);
        }
    }

    private boolean storeOnDisk(KvPool pool, int block, byte[] hashes, int at) {
        if (touchOnDisk(hashes, at)) {
            metrics.known.increment();
            return true;
        }
        DiskTier tier = disk;
        if (tier == null) {
            return false;
        }
        long blockBytes = shape.blockBytes();
        int checksum = Crc32c.of(pool.memory(), block * blockBytes, blockBytes);
        boolean stored = putOnDisk(tier, pool, block, hashes, at, checksum);
        if (stored) {
            countStored();
        }
        return stored;
    }

    private boolean touchOnDisk(byte[] hashes, int at) {
        if (disk == null) {
            return false;
        }
        int slot = disk.slots().find(hashes, at);
        if (slot != LruSlots.NONE) {
            disk.slots().touch(slot);
        }
        return slot != LruSlots.NONE;
    }

    /// Writes a block to disk, in place of the one used longest ago if need be.
    private boolean putOnDisk(
            DiskTier tier, KvPool source, int block, byte[] hashes, int at, int checksum) {
        if (tier.slots().isFull()) {
            int eldest = tier.slots().eldest();
            tier.slots().hash(eldest, evicted, 0);
            tier.slots().remove(eldest);
            if (!isInHost(evicted, 0)) {
                drop(evicted, 0);
            }
        }
        try {
            tier.put(source, block, hashes, at, checksum);
            return true;
        } catch (IOException e) {
            giveUpDisk(tier, e);
            return false;
        }
    }

    /// Brings a block back.
    ///
    /// @param pool of the tier's shape; its `block` is written, and may hold anything when the answer is false
    /// @param hashes the block's hash is `hashes[at..at + 32]`
    /// @return false when it is not here, or was damaged: it counts as dropped then
    /// @throws IndexOutOfBoundsException no such block, or outside `hashes`
    /// @throws IllegalArgumentException a pool of another shape
    public boolean load(KvPool pool, int block, byte[] hashes, int at) {
        check(pool, block, hashes, at);
        boolean here = contains(hashes, at);
        boolean back =
                (host != null && loadFromHost(host, pool, block, hashes, at))
                        || (disk != null && loadFromDisk(disk, pool, block, hashes, at));
        if (back) {
            metrics.loadedBytes.add(shape.blockBytes());
        } else {
            metrics.misses.increment();
            metrics.dropped.add(here ? 1 : 0);
            dropped.add(hashes, at);
        }
        gauge();
        return back;
    }

    private boolean loadFromHost(HostTier tier, KvPool pool, int block, byte[] hashes, int at) {
        int slot = tier.slots().find(hashes, at);
        if (slot == LruSlots.NONE) {
            return false;
        }
        if (tier.copyTo(slot, pool, block)) {
            tier.slots().touch(slot);
            metrics.hostHits.increment();
            return true;
        }
        tier.slots().remove(slot);
        countCorrupt("host memory");
        return false;
    }

    /// Only the first is logged: a broken disk may hold a million of them.
    private void countCorrupt(String where) {
        if (metrics.corrupt() == 0) {
            LOG.warn("a KV block in {} was damaged and is dropped; more are only counted", where);
        }
        metrics.corrupt.increment();
    }

    private boolean loadFromDisk(DiskTier tier, KvPool pool, int block, byte[] hashes, int at) {
        int slot = tier.slots().find(hashes, at);
        if (slot == LruSlots.NONE) {
            return false;
        }
        try {
            if (tier.copyTo(slot, hashes, at, pool, block)) {
                tier.slots().touch(slot);
                metrics.diskHits.increment();
                return true;
            }
            countCorrupt("the tier's folder");
            tier.remove(slot);
        } catch (IOException e) {
            giveUpDisk(tier, e);
        }
        return false;
    }

    private void giveUpDisk(DiskTier tier, IOException cause) {
        LOG.warn("evicted KV blocks are no longer kept in {}: {}", diskDir, cause.toString());
        metrics.diskFailures.increment();
        disk = null;
        LruSlots slots = tier.slots();
        for (int slot = slots.eldest(); slot != LruSlots.NONE; slot = slots.nextNewer(slot)) {
            slots.hash(slot, evicted, 0);
            if (!isInHost(evicted, 0)) {
                drop(evicted, 0);
            }
        }
        closeDisk(tier);
    }

    /// Tells of every block that is here, the one used longest ago first within each tier.
    ///
    /// @param hashesMax in one part
    /// @param part hears of 1 to `hashesMax` hashes at a time, 32 bytes each
    public void forEachPart(int hashesMax, Consumer<byte[]> part) {
        var hashes = new HashList();
        if (host != null) {
            LruSlots slots = host.slots();
            for (int slot = slots.eldest(); slot != LruSlots.NONE; slot = slots.nextNewer(slot)) {
                addTo(hashes, slots, slot, hashesMax, part);
            }
        }
        if (disk != null) {
            LruSlots slots = disk.slots();
            for (int slot = slots.eldest(); slot != LruSlots.NONE; slot = slots.nextNewer(slot)) {
                slots.hash(slot, scratch, 0);
                if (!isInHost(scratch, 0)) {
                    addTo(hashes, slots, slot, hashesMax, part);
                }
            }
        }
        if (hashes.size() > 0) {
            part.accept(hashes.toBytes());
        }
    }

    private void addTo(
            HashList hashes, LruSlots slots, int slot, int hashesMax, Consumer<byte[]> part) {
        slots.hash(slot, scratch, 0);
        hashes.add(scratch, 0);
        if (hashes.size() == hashesMax) {
            part.accept(hashes.toBytes());
            hashes.clear();
        }
    }

    /// The hashes that are gone since the last call, as parts of 32 bytes each: nothing when there are none. One that
    /// came back in the meantime is not among them.
    ///
    /// @param hashesMax in one part
    public void takeDropped(int hashesMax, Consumer<byte[]> part) {
        byte[] gone = dropped.buffer();
        for (int i = 0; i < dropped.size(); i++) {
            if (!contains(gone, i * BlockHash.BYTES)) {
                absent.add(gone, i * BlockHash.BYTES);
            }
            if (absent.size() == hashesMax) {
                part.accept(absent.toBytes());
                absent.clear();
            }
        }
        if (absent.size() > 0) {
            part.accept(absent.toBytes());
        }
        absent.clear();
        dropped.clear();
    }

    private void drop(byte[] hash, int at) {
        dropped.add(hash, at);
        metrics.dropped.increment();
    }

    private boolean isInHost(byte[] hashes, int at) {
        return host != null && host.slots().find(hashes, at) != LruSlots.NONE;
    }

    private boolean isOnDisk(byte[] hashes, int at) {
        return disk != null && disk.slots().find(hashes, at) != LruSlots.NONE;
    }

    private void check(KvPool pool, int block, byte[] hashes, int at) {
        if (!pool.shape().equals(shape)) {
            throw new IllegalArgumentException(
                    "blocks of %s in a tier for %s".formatted(pool.shape(), shape));
        }
        Objects.checkIndex(block, pool.blocks());
        Objects.checkFromIndexSize(at, BlockHash.BYTES, hashes.length);
    }

    private void countStored() {
        metrics.stored.increment();
        metrics.storedBytes.add(shape.blockBytes());
    }

    private void gauge() {
        metrics.hostBlocks = host == null ? 0 : host.slots().size();
        metrics.diskBlocks = disk == null ? 0 : disk.slots().size();
    }

    /// For tests that damage it.
    @Nullable MemorySegment hostMemory() {
        return host == null ? null : host.slab().memory();
    }

    /// Gives the memory back and lets go of the folder; what is on disk stays. Closing twice does nothing.
    @Override
    public void close() {
        if (host != null) {
            host.close();
        }
        DiskTier open = disk;
        disk = null;
        if (open != null) {
            closeDisk(open);
        }
    }

    private void closeDisk(DiskTier tier) {
        try {
            tier.close();
        } catch (IOException e) {
            LOG.warn("the files in {} could not be closed", diskDir, e);
        }
    }
}
