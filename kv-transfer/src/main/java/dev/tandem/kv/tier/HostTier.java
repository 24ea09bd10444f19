package dev.tandem.kv.tier;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;

import java.lang.foreign.MemorySegment;

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

    /// For tests that damage it.
    MemorySegment memory() {
        return slab.memory();
    }

    /// Copies a block in; a slot is free, and the hash is not there.
    void put(MemorySegment source, long from, byte[] hash, int at) {
        int slot = slots.add(hash, at);
        checksums[slot] = Crc32c.copy(source, from, slab.memory(), slot * blockBytes, blockBytes);
    }

    /// Copies a block out.
    ///
    /// @return false when the copy has not the checksum that it was stored with, so that `target` holds damaged bytes
    boolean copyTo(int slot, MemorySegment target, long to) {
        int checksum = Crc32c.copy(slab.memory(), slot * blockBytes, target, to, blockBytes);
        return checksum == checksums[slot];
    }

    int checksum(int slot) {
        return checksums[slot];
    }

    @Override
    public void close() {
        slab.close();
    }
}
