package dev.tandem.sim.workload;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// One request of a trace before it becomes an arrival. Filled by a [RowReader] again and again.
public final class TraceRow {
    /// Since the trace's own time zero.
    long nanos;

    int inputTokens;
    int outputTokens;

    /// Names of the prompt's beginnings: id `i` stands for the first `(i + 1) * Trace.tokensPerId()` tokens, and the
    /// last one perhaps for less. Equal ids are equal tokens.
    long[] ids = new long[64];

    int idCount;

    /// The prompt itself, where the trace has it; not changed afterwards.
    int @Nullable [] tokens;

    /// Prompts of the same group begin with the same `groupTokens` tokens; 0 tokens = no group.
    long group;

    int groupTokens;

    void clear() {
        nanos = 0;
        inputTokens = 0;
        outputTokens = 0;
        idCount = 0;
        tokens = null;
        group = 0;
        groupTokens = 0;
    }

    void addId(long id) {
        if (idCount == ids.length) {
            ids = Arrays.copyOf(ids, idCount * 2);
        }
        ids[idCount++] = id;
    }

    public long nanos() {
        return nanos;
    }

    public int inputTokens() {
        return inputTokens;
    }

    public int outputTokens() {
        return outputTokens;
    }

    public int idCount() {
        return idCount;
    }

    public long id(int index) {
        return ids[index];
    }
}
