package dev.tandem.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/// A stored tensor, row-major and little-endian, in the memory of its mapped file; valid as long as the checkpoint is
/// open. Safe for many readers.
///
/// @param shape `[rows, columns]` or `[columns]`
/// @param data exactly the tensor's bytes
public record Tensor(String name, TensorType type, List<Integer> shape, MemorySegment data) {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Tensor {
        shape = List.copyOf(shape);
    }

    public int rows() {
        return shape.size() == 1 ? 1 : shape.getFirst();
    }

    /// Elements of one row.
    public int columns() {
        return shape.getLast();
    }

    /// Widens one row to float32; exact for every type.
    ///
    /// @param destination receives [#columns] floats from `offset` on
    public void readRow(int row, float[] destination, int offset) {
        int columns = columns();
        long from = (long) row * columns * type.bytes();
        switch (type) {
            case F32 -> MemorySegment.copy(data, FLOAT, from, destination, offset, columns);
            case F16 -> {
                for (int i = 0; i < columns; i++) {
                    destination[offset + i] =
                            Float.float16ToFloat(data.get(SHORT, from + (long) i * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int i = 0; i < columns; i++) {
                    destination[offset + i] =
                            Float.intBitsToFloat(data.get(SHORT, from + (long) i * 2) << 16);
                }
            }
        }
    }

    /// A one-dimensional tensor as float32.
    public float[] toFloats() {
        float[] values = new float[columns()];
        readRow(0, values, 0);
        return values;
    }
}
