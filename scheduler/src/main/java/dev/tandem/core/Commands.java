package dev.tandem.core;

import java.util.ArrayList;
import java.util.List;

/// What the core wants done after an event, to be carried out before the next one: the lists are reused. The order
/// between the lists is: grants and aborts, tiers, plans, outputs, endings, disconnects.
public final class Commands {
    private final List<Grant> grants = new ArrayList<>();
    private final List<Abort> aborts = new ArrayList<>();
    private final List<TierRequest> tiers = new ArrayList<>();
    private final List<StepPlan> plans = new ArrayList<>();
    private final Outputs outputs = new Outputs();
    private final List<Finished> finished = new ArrayList<>();
    private final List<Failed> failed = new ArrayList<>();
    private final List<Disconnect> disconnects = new ArrayList<>();

    /// Tell the receiver that this writer may fill these blocks.
    public record Grant(
            Replica receiver,
            long lease,
            int[] blocks,
            long writerIncarnation,
            int deadlineMillis) {}

    /// Tell the receiver to refuse everything more under this lease, or the writer to stop.
    public record Abort(Replica replica, long lease) {}

    /// Have the worker copy blocks aside to its tier, or back; it answers with one [Event.TierReport].
    ///
    /// @param hashes of the blocks, [PrefixHasher#WORDS] words each
    public record TierRequest(
            Replica replica, long request, boolean isLoad, int[] blocks, long[] hashes) {}

    /// The one good answer of a sequence.
    public record Finished(long sequence, FinishReason reason) {}

    /// The one bad answer of a sequence.
    ///
    /// @param retryAfterMillis when it may be worth trying again, as far as the core can tell; 0 = it can't
    public record Failed(
            long sequence,
            ErrorCategory category,
            String code,
            String message,
            long retryAfterMillis) {}

    /// Close the stream of a replica that can't be trusted any more; [Event.ReplicaLost] is implied.
    public record Disconnect(int replica, String reason) {}

    void clear() {
        grants.clear();
        aborts.clear();
        tiers.clear();
        plans.clear();
        outputs.clear();
        finished.clear();
        failed.clear();
        disconnects.clear();
    }

    public List<Grant> grants() {
        return grants;
    }

    public List<Abort> aborts() {
        return aborts;
    }

    public List<TierRequest> tiers() {
        return tiers;
    }

    public List<StepPlan> plans() {
        return plans;
    }

    public Outputs outputs() {
        return outputs;
    }

    public List<Finished> finished() {
        return finished;
    }

    public List<Failed> failed() {
        return failed;
    }

    public List<Disconnect> disconnects() {
        return disconnects;
    }
}
