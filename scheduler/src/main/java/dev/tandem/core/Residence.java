package dev.tandem.core;

import org.jspecify.annotations.Nullable;

/// A sequence's stay on one replica: its blocks there and how far plans have got. It outlives the sequence's
/// interest in it: blocks are given back only when no plan in flight can write to them, no send reads them, no
/// lease lets another worker and no tier writes to them, and no quarantine is left. Owned by the core.
public final class Residence {
    /// Why a residence is on its replica; each kind lies in a list of its own.
    enum Stage {
        /// Has prompt tokens to compute, here and now.
        PREFILL,
        /// The last chunk is planned; its KV is on its way to another replica.
        HANDING_OVER,
        /// Its KV is on its way here: all of it, or a prefix that was cached elsewhere.
        ARRIVING,
        /// Holds cached blocks while they are sent to another replica; computes nothing.
        LENDING,
        /// Gets one token a step.
        DECODE,
        /// The sequence has left; blocks are given back when nobody can touch them.
        LEAVING
    }

    /// Does not run.
    static final int NO_SLOT = -1;

    private final Replica replica;
    private final long sequenceId;
    private final BlockTable table = new BlockTable();

    /// Null once the sequence has left.
    @Nullable Sequence sequence;

    Stage stage;

    /// Tokens computed when all plans sent are done; stale while it runs.
    int planned;

    /// Its place in the replica's [RunningBatch], which has its counters then.
    int slot = NO_SLOT;

    /// Leading blocks of the table that are in the prefix index (or were found there).
    int indexedBlocks;

    /// Number of the last plan that names this residence; stale while it runs.
    long lastPlan;

    /// The worker's tier may write blocks.
    boolean tierOpen;

    /// Tokens whose KV is there when a fetch is done; 0 = none is awaited.
    int awaitedTokens;

    /// Order among the prompts of the replica.
    long rankNanos;

    /// The worker knows the sequence.
    boolean started;

    /// Computes the prompt only; another replica decodes.
    boolean prefillOnly;

    /// No more rows; leaves when the plans in flight are back.
    boolean preempted;

    /// Blocks may be read by a send that is not reported as ended.
    boolean sendOpen;

    /// Blocks may be written under a lease that is not reported as ended.
    boolean leaseOpen;

    /// The writer under that lease has begun and has not said that it is done. Its writes may be one-sided, so the
    /// receiver's word alone does not free the blocks.
    boolean writerOpen;

    /// A token was sampled during this stay.
    boolean hasSampled;

    /// Blocks may not be reused before.
    long quarantineUntilNanos = Long.MIN_VALUE;

    Residence(Replica replica, Sequence sequence, Stage stage) {
        this.replica = replica;
        this.sequence = sequence;
        this.sequenceId = sequence.id();
        this.stage = stage;
        this.rankNanos = sequence.rankNanos();
    }

    public Replica replica() {
        return replica;
    }

    public long sequenceId() {
        return sequenceId;
    }

    public BlockTable table() {
        return table;
    }

    /// Tokens known while it runs.
    int known() {
        return replica.running.known(slot);
    }

    /// Known tokens of a prefill that no plan computes yet.
    int pending() {
        Sequence owner = sequence;
        return owner == null || preempted || stage != Stage.PREFILL ? 0 : owner.known() - planned;
    }

    /// Whether a row of so many tokens reaches the end of what is known, and so samples the next token.
    boolean reachesEnd(int count) {
        return sequence != null && planned + count == sequence.known();
    }

    /// No plan in flight names it.
    boolean isIdle() {
        return replica.plansDone() >= lastPlan
                && (slot == NO_SLOT || replica.running.samplesInFlight(slot) == 0);
    }

    boolean isReleasable(long nowNanos) {
        return sequence == null
                && !sendOpen
                && !leaseOpen
                && !writerOpen
                && !tierOpen
                && isIdle()
                && nowNanos >= quarantineUntilNanos;
    }
}
