package dev.tandem.core;

import dev.tandem.batching.StepMake;

import org.agrona.collections.LongArrayList;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What one replica computes next, as a delta. A reusable buffer of its replica's, valid until its result is back.
///
/// Applied by the worker in the order ends, starts, appends, rows, sends.
public final class StepPlan {
    private final Replica replica;
    private final LongArrayList ends = new LongArrayList();
    private final List<Send> sends = new ArrayList<>();
    private final StepMake make = new StepMake();
    private long number;
    private int rows;
    private int tokens;
    private Residence[] rowOf = new Residence[16];
    private int[] rowFrom = new int[16];
    private int[] rowCount = new int[16];
    private boolean[] rowSamples = new boolean[16];
    private int samples;
    private Residence[] sampleOf = new Residence[16];
    private long[] sampleSequence = new long[16];
    private final List<Start> startDetails = new ArrayList<>();
    private int appends;
    private long[] appendSequence = new long[16];
    private int[] appendEnd = new int[16];
    private int[] appendedBlocks = new int[16];

    /// A sequence that the worker gets to know.
    public record Start(Residence residence, Sequence sequence, int computed, int[] blocks) {}

    /// Blocks to send after the rows are computed.
    ///
    /// @param blocks the writer's block numbers
    /// @param slots parallel: indexes into the lease's blocks
    public record Send(long lease, Replica receiver, int[] blocks, int[] slots, boolean last) {}

    StepPlan(Replica replica) {
        this.replica = replica;
    }

    void reset(long number) {
        this.number = number;
        ends.clear();
        startDetails.clear();
        appends = 0;
        sends.clear();
        rows = 0;
        samples = 0;
        tokens = 0;
        make.clear();
    }

    public Replica replica() {
        return replica;
    }

    public long number() {
        return number;
    }

    public LongArrayList ends() {
        return ends;
    }

    public List<Start> starts() {
        return startDetails;
    }

    /// Sequences known to the worker that get more blocks.
    public int appends() {
        return appends;
    }

    public long appendSequence(int append) {
        return appendSequence[append];
    }

    public int appendedBlocks(int append) {
        return appendEnd[append] - appendStart(append);
    }

    public int appendedBlock(int append, int index) {
        return appendedBlocks[appendStart(append) + index];
    }

    private int appendStart(int append) {
        return append == 0 ? 0 : appendEnd[append - 1];
    }

    public List<Send> sends() {
        return sends;
    }

    /// What the step computes, as sums.
    public StepMake make() {
        return make;
    }

    public int rows() {
        return rows;
    }

    /// Tokens of all rows.
    public int tokens() {
        return tokens;
    }

    public long rowSequence(int row) {
        return rowOf[row].sequenceId();
    }

    public Residence row(int row) {
        return rowOf[row];
    }

    public int rowFrom(int row) {
        return rowFrom[row];
    }

    public int rowCount(int row) {
        return rowCount[row];
    }

    public boolean rowSamples(int row) {
        return rowSamples[row];
    }

    boolean isEmpty() {
        return rows == 0 && ends.isEmpty() && startDetails.isEmpty() && sends.isEmpty();
    }

    /// Adds the blocks of `table` from index `from` on.
    void append(long sequence, BlockTable table, int from) {
        if (appends == appendSequence.length) {
            appendSequence = Arrays.copyOf(appendSequence, appends * 2);
            appendEnd = Arrays.copyOf(appendEnd, appends * 2);
        }
        int at = appends == 0 ? 0 : appendEnd[appends - 1];
        int count = table.size() - from;
        if (at + count > appendedBlocks.length) {
            appendedBlocks = Arrays.copyOf(appendedBlocks, Math.max(at + count, at * 2));
        }
        for (int i = 0; i < count; i++) {
            appendedBlocks[at + i] = table.get(from + i);
        }
        appendSequence[appends] = sequence;
        appendEnd[appends++] = at + count;
    }

    /// Rows that sample.
    int samples() {
        return samples;
    }

    /// The residence of the sample with this number, counted over the rows that sample.
    Residence sample(int sample) {
        return sampleOf[sample];
    }

    /// Whether `sequences` starts with exactly the sequences of the rows that sample, in their order.
    boolean isAnsweredBy(long[] sequences, int count) {
        return count == samples
                && count <= sequences.length
                && Arrays.mismatch(sampleSequence, 0, count, sequences, 0, count) < 0;
    }

    /// The arrays keep what an earlier plan left in them: in a steady state a row names the same residence as two plans
    /// before, and a store of a reference costs more than a look.
    void addRow(Residence residence, int from, int count, boolean isSampling) {
        int row = rows++;
        if (row == rowOf.length) {
            growRows();
        }
        if (rowOf[row] != residence) {
            rowOf[row] = residence;
        }
        rowFrom[row] = from;
        rowCount[row] = count;
        rowSamples[row] = isSampling;
        if (isSampling) {
            int sample = samples++;
            if (sampleOf[sample] != residence) {
                sampleOf[sample] = residence;
                sampleSequence[sample] = residence.sequenceId();
            }
        }
        tokens += count;
    }

    private void growRows() {
        int size = rowOf.length * 2;
        rowOf = Arrays.copyOf(rowOf, size);
        rowFrom = Arrays.copyOf(rowFrom, size);
        rowCount = Arrays.copyOf(rowCount, size);
        rowSamples = Arrays.copyOf(rowSamples, size);
        sampleOf = Arrays.copyOf(sampleOf, size);
        sampleSequence = Arrays.copyOf(sampleSequence, size);
    }
}
