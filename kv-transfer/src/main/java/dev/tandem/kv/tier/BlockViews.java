package dev.tandem.kv.tier;

import dev.tandem.kv.KvPool;

import java.nio.ByteBuffer;
import java.util.Objects;

/// A pool's blocks as byte buffers, as file channels want them, without making one for each block: a buffer holds at most
/// 2 GiB, so a few of them cover the pool. One owner.
final class BlockViews {
    private final KvPool pool;
    private final int blockBytes;
    private final int blocksPerWindow;
    private final ByteBuffer[] windows;

    BlockViews(KvPool pool) {
        this.pool = pool;
        blockBytes = Math.toIntExact(pool.shape().blockBytes());
        blocksPerWindow = Integer.MAX_VALUE / blockBytes;
        windows = new ByteBuffer[Math.ceilDiv(pool.blocks(), blocksPerWindow)];
        long windowBytes = (long) blocksPerWindow * blockBytes;
        for (int i = 0; i < windows.length; i++) {
            long from = i * windowBytes;
            long bytes = Math.min(windowBytes, pool.memory().byteSize() - from);
            windows[i] = pool.memory().asSlice(from, bytes).asByteBuffer();
        }
    }

    boolean isOf(KvPool other) {
        return pool == other;
    }

    /// The bytes of one block, from position to limit; valid until the next call.
    ByteBuffer of(int block) {
        Objects.checkIndex(block, pool.blocks());
        int from = block % blocksPerWindow * blockBytes;
        return windows[block / blocksPerWindow].clear().position(from).limit(from + blockBytes);
    }
}
