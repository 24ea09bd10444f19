package dev.tandem.kernel;

/// `out[r, o] = sum over k of x[r, k] * w[o, k]`, float32.
///
/// Every output is one chain of fused multiply-adds from zero, in the order of k. The chain is the same whether a row
/// is computed alone or in a tile of four, so tiling only decides how often weights are read, never a bit of the result.
public final class Matmul {
    /// Rows whose inputs stay in the cache while a thread's panels pass by.
    private static final int ROWS_PER_PASS = 60;

    private Matmul() {}

    /// Computes the outputs of the panels `[panelFrom, panelTo)` for all rows. Threads may share one product by panels.
    ///
    /// @param x `[rows, xStride]`, the first `w.inputs()` of each row are read
    /// @param out `[rows, outStride]`, the panels' outputs are written, nothing beside them
    public static void multiply(
            float[] x,
            int xStride,
            int rows,
            PackedMatrix w,
            float[] out,
            int outStride,
            int panelFrom,
            int panelTo) {
        check(x, xStride, rows, w.inputs());
        check(out, outStride, rows, w.outputs());
        for (int first = 0; first < rows; first += ROWS_PER_PASS) {
            int last = Math.min(rows, first + ROWS_PER_PASS);
            if (last - first == 1) {
                oneRow(x, first * xStride, w, out, first * outStride, panelFrom, panelTo);
            } else {
                for (int panel = panelFrom; panel < panelTo; panel++) {
                    rows(x, xStride, first, last, w, out, outStride, panel);
                }
            }
        }
    }

    /// The same, one output after the other: what [#multiply] must equal in every bit.
    public static void multiplyScalar(
            float[] x, int xStride, int rows, PackedMatrix w, float[] out, int outStride) {
        for (int row = 0; row < rows; row++) {
            for (int o = 0; o < w.outputs(); o++) {
                float sum = 0;
                for (int k = 0; k < w.inputs(); k++) {
                    sum = Math.fma(x[row * xStride + k], w.weight(o, k), sum);
                }
                out[row * outStride + o] = sum;
            }
        }
    }

    private static void oneRow(
            float[] x,
            int xFrom,
            PackedMatrix w,
            float[] out,
            int outFrom,
            int panelFrom,
            int panelTo) {
        int panel = panelFrom;
        for (;
                panel + 4 <= panelTo && (panel + 4) * PackedMatrix.PANEL <= w.outputs();
                panel += 4) {
            MatmulTiles.oneRowFourPanels(
                    x, xFrom, w, panel, out, outFrom + panel * PackedMatrix.PANEL);
        }
        for (; panel < panelTo; panel++) {
            MatmulTiles.oneRow(
                    x, xFrom, w, panel, out, outFrom + panel * PackedMatrix.PANEL, valid(w, panel));
        }
    }

    private static void rows(
            float[] x,
            int xStride,
            int first,
            int last,
            PackedMatrix w,
            float[] out,
            int outStride,
            int panel) {
        int valid = valid(w, panel);
        int column = panel * PackedMatrix.PANEL;
        int row = first;
        for (; row + 4 <= last; row += 4) {
            MatmulTiles.fourRows(
                    x,
                    row * xStride,
                    xStride,
                    w,
                    panel,
                    out,
                    row * outStride + column,
                    outStride,
                    valid);
        }
        for (; row + 2 <= last; row += 2) {
            MatmulTiles.twoRows(
                    x,
                    row * xStride,
                    xStride,
                    w,
                    panel,
                    out,
                    row * outStride + column,
                    outStride,
                    valid);
        }
        for (; row < last; row++) {
            MatmulTiles.oneRow(x, row * xStride, w, panel, out, row * outStride + column, valid);
        }
    }

    private static int valid(PackedMatrix w, int panel) {
        return Math.min(PackedMatrix.PANEL, w.outputs() - panel * PackedMatrix.PANEL);
    }

    private static void check(float[] array, int stride, int rows, int columns) {
        if (stride < columns || (rows - 1L) * stride + columns > array.length) {
            throw new IllegalArgumentException(
                    "%d rows of %d floats, %d apart, do not fit into %d floats"
                            .formatted(rows, columns, stride, array.length));
        }
    }
}
