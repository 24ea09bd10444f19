package dev.tandem.engine;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;

/// A pool in private memory.
final class MemoryPool implements KvPool {
    private final KvShape shape;
    private final int blocks;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    MemoryPool(KvShape shape, int blocks) {
        this.shape = shape;
        this.blocks = blocks;
        this.memory = arena.allocate(shape.blockBytes() * blocks, Float.BYTES);
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
    public MemorySegment block(int block) {
        Objects.checkIndex(block, blocks);
        return memory.asSlice(shape.blockBytes() * block, shape.blockBytes());
    }

    @Override
    public @Nullable Path path() {
        return null;
    }

    @Override
    public void close() {
        arena.close();
    }
}
