package dev.tandem.sim.workload;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A trace in arrays, for many runs over the same rows. Immutable once loaded; readers of several threads share it.
public final class LoadedTrace implements Trace {
    private static final int ROWS_MAX = 10_000_000;

    private final String name;
    private final int tokensPerId;
    private final int blockTokens;
    private int rows;
    private long[] nanos = new long[1024];
    private int[] inputTokens = new int[1024];
    private int[] outputTokens = new int[1024];
    private long[] groups = new long[1024];
    private int[] groupTokens = new int[1024];

    /// Where a row's ids end in `ids`; they start where those of the row before end.
    private int[] idEnds = new int[1024];

    private long[] ids = new long[4096];
    private final List<int @Nullable []> tokens = new ArrayList<>();

    private LoadedTrace(Trace source) {
        this.name = source.name();
        this.tokensPerId = source.tokensPerId();
        this.blockTokens = source.blockTokens();
    }

    /// @param rowsMax rows to keep at most; 0 = all
    /// @throws IllegalArgumentException more rows than memory is meant for
    public static LoadedTrace of(Trace source, long rowsMax) {
        long most = rowsMax == 0 ? source.rows() : Math.min(rowsMax, source.rows());
        if (most > ROWS_MAX) {
            throw new IllegalArgumentException(
                    "%s has %d rows; at most %d are kept in memory"
                            .formatted(source.name(), most, ROWS_MAX));
        }
        var loaded = new LoadedTrace(source);
        var row = new TraceRow();
        try (RowReader reader = source.open()) {
            while (loaded.rows < most && reader.next(row)) {
                loaded.add(row);
            }
        }
        return loaded;
    }

    private void add(TraceRow row) {
        if (rows == nanos.length) {
            int more = rows * 2;
            nanos = Arrays.copyOf(nanos, more);
            inputTokens = Arrays.copyOf(inputTokens, more);
            outputTokens = Arrays.copyOf(outputTokens, more);
            groups = Arrays.copyOf(groups, more);
            groupTokens = Arrays.copyOf(groupTokens, more);
            idEnds = Arrays.copyOf(idEnds, more);
        }
        int from = rows == 0 ? 0 : idEnds[rows - 1];
        int to = from + row.idCount;
        if (to > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(to, ids.length * 2));
        }
        System.arraycopy(row.ids, 0, ids, from, row.idCount);
        nanos[rows] = row.nanos;
        inputTokens[rows] = row.inputTokens;
        outputTokens[rows] = row.outputTokens;
        groups[rows] = row.group;
        groupTokens[rows] = row.groupTokens;
        idEnds[rows] = to;
        tokens.add(row.tokens);
        rows++;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int tokensPerId() {
        return tokensPerId;
    }

    @Override
    public int blockTokens() {
        return blockTokens;
    }

    @Override
    public RowReader open() {
        return new RowReader() {
            private int next;

            @Override
            public boolean next(TraceRow row) {
                if (next == rows) {
                    return false;
                }
                row.clear();
                row.nanos = nanos[next];
                row.inputTokens = inputTokens[next];
                row.outputTokens = outputTokens[next];
                row.group = groups[next];
                row.groupTokens = groupTokens[next];
                row.tokens = tokens.get(next);
                for (int i = next == 0 ? 0 : idEnds[next - 1]; i < idEnds[next]; i++) {
                    row.addId(ids[i]);
                }
                next++;
                return true;
            }

            @Override
            public void close() {}
        };
    }
}
