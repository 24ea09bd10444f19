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
        Arrays.fill(rowOf, 0, rows, null);
        rows = 0;
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

    void addRow(Residence residence, int from, int count, boolean samples) {
        if (rows == rowOf.length) {
            rowOf = Arrays.copyOf(rowOf, rows * 2);
            rowFrom = Arrays.copyOf(rowFrom, rows * 2);
            rowCount = Arrays.copyOf(rowCount, rows * 2);
            rowSamples = Arrays.copyOf(rowSamples, rows * 2);
        }
        rowOf[rows] = residence;
        rowFrom[rows] = from;
        rowCount[rows] = count;
        rowSamples[rows] = samples;
        rows++;
        tokens += count;
    }
}
