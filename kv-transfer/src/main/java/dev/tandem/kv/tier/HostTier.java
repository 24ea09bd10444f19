package dev.tandem.kv.tier;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;

/// Blocks in memory outside the heap: one slab, a slot a block, with the CRC32C of each. One owner.
final class HostTier implements AutoCloseable {
    private final KvPool slab;
    private final long blockBytes;
    private final LruSlots slots;
    private final int[] checksums; // by slot

    /// @throws IllegalStateException not enough memory
    HostTier(KvShape shape, int blocks) {
        slab = KvPools.privateMemory(shape, blocks);
        blockBytes = shape.blockBytes();
        slots = new LruSlots(blocks);
        checksums = new int[blocks];
    }

    LruSlots slots() {
        return slots;
    }

    /// The memory, a slot a block.
    KvPool slab() {
        return slab;
    }

    /// Copies a block in; a slot is free, and the hash is not there.
    void put(KvPool pool, int block, byte[] hash, int at) {
        int slot = slots.add(hash, at);
        checksums[slot] =
                Crc32c.copy(
                        pool.memory(),
                        block * blockBytes,
                        slab.memory(),
                        slot * blockBytes,
                        blockBytes);
    }

    /// Copies a block out.
    ///
    /// @return false when the copy has not the checksum that it was stored with, so that `target` holds damaged bytes
    boolean copyTo(int slot, KvPool target, int block) {
        int checksum =
                Crc32c.copy(
                        slab.memory(),
                        slot * blockBytes,
                        target.memory(),
                        block * blockBytes,
                        blockBytes);
        return checksum == checksums[slot];
    }

    /// Whether a block has the checksum that it was stored with.
    boolean isWhole(int slot) {
        return Crc32c.of(slab.memory(), slot * blockBytes, blockBytes) == checksums[slot];
    }

    int checksum(int slot) {
        return checksums[slot];
    }

    @Override
    public void close() {
        slab.close();
    }
}
