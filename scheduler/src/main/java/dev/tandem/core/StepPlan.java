package dev.tandem.core;

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
    private final List<Append> appends = new ArrayList<>();
    private final List<Send> sends = new ArrayList<>();
    private long number;
    private int rows;
    private int tokens;
    private Residence[] rowOf = new Residence[16];
    private int[] rowFrom = new int[16];
    private int[] rowCount = new int[16];
    private boolean[] rowSamples = new boolean[16];
    private final List<Start> startDetails = new ArrayList<>();

    /// Blocks that a sequence known to the worker gets in addition.
    public record Append(long sequence, int[] blocks) {}

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
        appends.clear();
        sends.clear();
        Arrays.fill(rowOf, 0, rows, null);
        rows = 0;
        tokens = 0;
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

    public List<Append> appends() {
        return appends;
    }

    public List<Send> sends() {
        return sends;
    }

    public int rows() {
        return rows;
    }

    /// Tokens of all rows.
    public int tokens() {
        return tokens;
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
