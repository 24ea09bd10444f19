package dev.tandem.device;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// KV blocks in private memory, filled with NaN: reading a slot that nobody wrote shows in the logits.
final class MemoryKvPool implements KvPool {
    private final KvShape shape;
    private final int blocks;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    MemoryKvPool(KvShape shape, int blocks) {
        this.shape = shape;
        this.blocks = blocks;
        this.memory = arena.allocate(blocks * shape.blockBytes(), 64);
        for (long i = 0; i < blocks * shape.blockFloats(); i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NaN);
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
    public MemorySegment block(int block) {
        return memory.asSlice(block * shape.blockBytes(), shape.blockBytes());
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
