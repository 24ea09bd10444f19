package dev.tandem.device;

import java.lang.foreign.MemorySegment;

/// Logits `[rows, vocabulary]`, float32, row-major, in memory of the backend's.
public record Logits(MemorySegment memory, int rows, int vocabulary) {
    /// One row, `vocabulary` floats.
    public MemorySegment row(int row) {
        return memory.asSlice(
                (long) row * vocabulary * Float.BYTES, (long) vocabulary * Float.BYTES);
    }
}
