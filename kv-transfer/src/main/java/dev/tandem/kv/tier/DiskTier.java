package dev.tandem.kv.tier;

import dev.tandem.kv.BlockHash;
import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/// Blocks in the files of a folder ([SlotFiles]), with their index in memory. One owner.
///
/// The order of use is kept in memory only: after a restart a block counts as used when it was written.
final class DiskTier implements AutoCloseable {
    private static final int SLOT_BITS = 20;

    /// Slots of a tier; the index of so many takes 56 MiB.
    static final int SLOTS_MAX = 1 << SLOT_BITS;

    /// A million blocks a second reach it in a hundred days.
    private static final long SEQUENCE_MAX = (1L << (Long.SIZE - 1 - SLOT_BITS)) - 1;

    private final SlotFiles files;
    private final int blockBytes;
    private final LruSlots slots;
    private long sequence;
    private @Nullable BlockViews views; // of the pool used last
    private @Nullable BlockViews otherViews; // of the one before

    private DiskTier(SlotFiles files, int blockBytes, int slots) {
        this.files = files;
        this.blockBytes = blockBytes;
        this.slots = new LruSlots(slots);
    }

    /// Opens a folder and finds the blocks that are there; parameters as for [SlotFiles#open].
    static DiskTier open(Path folder, byte[] identity, int blockBytes, int slots)
            throws IOException {
        SlotFiles files = SlotFiles.open(folder, identity, blockBytes, slots);
        try {
            var tier = new DiskTier(files, blockBytes, slots);
            tier.findBlocks();
            return tier;
        } catch (Throwable e) {
            files.close();
            throw e;
        }
    }

    /// Two passes over the entries in memory: order them by their sequence numbers, then take them in. Of two slots with
    /// the same hash the later one counts.
    private void findBlocks() throws IOException {
        var hashes = new byte[slots.capacity() * BlockHash.BYTES];
        var order = new long[slots.capacity()];
        int[] found = {0};
        files.scan(
                (slot, written, hash, at) -> {
                    if (written >= 0 && written <= SEQUENCE_MAX) {
                        System.arraycopy(hash, at, hashes, slot * BlockHash.BYTES, BlockHash.BYTES);
                        order[found[0]++] = written << SLOT_BITS | slot;
                    }
                });
        Arrays.sort(order, 0, found[0]);
        for (int i = 0; i < found[0]; i++) {
            int slot = (int) order[i] & (SLOTS_MAX - 1);
            int earlier = slots.find(hashes, slot * BlockHash.BYTES);
            if (earlier != LruSlots.NONE) {
                slots.remove(earlier);
            }
            slots.place(slot, hashes, slot * BlockHash.BYTES);
            sequence = order[i] >>> SLOT_BITS;
        }
    }

    LruSlots slots() {
        return slots;
    }

    /// Writes a block; a slot is free, and the hash is not there.
    ///
    /// @param checksum CRC32C of the block
    /// @throws IOException full or failing; the hash is not there
    void put(KvPool source, int block, byte[] hash, int at, int checksum) throws IOException {
        if (sequence == SEQUENCE_MAX) {
            throw new IOException("the sequence numbers are used up; empty the folder");
        }
        int slot = slots.add(hash, at);
        try {
            files.write(slot, ++sequence, hash, at, view(source, block), checksum);
        } catch (IOException e) {
            slots.remove(slot);
            throw e;
        }
    }

    /// Copies a block out.
    ///
    /// @param hash that the slot holds
    /// @return false when it is damaged; `target` may hold anything then
    boolean copyTo(int slot, byte[] hash, int at, KvPool target, int block) throws IOException {
        return files.read(slot, hash, at, view(target, block))
                && Crc32c.of(target.memory(), (long) block * blockBytes, blockBytes)
                        == files.checksum();
    }

    /// Calls come with one pool at a time, or with two in turns: the worker's, and the memory of the tier above.
    private ByteBuffer view(KvPool pool, int block) {
        BlockViews wanted = views;
        if (wanted == null || !wanted.isOf(pool)) {
            BlockViews last = wanted;
            wanted = otherViews;
            if (wanted == null || !wanted.isOf(pool)) {
                wanted = new BlockViews(pool);
            }
            views = wanted;
            otherViews = last;
        }
        return wanted.of(block);
    }

    /// Forgets a damaged block, on disk too.
    void remove(int slot) throws IOException {
        slots.remove(slot);
        files.clear(slot);
    }

    @Override
    public void close() throws IOException {
        files.close();
    }
}
