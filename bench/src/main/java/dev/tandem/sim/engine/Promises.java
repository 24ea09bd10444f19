package dev.tandem.sim.engine;

import dev.tandem.core.CoreOptions;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.Event;
import dev.tandem.core.SchedulerCore;

import java.util.List;
import java.util.concurrent.TimeUnit;

/// What the core promises, whatever breaks: checked after every event and, in full, at the end. The promises about tokens are
/// with [TokenOracle], those about plans and blocks with [CheckedKv] and [Fleet]. Owned by the simulation.
final class Promises {
    /// Every request ends within so long after its arrival and after the last disturbance.
    private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(120);

    private final SchedulerCore core;
    private final CoreOptions options;
    private final Fleet fleet;
    private final Requests requests;

    /// The oldest open request, and since when it is that.
    private long oldest;

    private long oldestSinceNanos;

    Promises(SchedulerCore core, CoreOptions options, Fleet fleet, Requests requests) {
        this.core = core;
        this.options = options;
        this.fleet = fleet;
        this.requests = requests;
    }

    /// The cheap ones.
    void checkAfter(Event event) {
        if (core.sequences() != requests.open()) {
            throw new BrokenPromiseException(
                    "%d requests are open, the core knows %d, after %s"
                            .formatted(requests.open(), core.sequences(), event));
        }
        CoreSnapshot snapshot = core.snapshot();
        for (CoreSnapshot.ReplicaSnapshot replica : snapshot.replicas()) {
            int sequencesMax =
                    Math.min(
                            options.sequencesMax(), fleet.worker(replica.id()).spec.sequencesMax());
            if (replica.blocksUsed() < 0
                    || replica.blocksUsed() > replica.blocks()
                    || replica.sequences() > sequencesMax
                    || replica.plansInFlight() > options.runAheadPlans()) {
                throw new BrokenPromiseException("a limit is passed: " + replica);
            }
        }
    }

    /// Those that the core can check itself.
    void audit() {
        List<String> problems = core.audit();
        if (!problems.isEmpty()) {
            throw new BrokenPromiseException(String.join("; ", problems));
        }
    }

    /// Nobody starves.
    ///
    /// @param calmNanos when the last disturbance was over
    void checkProgress(long nowNanos, long calmNanos) {
        long first = requests.oldest();
        if (first != oldest) {
            oldest = first;
            oldestSinceNanos = nowNanos;
        }
        long since = Math.max(oldestSinceNanos, calmNanos);
        if (requests.open() > 0 && nowNanos - since > ANSWER_NANOS_MAX) {
            throw new BrokenPromiseException(
                    "sequence %d has had no answer for %d s"
                            .formatted(first, TimeUnit.NANOSECONDS.toSeconds(nowNanos - since)));
        }
    }

    /// The full ones: nothing is left of anybody.
    void checkEnd() {
        audit();
        CoreSnapshot snapshot = core.snapshot();
        if (requests.open() > 0) {
            throw new BrokenPromiseException(
                    "%d requests never end, sequence %d the first"
                            .formatted(requests.open(), requests.oldest()));
        }
        if (requests.firstFailure() != null) {
            throw new BrokenPromiseException(requests.firstFailure());
        }
        if (snapshot.waiting() != 0
                || snapshot.waitingTokens() != 0
                || snapshot.running() != 0
                || snapshot.transferring() != 0) {
            throw new BrokenPromiseException("something is left at the end: " + snapshot);
        }
        for (CoreSnapshot.ReplicaSnapshot replica : snapshot.replicas()) {
            if (replica.blocksUsed() != 0
                    || replica.sequences() != 0
                    || replica.plansInFlight() != 0) {
                throw new BrokenPromiseException("something is left at the end: " + replica);
            }
        }
    }
}
