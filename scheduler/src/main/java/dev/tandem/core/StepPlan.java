package dev.tandem.core;

import dev.tandem.batching.StepMake;

import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

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
    // Decodes are the first rows and the first samples; chunks follow.
    private int decodes;
    private int[] decodeSlot = new int[16];
    private int[] decodeFrom = new int[16];
    private int chunks;
    private Residence[] chunkOf = new Residence[16];
    private int[] chunkFrom = new int[16];
    private int[] chunkCount = new int[16];
    private boolean[] chunkSamples = new boolean[16];
    private Residence[] chunkSampler = new Residence[16];
    private int samples;
    private long[] sampleSequence = new long[16];
    private int chunkTokens;
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
        decodes = 0;
        chunks = 0;
        samples = 0;
        chunkTokens = 0;
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
        return decodes + chunks;
    }

    /// Tokens of all rows.
    public int tokens() {
        return decodes + chunkTokens;
    }

    public long rowSequence(int row) {
        return row < decodes ? sampleSequence[row] : chunkOf[row - decodes].sequenceId();
    }

    public int rowFrom(int row) {
        return row < decodes ? decodeFrom[row] : chunkFrom[row - decodes];
    }

    public int rowCount(int row) {
        return row < decodes ? 1 : chunkCount[row - decodes];
    }

    public boolean rowSamples(int row) {
        return row < decodes || chunkSamples[row - decodes];
    }

    boolean isEmpty() {
        return rows() == 0 && ends.isEmpty() && startDetails.isEmpty() && sends.isEmpty();
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

    /// Rows of running sequences: the first samples are theirs.
    int decodes() {
        return decodes;
    }

    /// By decode: its slot in the replica's [RunningBatch], or that of a hole; -1 once the hole is closed.
    int[] decodeSlots() {
        return decodeSlot;
    }

    /// Who sampled, null if it has left.
    @Nullable Residence sampler(int sample) {
        if (sample < decodes) {
            int slot = decodeSlot[sample];
            return slot < 0 ? null : replica.running.residence(slot);
        }
        return chunkSampler[sample - decodes];
    }

    /// Slots have moved.
    ///
    /// @param moved by old slot the new one
    void slotsMoved(int[] moved) {
        for (int i = 0; i < decodes; i++) {
            decodeSlot[i] = decodeSlot[i] < 0 ? decodeSlot[i] : moved[decodeSlot[i]];
        }
    }

    /// Whether `sequences` starts with exactly the sequences of the rows that sample, in their order.
    boolean isAnsweredBy(long[] sequences, int count) {
        return count == samples
                && count <= sequences.length
                && Arrays.mismatch(sampleSequence, 0, count, sequences, 0, count) < 0;
    }

    /// Makes room for so many decodes.
    void reserveDecodes(int count) {
        if (count > decodeSlot.length) {
            int size = Math.max(count, decodeSlot.length * 2);
            decodeSlot = Arrays.copyOf(decodeSlot, size);
            decodeFrom = Arrays.copyOf(decodeFrom, size);
        }
        reserveSamples(count);
    }

    private void reserveSamples(int count) {
        if (count > sampleSequence.length) {
            sampleSequence =
                    Arrays.copyOf(sampleSequence, Math.max(count, sampleSequence.length * 2));
        }
    }

    /// Adds one token of a running sequence; chunks come after all of them. There must be room.
    void addDecode(int slot, long sequence, int from) {
        int row = decodes++;
        decodeSlot[row] = slot;
        decodeFrom[row] = from;
        sampleSequence[row] = sequence;
        samples++;
    }

    void addChunk(Residence residence, int from, int count, boolean isSampling) {
        if (chunks == chunkOf.length) {
            int size = chunks * 2;
            chunkOf = Arrays.copyOf(chunkOf, size);
            chunkFrom = Arrays.copyOf(chunkFrom, size);
            chunkCount = Arrays.copyOf(chunkCount, size);
            chunkSamples = Arrays.copyOf(chunkSamples, size);
            chunkSampler = Arrays.copyOf(chunkSampler, size);
        }
        int chunk = chunks++;
        chunkOf[chunk] = residence;
        chunkFrom[chunk] = from;
        chunkCount[chunk] = count;
        chunkSamples[chunk] = isSampling;
        chunkTokens += count;
        if (isSampling) {
            reserveSamples(samples + 1);
            chunkSampler[samples - decodes] = residence;
            sampleSequence[samples++] = residence.sequenceId();
        }
    }
}
