package dev.tandem.sim.cost;

import java.util.function.DoubleBinaryOperator;

/// A table over two sizes with eight cells an octave, looked up by the bits of the numbers: no logarithm, no search, no
/// allocation. Linear within a cell; sizes below 1 count as 1, sizes beyond the table as its last.
final class DenseGrid {
    private static final int CELL_BITS = 3;
    private static final int SHIFT = 52 - CELL_BITS;
    private static final long ONE = 1023L << CELL_BITS;
    private static final double FRACTION = 1.0 / (1L << SHIFT);

    private final int columns;
    private final double xLast;
    private final double yLast;
    private final float[] values;

    /// @param xOctaves the table reaches `2^xOctaves`
    /// @param yOctaves and `2^yOctaves`
    /// @param function tabulated here, once
    DenseGrid(int xOctaves, int yOctaves, DoubleBinaryOperator function) {
        int rows =
                (xOctaves << CELL_BITS)
                        + 2; // one more, so that the last point has a right neighbour
        columns = (yOctaves << CELL_BITS) + 2;
        xLast = 1L << xOctaves;
        yLast = 1L << yOctaves;
        values = new float[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                values[i * columns + j] = (float) function.applyAsDouble(size(i), size(j));
            }
        }
    }

    private static double size(int cell) {
        return Double.longBitsToDouble((ONE + cell) << SHIFT);
    }

    double at(double x, double y) {
        long xBits = Double.doubleToRawLongBits(Math.clamp(x, 1, xLast));
        long yBits = Double.doubleToRawLongBits(Math.clamp(y, 1, yLast));
        int at = (int) ((xBits >>> SHIFT) - ONE) * columns + (int) ((yBits >>> SHIFT) - ONE);
        double xPart = (xBits & ((1L << SHIFT) - 1)) * FRACTION;
        double yPart = (yBits & ((1L << SHIFT) - 1)) * FRACTION;
        double near = values[at] + yPart * (values[at + 1] - values[at]);
        double far =
                values[at + columns] + yPart * (values[at + columns + 1] - values[at + columns]);
        return near + xPart * (far - near);
    }
}
