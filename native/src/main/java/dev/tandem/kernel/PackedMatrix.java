package dev.tandem.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// A weight matrix `[outputs, inputs]` in float32, repacked into panels `[ceil(outputs / P), inputs, P]` of P outputs
/// side by side (two vectors), 64-byte aligned, missing outputs of the last panel zero. So a lane is an output and
/// reading a panel is one sequential stream. Immutable once packed; its memory belongs to the arena it was packed in.
///
/// @param panels all panels, float32
public record PackedMatrix(int outputs, int inputs, MemorySegment panels) {
    /// Outputs in a panel: two vectors.
    public static final int PANEL = 2 * Lanes.PRODUCT_LENGTH;

    private static final long ALIGNMENT_BYTES = 64;

    /// Reads rows of the unpacked matrix.
    @FunctionalInterface
    public interface RowReader {
        /// Writes the `inputs` weights of output `row` to `destination`, from index 0.
        void read(int row, float[] destination);
    }

    /// Packs a matrix, reading every row once.
    public static PackedMatrix pack(Arena arena, int outputs, int inputs, RowReader reader) {
        int panelCount = Math.ceilDiv(outputs, PANEL);
        MemorySegment memory =
                arena.allocate((long) panelCount * inputs * PANEL * Float.BYTES, ALIGNMENT_BYTES);
        float[] row = new float[inputs];
        float[] panel = new float[Math.multiplyExact(inputs, PANEL)];
        for (int p = 0; p < panelCount; p++) {
            int valid = Math.min(PANEL, outputs - p * PANEL);
            if (valid < PANEL) {
                Arrays.fill(panel, 0);
            }
            for (int lane = 0; lane < valid; lane++) {
                reader.read(p * PANEL + lane, row);
                for (int k = 0; k < inputs; k++) {
                    panel[k * PANEL + lane] = row[k];
                }
            }
            MemorySegment.copy(
                    panel,
                    0,
                    memory,
                    ValueLayout.JAVA_FLOAT,
                    (long) p * panel.length * Float.BYTES,
                    panel.length);
        }
        return new PackedMatrix(outputs, inputs, memory);
    }

    public int panelCount() {
        return Math.ceilDiv(outputs, PANEL);
    }

    /// Bytes of one panel.
    long panelBytes() {
        return (long) inputs * PANEL * Float.BYTES;
    }

    /// One weight; slow, for the scalar reference.
    float weight(int output, int input) {
        long index = ((long) (output / PANEL) * inputs + input) * PANEL + output % PANEL;
        return panels.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }
}
