package dev.tandem.kv;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;

/// The memory of a worker's KV blocks: `blocks` times [KvShape#blockBytes], contiguous. Knows nothing about who
/// holds which block; the coordinator does. Closing it unmaps the memory and removes the file.
public interface KvPool extends AutoCloseable {
    KvShape shape();

    int blocks();

    /// The whole pool, `blocks * blockBytes` bytes, readable and writable from any thread.
    MemorySegment memory();

    /// One block's bytes.
    ///
    /// @throws IndexOutOfBoundsException no such block
    default MemorySegment block(int block) {
        Objects.checkIndex(block, blocks());
        return memory().asSlice(block * shape().blockBytes(), shape().blockBytes());
    }

    /// The file that other processes on this host can map; null when the pool is private memory.
    @Nullable Path path();

    @Override
    void close();
}
