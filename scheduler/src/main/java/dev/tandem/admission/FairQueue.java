package dev.tandem.admission;

import dev.tandem.admission.AdmissionOptions.Fairness;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The waiting queue of the core. The order of service: those that were placed before; then lanes by guaranteed share;
/// within a lane tenants by virtual token counter; within a tenant by rank. See the package page for the bounds.
///
/// Nothing is allocated once the heaps have grown; add, remove and each look are O(log n), a charge is O(1). Not
/// thread-safe; owned by the core.
///
/// @param <E> the core's sequence
public final class FairQueue<E extends QueueEntry> {
    /// What a visitor says to an entry.
    public enum Decision {
        /// It is placed and leaves the queue.
        TAKE,
        /// It doesn't fit now: the next one, please.
        SKIP,
        /// Nothing more fits.
        STOP
    }

    /// Looks at entries in the order of service. Must not change the queue.
    public interface Visitor<E> {
        Decision visit(E entry);
    }

    private final Fairness fairness;
    private final int promptTokenCost;
    private final int outputTokenCost;
    private final int overtakenMax;
    private final LaneQueue[] lanes = new LaneQueue[Lane.COUNT];
    private final LaneBacklog[] backlogs = new LaneBacklog[Lane.COUNT];
    private final VirtualTokenCounters waitingLanes;
    private final EntryHeap.ByRank resumed = new EntryHeap.ByRank();

    /// Those that may become hopeless.
    private final EntryHeap.ByLatestStart startingLate = new EntryHeap.ByLatestStart();

    private @Nullable QueueEntry[] aside = new QueueEntry[16];
    private int asides;
    private int size;
    private long tokens;
    private boolean isVisiting;

    public FairQueue(AdmissionOptions options) {
        this(options, true);
    }

    /// @param lifts false only to show what the lift is good for
    FairQueue(AdmissionOptions options, boolean lifts) {
        this.fairness = options.fairness();
        this.promptTokenCost = options.promptTokenCost();
        this.outputTokenCost = options.outputTokenCost();
        this.overtakenMax = options.overtakenMax();
        this.waitingLanes = new VirtualTokenCounters(lifts);
        for (int i = 0; i < Lane.COUNT; i++) {
            lanes[i] = new LaneQueue(options.laneShares().get(i), i, lifts);
            backlogs[i] = new LaneBacklog();
        }
    }

    public int size() {
        return size;
    }

    /// Waiting tokens of all lanes.
    public long tokens() {
        return tokens;
    }

    public int size(Lane lane) {
        return backlogs[lane.ordinal()].oldest.size();
    }

    public long tokens(Lane lane) {
        return backlogs[lane.ordinal()].tokens;
    }

    /// Tokens of a lane that may be shed.
    public long shedTokens(Lane lane) {
        return backlogs[lane.ordinal()].shedTokens;
    }

    /// Sequences of a lane that may be shed.
    public int shedSequences(Lane lane) {
        return backlogs[lane.ordinal()].newest.size();
    }

    /// Service units computed for a lane since the start: `w_p x prompt + w_q x output` tokens.
    public long servedUnits(Lane lane) {
        return lanes[lane.ordinal()].servedUnits();
    }

    /// The entry of a lane that arrived first, or null.
    @SuppressWarnings("unchecked")
    public @Nullable E oldest(Lane lane) {
        return (E) backlogs[lane.ordinal()].oldest.first();
    }

    /// Which entry to shed for the good of a lane: the newest of the lowest lane below it, or null when there is none.
    /// The caller removes it and tells its client.
    @SuppressWarnings("unchecked")
    public @Nullable E shedCandidate(Lane lane) {
        for (int i = Lane.COUNT - 1; i > lane.ordinal(); i--) {
            QueueEntry newest = backlogs[i].newest.first();
            if (newest != null) {
                return (E) newest;
            }
        }
        return null;
    }

    /// An entry that it is too late to start, or null when there is none. The caller removes it and tells its client. Entries
    /// that were placed before are never too late: their clients have tokens already.
    @SuppressWarnings("unchecked")
    public @Nullable E hopeless(long nowNanos) {
        QueueEntry first = startingLate.first();
        return first == null || nowNanos <= first.latestStartNanos ? null : (E) first;
    }

    /// Adds a new entry, or one that has lost its place. What it still owed is forgiven.
    public void add(E entry) {
        requireNoVisit();
        if (entry.isQueued()) {
            throw new IllegalStateException("sequence " + entry.sequenceId() + " is queued twice");
        }
        settle(entry);
        entry.rankNanos = entry.rankNanos();
        entry.arrivalNanos = entry.arrivalNanos();
        entry.queuedTokens = entry.waitingTokens();
        entry.resumed = entry.isResumed();
        entry.overtaken = 0;
        TenantFlow flow = flow(entry);
        entry.flow = flow;
        size++;
        tokens += entry.queuedTokens;
        entry.account().queuedTokens += entry.queuedTokens;
        backlogs[entry.lane().ordinal()].add(entry);
        if (!entry.resumed && entry.latestStartNanos != Long.MAX_VALUE) {
            startingLate.add(entry);
        }
        if (entry.resumed) {
            resumed.add(entry);
        } else {
            enter(entry, flow);
        }
    }

    /// Takes an entry out that will not be placed: cancelled, shed, past its deadline.
    public void remove(E entry) {
        requireNoVisit();
        TenantFlow flow = entry.flow;
        if (!entry.isQueued() || flow == null) {
            throw new IllegalStateException("sequence " + entry.sequenceId() + " is not queued");
        }
        if (entry.resumed) {
            resumed.remove(entry);
        } else {
            flow.entries.remove(entry);
            leaveIfEmpty(flow);
        }
        forget(entry);
    }

    /// Offers entries in the order of service until the visitor stops, nothing is left, `looksMax` entries did not fit,
    /// or one did not fit before which too many others were placed. Whoever did not fit lets the other tenants of its lane,
    /// and the other lanes, go first for the rest of this visit.
    ///
    /// @param looksMax entries that may be skipped
    /// @return how many were taken
    public int visit(Visitor<? super E> visitor, int looksMax) {
        requireNoVisit();
        isVisiting = true;
        try {
            return visitAll(visitor, looksMax);
        } finally {
            restore();
            isVisiting = false;
        }
    }

    /// Accounts for tokens computed: one call per row and step. What was owed for the prompt is paid by it; the first
    /// output token ends the prompt, so the rest is forgiven.
    ///
    /// @param promptTokens computed now; cached ones are free, and so should those be that are computed a second time
    /// @param outputTokens sampled now
    public void charge(E entry, int promptTokens, int outputTokens) {
        TenantFlow flow = entry.flow;
        if (flow == null) {
            return;
        }
        long promptUnits = (long) promptTokenCost * promptTokens;
        long owed = entry.owedUnits;
        long paid = outputTokens > 0 ? owed : Math.min(owed, promptUnits);
        entry.owedUnits = owed - paid;
        long units = promptUnits + (long) outputTokenCost * outputTokens;
        flow.charge(units, paid);
        flow.lane.charge(units, paid);
        if (paid > units) {
            fell(flow);
        }
    }

    /// Charges output tokens of sequences that owe nothing: their prompts are computed.
    public void charge(TenantFlow flow, int outputTokens) {
        long units = (long) outputTokenCost * outputTokens;
        flow.charge(units, 0);
        flow.lane.charge(units, 0);
    }

    /// Forgives what a sequence still owes, because it ended or lost its place. Harmless when there is nothing.
    public void settle(E entry) {
        TenantFlow flow = entry.flow;
        long owed = entry.owedUnits;
        if (flow != null && owed > 0) {
            entry.owedUnits = 0;
            flow.charge(0, owed);
            flow.lane.charge(0, owed);
            fell(flow);
        }
    }

    private void fell(TenantFlow flow) {
        flow.lane.tenants.fell(flow);
        waitingLanes.fell(flow.lane);
    }

    private TenantFlow flow(QueueEntry entry) {
        LaneQueue lane = lanes[fairness == Fairness.FIFO ? 0 : entry.lane().ordinal()];
        return fairness == Fairness.LANES_AND_TENANTS ? entry.account().flow(lane) : lane.common;
    }

    private void enter(QueueEntry entry, TenantFlow flow) {
        flow.entries.add(entry);
        LaneQueue lane = flow.lane;
        if (flow.heapIndex < 0) {
            lane.tenants.activate(flow);
        }
        if (lane.heapIndex < 0) {
            waitingLanes.activate(lane);
        }
    }

    private void leaveIfEmpty(TenantFlow flow) {
        if (flow.entries.size() + flow.aside == 0) {
            LaneQueue lane = flow.lane;
            lane.tenants.deactivate(flow);
            if (lane.tenants.size() == 0) {
                waitingLanes.deactivate(lane);
            }
        }
    }

    /// What all ways out of the queue share.
    private void forget(QueueEntry entry) {
        size--;
        tokens -= entry.queuedTokens;
        entry.account().queuedTokens -= entry.queuedTokens;
        backlogs[entry.lane().ordinal()].remove(entry);
        if (entry.latestStartIndex >= 0) {
            startingLate.remove(entry);
        }
    }

    private int visitAll(Visitor<? super E> visitor, int looksMax) {
        int taken = 0;
        while (true) {
            QueueEntry entry = next();
            if (entry == null) {
                return taken;
            }
            @SuppressWarnings("unchecked")
            E offered = (E) entry;
            switch (visitor.visit(offered)) {
                case TAKE -> {
                    take(offered);
                    taken++;
                }
                case SKIP -> {
                    if (asides == looksMax || entry.overtaken >= overtakenMax) {
                        return taken;
                    }
                    putAside(entry);
                }
                case STOP -> {
                    return taken;
                }
            }
        }
    }

    private @Nullable QueueEntry next() {
        QueueEntry first = resumed.first();
        if (first != null || waitingLanes.size() == 0) {
            return first;
        }
        LaneQueue lane = (LaneQueue) waitingLanes.least();
        TenantFlow flow = (TenantFlow) lane.tenants.least();
        return flow.entries.first(); // null when all that is left was skipped
    }

    private void take(E entry) {
        TenantFlow flow = requireFlow(entry);
        for (int i = 0; i < asides; i++) {
            requireAside(i).overtaken++;
        }
        entry.owedUnits = (long) promptTokenCost * entry.owedTokens();
        flow.owe(entry.owedUnits);
        flow.lane.owe(entry.owedUnits);
        if (entry.resumed) {
            resumed.remove(entry);
        } else {
            flow.entries.remove(entry);
            leaveIfEmpty(flow);
            sinkIfExhausted(flow);
        }
        forget(entry);
    }

    private void putAside(QueueEntry entry) {
        if (asides == aside.length) {
            aside = Arrays.copyOf(aside, asides * 2);
        }
        aside[asides++] = entry;
        if (entry.resumed) {
            resumed.remove(entry);
            return;
        }
        TenantFlow flow = requireFlow(entry);
        LaneQueue lane = flow.lane;
        flow.entries.remove(entry);
        flow.aside++;
        lane.tenants.passOver(flow, flow.skips + 1);
        waitingLanes.passOver(lane, lane.skips + 1);
        sinkIfExhausted(flow);
    }

    /// A party of which all was skipped goes behind everybody that still has something to offer.
    private void sinkIfExhausted(TenantFlow flow) {
        LaneQueue lane = flow.lane;
        if (flow.aside > 0 && flow.entries.size() == 0) {
            lane.tenants.passOver(flow, Integer.MAX_VALUE);
        }
        if (lane.tenants.size() > 0 && ((TenantFlow) lane.tenants.least()).entries.size() == 0) {
            waitingLanes.passOver(lane, Integer.MAX_VALUE);
        }
    }

    private void restore() {
        for (int i = 0; i < asides; i++) {
            QueueEntry entry = requireAside(i);
            aside[i] = null;
            if (entry.resumed) {
                resumed.add(entry);
                continue;
            }
            TenantFlow flow = requireFlow(entry);
            flow.aside--;
            flow.entries.add(entry);
            flow.lane.tenants.restore(flow);
            waitingLanes.restore(flow.lane);
        }
        asides = 0;
    }

    private static TenantFlow requireFlow(QueueEntry entry) {
        TenantFlow flow = entry.flow;
        if (flow == null) {
            throw new IllegalStateException("sequence " + entry.sequenceId() + " was never queued");
        }
        return flow;
    }

    private QueueEntry requireAside(int index) {
        QueueEntry entry = aside[index];
        if (entry == null) {
            throw new IllegalStateException("no entry was put aside as number " + index);
        }
        return entry;
    }

    private void requireNoVisit() {
        if (isVisiting) {
            throw new IllegalStateException("a visitor must not change the queue");
        }
    }
}
