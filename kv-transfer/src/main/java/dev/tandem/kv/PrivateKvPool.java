package dev.tandem.kv;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// A pool in memory that only this process sees.
final class PrivateKvPool implements KvPool {
    private final KvShape shape;
    private final int blocks;
    private final Arena arena;
    private final MemorySegment memory;

    @SuppressWarnings("MustBeClosed") // by close()
    PrivateKvPool(KvShape shape, int blocks) {
        this.shape = shape;
        this.blocks = blocks;
        long bytes = KvPools.requireBytes(shape, blocks);
        PrivateMemory.requireAvailable(bytes);
        arena = Arena.ofShared();
        try {
            memory = PrivateMemory.map(bytes, arena);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
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
    public @Nullable Path path() {
        return null;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
