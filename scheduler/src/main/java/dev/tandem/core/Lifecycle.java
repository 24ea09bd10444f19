package dev.tandem.core;

import dev.tandem.admission.FairQueue;
import dev.tandem.admission.RetryAfter;
import dev.tandem.routing.RetryBudget;
import dev.tandem.routing.Router;

import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Brings sequences in, back to the queue and to their one end, and takes their residences from the replicas. Owned by the
/// core.
final class Lifecycle {
    private static final long RETRY_DELAY_NANOS = 200_000_000;

    private final CoreOptions options;
    private final CoreCounters counters;
    private final Commands commands;
    private final WaitingQueue waiting;
    private final Gate gate;
    private final HandoffDesk handoffs;
    private final StepPlanner planner;
    private final Router router;
    private final RetryBudget retries;
    private final Long2ObjectHashMap<Sequence> sequences = new Long2ObjectHashMap<>();

    /// Those with a deadline, and some that have ended since.
    private final List<Sequence> withDeadline = new ArrayList<>();

    /// The most tokens that any sequence could reach so far.
    private long longestTokens;

    /// Some may be unserved, or were at the last look.
    private boolean anyUnserved;

    private long nowNanos;

    Lifecycle(
            CoreOptions options,
            CoreCounters counters,
            Commands commands,
            WaitingQueue waiting,
            Gate gate,
            HandoffDesk handoffs,
            StepPlanner planner,
            Router router) {
        this.options = options;
        this.counters = counters;
        this.commands = commands;
        this.waiting = waiting;
        this.gate = gate;
        this.handoffs = handoffs;
        this.planner = planner;
        this.router = router;
        this.retries = new RetryBudget(options.routing().retry());
    }

    void at(long now) {
        nowNanos = now;
    }

    int size() {
        return sequences.size();
    }

    @Nullable Sequence find(long id) {
        return sequences.get(id);
    }

    void submit(Event.Submit submit) {
        switch (gate.enter(submit, nowNanos)) {
            case Gate.Entry.Refused(Commands.Failed failed) -> {
                counters.refused++;
                commands.failed().add(failed);
            }
            case Gate.Entry.Admitted admitted -> {
                shed(admitted);
                Sequence sequence = admitted.sequence();
                sequences.put(sequence.id(), sequence);
                longestTokens = Math.max(longestTokens, sequence.tokensMax());
                waiting.add(sequence, nowNanos);
                retries.deposit(nowNanos);
                counters.promptTokens += sequence.promptTokens();
                if (sequence.request().deadlineNanos() != 0) {
                    withDeadline.add(sequence);
                }
            }
        }
    }

    /// Makes room for a request of a higher lane.
    private void shed(Gate.Entry.Admitted admitted) {
        FairQueue<Sequence> queue = waiting.fair();
        long tokens = 0;
        int count = 0;
        while (tokens < admitted.shed() || count < admitted.shedSequences()) {
            Sequence victim = queue.shedCandidate(admitted.sequence().lane());
            if (victim == null) {
                return;
            }
            tokens += victim.known();
            count++;
            counters.shed++;
            fail(
                    victim,
                    new Commands.Failed(
                            victim.id(),
                            ErrorCategory.CAPACITY,
                            "overloaded",
                            "The request had to make room for work of a higher priority.",
                            RetryAfter.millis(
                                    1, victim.id(), options.admission().retryAfterMillisMax())));
        }
    }

    void cancel(long id) {
        Sequence sequence = sequences.get(id);
        if (sequence != null) {
            end(sequence, false);
        }
    }

    void finish(Sequence sequence, FinishReason reason) {
        commands.finished().add(new Commands.Finished(sequence.id(), reason));
        end(sequence, true);
    }

    void fail(Sequence sequence, Commands.Failed failed) {
        commands.failed().add(failed);
        end(sequence, false);
    }

    private void end(Sequence sequence, boolean well) {
        if (sequence.state == Sequence.State.WAITING) {
            waiting.remove(sequence, nowNanos);
        } else {
            unsettle(sequence, well);
        }
        sequence.state = Sequence.State.ENDED;
        sequences.remove(sequence.id());
        waiting.settle(sequence);
        gate.leave(sequence, nowNanos);
    }

    /// Takes a placed sequence from its replicas; blocks follow when nobody can touch them any more.
    private void unsettle(Sequence sequence, boolean well) {
        Attempt second = sequence.hedge;
        if (second != null) {
            sequence.hedge = null;
            giveUp(sequence, second, false);
        }
        Attempt first = sequence.attempt;
        if (first != null) {
            sequence.attempt = null;
            giveUp(sequence, first, well);
        }
    }

    /// Takes one of a sequence's attempts from its replicas.
    ///
    /// @param well the replicas have done what they should
    void giveUp(Sequence sequence, Attempt attempt, boolean well) {
        Residence from = attempt.from;
        if (well) {
            judge(sequence, attempt);
        } else if (!attempt.judged) {
            router.abandoned(from.replica().health(), sequence.id());
        }
        Handoff fetch = attempt.fetch;
        if (fetch != null) {
            handoffs.giveUp(fetch);
            leave(fetch.from);
        }
        Handoff handoff = attempt.handoff;
        if (handoff != null) {
            router.abandoned(handoff.to.replica().health(), sequence.id());
            handoffs.giveUp(handoff);
            leave(handoff.to);
        }
        leave(from);
    }

    /// The first token of an attempt, or its good end, says how its replica does, compared with its peers.
    void judge(Sequence sequence, Attempt attempt) {
        if (!attempt.judged) {
            attempt.judged = true;
            Replica replica = attempt.from.replica();
            router.succeeded(replica.health(), sequence.id(), 1, replica.slowness(), nowNanos);
        }
    }

    void leave(Residence residence) {
        Replica replica = residence.replica();
        if (!replica.isLost()) {
            replica.unlist(residence);
            planner.index(residence);
            if (residence.preempted) {
                replica.preempted--;
            }
            if (residence.started) {
                replica.pendingEnds.addLong(residence.sequenceId());
            }
            replica.leaving.add(residence);
            replica.mark();
        }
        residence.sequence = null;
        residence.stage = Residence.Stage.LEAVING;
    }

    /// Back to the queue's front with all tokens known: the rest is computed again, elsewhere or here.
    void requeue(Sequence sequence) {
        unsettle(sequence, false);
        sequence.state = Sequence.State.WAITING;
        waiting.add(sequence, nowNanos);
    }

    /// An attempt has failed by a lost replica or a failed transfer. The other one, if there is one, goes on alone.
    ///
    /// @param isRetry a transfer failed, which may go on failing; a lost replica is lost once, and its sequences don't wait
    void attemptFailed(Sequence sequence, Attempt failed, boolean isRetry) {
        if (sequence.state != Sequence.State.PLACED) {
            return;
        }
        Attempt second = sequence.hedge;
        if (second != null) {
            sequence.hedge = null;
            if (sequence.attempt == failed) {
                sequence.attempt = second;
            }
            giveUp(sequence, failed, false);
        } else {
            startOver(sequence, isRetry);
        }
    }

    private void startOver(Sequence sequence, boolean isRetry) {
        counters.recomputes++;
        if (++sequence.recomputes > options.recomputesMax()) {
            fail(
                    sequence,
                    new Commands.Failed(
                            sequence.id(),
                            ErrorCategory.INTERNAL,
                            "recompute_limit",
                            "The request was started over %d times after lost workers or failed transfers."
                                    .formatted(options.recomputesMax()),
                            0));
            return;
        }
        if (isRetry && !retries.tryWithdraw(nowNanos)) {
            counters.retriesDelayed++;
            sequence.notBeforeNanos = nowNanos + RETRY_DELAY_NANOS;
        }
        requeue(sequence);
    }

    /// Ends what can't be served or has no time left; called from time to time.
    void expire() {
        for (int i = 0; i < withDeadline.size(); ) {
            Sequence sequence = withDeadline.get(i);
            Commands.Failed failed =
                    sequence.state == Sequence.State.ENDED ? null : gate.doomed(sequence, nowNanos);
            if (failed != null) {
                counters.expired++;
                fail(sequence, failed);
            }
            if (sequence.state == Sequence.State.ENDED) {
                withDeadline.set(i, withDeadline.getLast());
                withDeadline.removeLast();
            } else {
                i++;
            }
        }
    }

    /// Gives up what has waited too long to be worth starting.
    void failLate() {
        Sequence late;
        while ((late = gate.hopeless(waiting, nowNanos)) != null) {
            counters.shed++;
            fail(late, gate.tooLate(late, nowNanos));
        }
    }

    /// Ends waiting sequences that no replica could serve for too long.
    void failUnserved() {
        boolean allServed = gate.largestPoolTokens() >= longestTokens;
        if (waiting.size() == 0 || (allServed && !anyUnserved)) {
            return;
        }
        anyUnserved = !allServed;
        List<Sequence> waitingOnes = new ArrayList<>();
        for (Sequence sequence : sequences.values()) {
            if (sequence.state == Sequence.State.WAITING) {
                waitingOnes.add(sequence);
            }
        }
        waitingOnes.sort((a, b) -> Long.compare(a.id(), b.id()));
        for (Sequence sequence : waitingOnes) {
            Commands.Failed failed = gate.unserved(sequence, nowNanos);
            if (failed != null) {
                fail(sequence, failed);
            }
        }
    }
}
