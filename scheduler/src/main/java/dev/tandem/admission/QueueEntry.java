package dev.tandem.admission;

import org.jspecify.annotations.Nullable;

/// What waits in a [FairQueue]; a sequence extends it, so that the queue allocates nothing and finds an entry's places
/// in its heaps at once. One entry is in at most one queue.
public abstract class QueueEntry {
    private final long sequenceId;
    private final Lane lane;
    private final TenantAccount account;

    // Owned by the queue. The keys are read once, when it is added.
    long rankNanos;
    long arrivalNanos;
    int queuedTokens;
    int overtaken;
    boolean resumed;

    /// Service units of the prompt that were promised with its place and are not computed yet.
    long owedUnits;

    /// Who is charged; kept while it runs.
    @Nullable TenantFlow flow;

    /// Place in the heap of its tenant (or of the resumed ones), -1 = not queued.
    int rankIndex = -1;

    /// When it would be too late to start it; [Long#MAX_VALUE] = never.
    long latestStartNanos = Long.MAX_VALUE;

    int latestStartIndex = -1;
    int oldestIndex = -1;
    int newestIndex = -1;

    protected QueueEntry(long sequenceId, Lane lane, TenantAccount account) {
        this.sequenceId = sequenceId;
        this.lane = lane;
        this.account = account;
    }

    /// Rises with the order of arrival; breaks all ties.
    public final long sequenceId() {
        return sequenceId;
    }

    public final Lane lane() {
        return lane;
    }

    public final TenantAccount account() {
        return account;
    }

    /// To be called before it is queued.
    ///
    /// @param nanos when its first token would be predicted too late to be worth computing
    public final void startBy(long nanos) {
        latestStartNanos = nanos;
    }

    /// Who is charged for it; null before it was queued.
    public final @Nullable TenantFlow flow() {
        return flow;
    }

    public final boolean isQueued() {
        return rankIndex >= 0;
    }

    /// Order within the tenant: arrival, and a stretch for its size. The stretch bounds how much later ones may go first.
    public abstract long rankNanos();

    public abstract long arrivalNanos();

    /// Tokens that it adds to the queue's total.
    public abstract int waitingTokens();

    /// Prompt tokens that will be charged because of this place: those that are neither cached nor computed again. Asked
    /// right after the visitor said [FairQueue.Decision#TAKE].
    public abstract int owedTokens();

    /// True if it has been placed before: it goes first, and it is never shed, as its client has tokens already.
    public abstract boolean isResumed();
}
