package dev.tandem.device;

import dev.tandem.kernel.Matmul;
import dev.tandem.kernel.PackedMatrix;
import dev.tandem.kernel.ThreadTeam;

/// Products shared by a team: each part is a range of output panels. Owned by the thread that owns the team.
final class CpuProducts {
    /// Panels that one row is computed for at once; parts are multiples of it.
    private static final int PANELS_STEP = 4;

    private static final int PARTS_PER_THREAD = 4;

    private final ThreadTeam team;
    private final long parallelFlopsMin;
    private final ThreadTeam.Task task = this::part;

    private float[] x = {};
    private int xStride;
    private int rows;
    private PackedMatrix w;
    private float[] out = {};
    private int outStride;
    private int panelsPerPart;

    CpuProducts(ThreadTeam team, long parallelFlopsMin, PackedMatrix any) {
        this.team = team;
        this.parallelFlopsMin = parallelFlopsMin;
        this.w = any;
    }

    /// `out[r, o] = sum over k of x[r, k] * w[o, k]`, see [Matmul].
    void multiply(float[] x, int xStride, int rows, PackedMatrix w, float[] out, int outStride) {
        int panels = w.panelCount();
        long flops = 2L * rows * w.inputs() * w.outputs();
        if (team.threads() == 1 || flops < parallelFlopsMin) {
            Matmul.multiply(x, xStride, rows, w, out, outStride, 0, panels);
            return;
        }
        this.x = x;
        this.xStride = xStride;
        this.rows = rows;
        this.w = w;
        this.out = out;
        this.outStride = outStride;
        int share = Math.ceilDiv(panels, team.threads() * PARTS_PER_THREAD);
        this.panelsPerPart = Math.ceilDiv(share, PANELS_STEP) * PANELS_STEP;
        team.run(Math.ceilDiv(panels, panelsPerPart), task);
    }

    private void part(int part, int thread) {
        int from = part * panelsPerPart;
        int to = Math.min(from + panelsPerPart, w.panelCount());
        Matmul.multiply(x, xStride, rows, w, out, outStride, from, to);
    }
}
