package dev.tandem.core;

import dev.tandem.admission.FairQueue;
import dev.tandem.admission.TenantFlow;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// The running sequences of one replica, which get one token a step. Their counters lie in parallel arrays, since a step
/// reads and writes all of them: with an object for each, a step of thousands of sequences waits for memory. What a step
/// seldom needs stays in [Residence] and [Sequence]; while a sequence has a slot here, its counters there are stale and
/// are written back when it leaves.
///
/// Slots are in the order of arrival. A sequence keeps its slot while it runs, so plans in flight name slots; who leaves
/// makes a hole, and holes are closed between two plans ([#compact]).
///
/// For each slot `planned = known + samples in flight - 1`: each row but the last known token's follows a sample.
///
/// Not thread-safe; owned by the core.
final class RunningBatch {
    private static final int[] NO_STOPS = {};

    private @Nullable Residence[] residences = new @Nullable Residence[16];
    private @Nullable TenantFlow[] flows = new @Nullable TenantFlow[16];
    private int[][] stops = new int[16][];
    private @Nullable BlockTable[] tables = new @Nullable BlockTable[16];
    private long[] ids = new long[16];
    private int[] cachedTokens = new int[16];

    /// Tokens computed when all plans sent are done.
    private int[] planned = new int[16];

    /// Rows up to here (exclusive) may be planned; 0 before [#start] and after [#stop].
    private int[] rowEnd = new int[16];

    /// The row that is never planned: the last token that the sequence may have is not computed.
    private int[] lastRow = new int[16];

    /// Tokens known.
    private int[] known = new int[16];

    /// The sample that makes `known` this, or more, needs a look.
    private int[] lookAt = new int[16];

    /// Tokens known when the slot was taken; those after it are here.
    private int[] knownBefore = new int[16];

    private final TokenPages pages;

    /// The pages of the slot's tokens, up to the last full line.
    private int[] firstPage = new int[16];

    private int[] page = new int[16];

    /// The line being filled of each slot; a store for each to the pages would touch as much memory as there are slots.
    private int[] line = new int[16 * TokenPages.LINE_TOKENS];

    private int[] moved = new int[16];
    private int slots;
    private int size;

    /// @param tokensExpected of all sequences together; room that is taken at once
    RunningBatch(long tokensExpected) {
        this.pages = new TokenPages(tokensExpected);
    }

    /// Running sequences.
    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /// Slots, holes included.
    int slots() {
        return slots;
    }

    /// Null for a hole.
    @Nullable Residence residence(int slot) {
        return residences[slot];
    }

    int planned(int slot) {
        return planned[slot];
    }

    int known(int slot) {
        return known[slot];
    }

    int samplesInFlight(int slot) {
        return planned[slot] + 1 - known[slot];
    }

    long pagesInUse() {
        return pages.used();
    }

    /// Takes a sequence in. Its first row needs a look.
    void add(Residence residence) {
        if (slots == residences.length) {
            enlarge(slots * 2);
        }
        Sequence sequence = Objects.requireNonNull(residence.sequence);
        int slot = slots++;
        residences[slot] = residence;
        flows[slot] = sequence.flow();
        stops[slot] = sequence.stopTokens();
        tables[slot] = residence.table();
        ids[slot] = sequence.id();
        cachedTokens[slot] = sequence.cachedTokens;
        planned[slot] = residence.planned;
        known[slot] = sequence.known();
        knownBefore[slot] = known[slot];
        rowEnd[slot] = 0;
        lastRow[slot] = sequence.tokensMax() - 1;
        lookAt[slot] = 0;
        firstPage[slot] = TokenPages.NONE;
        page[slot] = TokenPages.NONE;
        residence.slot = slot;
        size++;
    }

    /// Takes a sequence out: its counters and tokens go back to where they are kept otherwise.
    ///
    /// @param lastPlan the last plan that may name it
    void remove(Residence residence, long lastPlan) {
        int slot = residence.slot;
        Sequence sequence = Objects.requireNonNull(residence.sequence);
        if (samplesInFlight(slot) > 0) {
            residence.lastPlan = lastPlan;
        }
        residence.planned = planned[slot];
        residence.slot = Residence.NO_SLOT;
        if (sequence.running == residence) {
            if (!TokenPages.isLineStart(known[slot])) {
                storeLine(slot, known[slot]);
            }
            sequence.takeBack(pages, firstPage[slot], knownBefore[slot], known[slot]);
        }
        pages.release(firstPage[slot], page[slot]);
        residences[slot] = null;
        flows[slot] = null;
        stops[slot] = NO_STOPS;
        tables[slot] = null;
        rowEnd[slot] = 0;
        lookAt[slot] = 0;
        size--;
    }

    void addTo(List<Residence> target) {
        for (int slot = 0; slot < slots; slot++) {
            Residence residence = residences[slot];
            if (residence != null) {
                target.add(residence);
            }
        }
    }

    /// Whether enough slots are holes for [#compact] to be worth its while.
    boolean isSparse() {
        return slots - size > size / 8;
    }

    /// Closes the holes.
    ///
    /// @return for each old slot its new one, -1 for a hole; valid until the next call
    int[] compact() {
        int to = 0;
        for (int slot = 0; slot < slots; slot++) {
            Residence residence = residences[slot];
            moved[slot] = residence == null ? Residence.NO_SLOT : to;
            if (residence != null) {
                residence.slot = to;
                move(slot, to++);
            }
        }
        Arrays.fill(residences, to, slots, null);
        Arrays.fill(flows, to, slots, null);
        Arrays.fill(tables, to, slots, null);
        slots = to;
        return moved;
    }

    private void move(int slot, int to) {
        residences[to] = residences[slot];
        flows[to] = flows[slot];
        stops[to] = stops[slot];
        tables[to] = tables[slot];
        ids[to] = ids[slot];
        cachedTokens[to] = cachedTokens[slot];
        planned[to] = planned[slot];
        known[to] = known[slot];
        knownBefore[to] = knownBefore[slot];
        rowEnd[to] = rowEnd[slot];
        lastRow[to] = lastRow[slot];
        lookAt[to] = lookAt[slot];
        firstPage[to] = firstPage[slot];
        page[to] = page[slot];
        int tokens = TokenPages.LINE_TOKENS;
        System.arraycopy(line, slot * tokens, line, to * tokens, tokens);
    }

    private void enlarge(int length) {
        residences = Arrays.copyOf(residences, length);
        flows = Arrays.copyOf(flows, length);
        stops = Arrays.copyOf(stops, length);
        tables = Arrays.copyOf(tables, length);
        ids = Arrays.copyOf(ids, length);
        cachedTokens = Arrays.copyOf(cachedTokens, length);
        planned = Arrays.copyOf(planned, length);
        known = Arrays.copyOf(known, length);
        knownBefore = Arrays.copyOf(knownBefore, length);
        rowEnd = Arrays.copyOf(rowEnd, length);
        lastRow = Arrays.copyOf(lastRow, length);
        lookAt = Arrays.copyOf(lookAt, length);
        firstPage = Arrays.copyOf(firstPage, length);
        page = Arrays.copyOf(page, length);
        line = Arrays.copyOf(line, length * TokenPages.LINE_TOKENS);
        moved = new int[length];
    }

    /// The worker knows the sequence: its rows may be planned as far as its blocks have room.
    void start(int slot, int roomTokens) {
        rowEnd[slot] = Math.min(roomTokens, lastRow[slot]);
    }

    /// No more rows.
    void stop(int slot) {
        rowEnd[slot] = 0;
    }

    /// Whether rows were allowed and what held the next one back is room in its blocks.
    boolean needsRoom(int slot) {
        return rowEnd[slot] > 0 && planned[slot] < lastRow[slot];
    }

    boolean isPlannedToItsEnd(int slot) {
        return planned[slot] >= lastRow[slot];
    }

    /// The blocks of a slot that is no hole.
    BlockTable table(int slot) {
        return Objects.requireNonNull(tables[slot]);
    }

    long id(int slot) {
        return ids[slot];
    }

    /// Reads the ends of the block tables that will grow with the next plan. Their memory is far apart; asked for in one
    /// short loop, it comes at once rather than one after the other.
    ///
    /// @return of no meaning; to be used, or the reads would be left out
    int touchGrowing() {
        int[] planned = this.planned;
        int[] rowEnd = this.rowEnd;
        int sum = 0;
        for (int slot = 0; slot < slots; slot++) {
            if (planned[slot] >= rowEnd[slot] && rowEnd[slot] > 0) {
                sum += table(slot).last();
            }
        }
        return sum;
    }

    /// Adds rows to the plan, from `slot` on, until one needs a look or `most` are planned.
    ///
    /// @param queue charged for each row
    /// @return the slot that needs a look, or the one after the last that was planned
    int plan(StepPlan plan, int slot, int most, FairQueue<Sequence> queue) {
        plan.reserveDecodes(slots);
        int[] planned = this.planned;
        int[] rowEnd = this.rowEnd;
        long[] ids = this.ids;
        TenantFlow flow = null;
        int unpaid = 0;
        long context = 0;
        int end = Math.min(slots, most < slots - slot ? slot + most : slots);
        int at = slot;
        for (; at < end; at++) {
            int from = planned[at];
            if (from >= rowEnd[at]) {
                break;
            }
            planned[at] = from + 1;
            context += from + 1;
            plan.addDecode(at, ids[at], from);
            TenantFlow payer = flows[at];
            if (payer != flow) {
                charge(queue, flow, unpaid);
                flow = payer;
                unpaid = 0;
            }
            unpaid++;
        }
        charge(queue, flow, unpaid);
        plan.make().addDecodes(at - slot, context);
        return at;
    }

    private static void charge(
            FairQueue<Sequence> queue, @Nullable TenantFlow flow, int outputTokens) {
        if (flow != null && outputTokens > 0) {
            queue.charge(flow, outputTokens);
        }
    }

    /// Takes in sampled tokens of the plan's decodes, from the sample `from` on, until one needs a look.
    ///
    /// @return that sample, or the number of decodes
    int take(StepPlan plan, int from, int[] tokens, Outputs outputs) {
        int[] slotOf = plan.decodeSlots();
        int[] known = this.known;
        int[] lookAt = this.lookAt;
        int end = plan.decodes();
        int sample = from;
        outputs.reserve(end - from);
        for (; sample < end; sample++) {
            int slot = slotOf[sample];
            int token = tokens[sample];
            if (slot < 0 || known[slot] + 1 >= lookAt[slot] || isStop(stops[slot], token)) {
                break;
            }
            append(slot, token);
            outputs.add(ids[slot], token, cachedTokens[slot]);
        }
        return sample;
    }

    private static boolean isStop(int[] stops, int token) {
        for (int stop : stops) {
            if (stop == token) {
                return true;
            }
        }
        return false;
    }

    private void append(int slot, int token) {
        int position = known[slot]++;
        int at = position & TokenPages.LINE_MASK;
        line[slot * TokenPages.LINE_TOKENS + at] = token;
        if (at == TokenPages.LINE_MASK) {
            storeLine(slot, position + 1);
        }
    }

    /// @param end position after the line's last token
    private void storeLine(int slot, int end) {
        int start = end - 1 & ~TokenPages.LINE_MASK;
        if (page[slot] == TokenPages.NONE || TokenPages.isPageStart(start)) {
            page[slot] = pages.take(page[slot]);
            if (firstPage[slot] == TokenPages.NONE) {
                firstPage[slot] = page[slot];
            }
        }
        pages.putLine(page[slot], start, line, slot * TokenPages.LINE_TOKENS);
    }

    /// Takes in one sampled token of a sequence that is here.
    ///
    /// @return why the sequence ends with this token, or null
    @Nullable FinishReason take(int slot, int token) {
        append(slot, token);
        if (lookAt[slot] == 0) {
            // The first one of its stay; from here on, only the last one needs a look.
            Residence residence = Objects.requireNonNull(residences[slot]);
            Sequence sequence = Objects.requireNonNull(residence.sequence);
            lookAt[slot] = sequence.tokensMax();
            sequence.running = residence;
        }
        if (isStop(stops[slot], token)) {
            return FinishReason.STOP;
        }
        return known[slot] >= lookAt[slot] ? FinishReason.LENGTH : null;
    }
}
