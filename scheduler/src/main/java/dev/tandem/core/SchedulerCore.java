package dev.tandem.core;

import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// Makes all scheduling decisions and touches nothing: no clock, thread, socket or random number inside. The same
/// events with the same times give the same commands, so the live coordinator, a simulator and a replay run this very
/// class. Not thread-safe; one agent owns it.
///
/// See the package page for the life of a sequence.
public final class SchedulerCore {
    private final CoreOptions options;
    private final CoreCounters counters = new CoreCounters();
    private final Admission admission;
    private final Placement placement;
    private final StepPlanner planner;
    private final HandoffDesk handoffs;
    private final Commands commands = new Commands();
    private final PrefixHasher hasher = new PrefixHasher();
    // Sorted by id, so that iteration does not depend on hashing.
    private final TreeMap<Integer, Replica> replicas = new TreeMap<>();
    private final Long2ObjectHashMap<Sequence> sequences = new Long2ObjectHashMap<>();
    private final WaitingQueue waiting = new WaitingQueue();
    private long snapshots;
    private long nowNanos;

    public SchedulerCore(CoreOptions options) {
        this.options = options;
        this.admission = new Admission(options);
        this.placement = new Placement(options, counters);
        this.planner = new StepPlanner(options, counters);
        this.handoffs = new HandoffDesk(options, counters, commands);
    }

    /// Takes in one event.
    ///
    /// @param nowNanos monotonic time, never less than in the call before
    /// @return what to do now; the same object each time, valid until the next call
    public Commands on(Event event, long nowNanos) {
        commands.clear();
        this.nowNanos = nowNanos;
        switch (event) {
            case Event.Submit submit -> submit(submit);
            case Event.Cancel cancel -> cancel(cancel.sequence());
            case Event.ReplicaJoined joined -> join(joined);
            case Event.ReplicaLost lost -> lose(lost.replica());
            case Event.StepDone done -> stepDone(done);
            case Event.SendEnded ended -> {
                Handoff handoff = handoffs.sendEnded(ended);
                if (handoff != null) {
                    startOver(handoff.sequence);
                }
            }
            case Event.LeaseEnded ended -> leaseEnded(ended);
            case Event.Tick() -> failUnserved();
        }
        advance();
        return commands;
    }

    /// Live sequences: each will get exactly one final answer.
    public int sequences() {
        return sequences.size();
    }

    public CoreSnapshot snapshot() {
        List<CoreSnapshot.ReplicaSnapshot> replicaSnapshots = new ArrayList<>(replicas.size());
        for (Replica replica : replicas.values()) {
            replicaSnapshots.add(
                    new CoreSnapshot.ReplicaSnapshot(
                            replica.id(),
                            replica.facts().name(),
                            replica.facts().role(),
                            replica.pool().blocks(),
                            replica.facts().blockTokens(),
                            replica.pool().used(),
                            replica.pool().cached(),
                            replica.residents.size(),
                            replica.plansInFlight(),
                            replica.pendingPrefillTokens()));
        }
        return new CoreSnapshot(
                ++snapshots,
                nowNanos,
                waiting.size(),
                waiting.tokens(),
                sequences.size() - waiting.size(),
                handoffs.open(),
                List.copyOf(replicaSnapshots),
                counters.totals());
    }

    // ---- sequences ----

    private void submit(Event.Submit submit) {
        Commands.Failed refusal = admission.refusal(submit, waiting, replicas.values());
        if (refusal != null) {
            commands.failed().add(refusal);
            return;
        }
        Sequence sequence = new Sequence(submit, hasher);
        sequences.put(sequence.id(), sequence);
        waiting.add(sequence);
        counters.promptTokens += sequence.promptTokens();
    }

    private void cancel(long id) {
        Sequence sequence = sequences.get(id);
        if (sequence != null) {
            end(sequence);
        }
    }

    private void finish(Sequence sequence, FinishReason reason) {
        commands.finished().add(new Commands.Finished(sequence.id(), reason));
        end(sequence);
    }

    private void end(Sequence sequence) {
        if (sequence.state == Sequence.State.WAITING) {
            waiting.remove(sequence);
        } else {
            unsettle(sequence);
        }
        sequence.state = Sequence.State.ENDED;
        sequences.remove(sequence.id());
    }

    /// Takes a placed sequence from its replicas; blocks follow when nobody can touch them any more.
    private void unsettle(Sequence sequence) {
        Handoff handoff = sequence.handoff;
        if (handoff != null) {
            handoffs.giveUp(handoff);
            leave(handoff.to);
        }
        if (sequence.residence != null) {
            leave(sequence.residence);
            sequence.residence = null;
        }
    }

    private void leave(Residence residence) {
        Replica replica = residence.replica();
        residence.sequence = null;
        replica.residents.remove(residence);
        if (replicas.get(replica.id()) != replica) {
            return; // lost: its blocks went with it
        }
        if (residence.started) {
            replica.pendingEnds.addLong(residence.sequenceId());
        }
        replica.leaving.add(residence);
    }

    /// Back to the queue's front with all tokens known: the rest is computed again, elsewhere or here.
    private void requeue(Sequence sequence) {
        unsettle(sequence);
        sequence.state = Sequence.State.WAITING;
        waiting.addByAge(sequence);
    }

    /// After a lost replica or a failed transfer.
    private void startOver(Sequence sequence) {
        if (sequence.state != Sequence.State.PLACED) {
            return;
        }
        counters.recomputes++;
        if (++sequence.recomputes > options.recomputesMax()) {
            commands.failed()
                    .add(
                            new Commands.Failed(
                                    sequence.id(),
                                    ErrorCategory.INTERNAL,
                                    "recompute_limit",
                                    "The request was started over %d times after lost workers or failed transfers."
                                            .formatted(options.recomputesMax()),
                                    0));
            end(sequence);
        } else {
            requeue(sequence);
        }
    }

    // ---- replicas ----

    private void join(Event.ReplicaJoined joined) {
        for (Replica other : replicas.values()) {
            if (other.facts().blockTokens() != joined.facts().blockTokens()) {
                commands.disconnects()
                        .add(
                                new Commands.Disconnect(
                                        joined.replica(),
                                        "blocks of %d tokens, but %s has blocks of %d"
                                                .formatted(
                                                        joined.facts().blockTokens(),
                                                        other.facts().name(),
                                                        other.facts().blockTokens())));
                return;
            }
        }
        replicas.put(
                joined.replica(),
                new Replica(joined.replica(), joined.facts(), options.runAheadPlans()));
    }

    private void lose(int id) {
        Replica replica = replicas.remove(id);
        if (replica == null) {
            return;
        }
        handoffs.replicaLost(replica, nowNanos);
        List<Residence> residents = List.copyOf(replica.residents);
        replica.residents.clear();
        replica.leaving.clear();
        for (Residence residence : residents) {
            Sequence sequence = residence.sequence;
            if (sequence != null) {
                startOver(sequence);
            }
        }
    }

    private void stepDone(Event.StepDone done) {
        Replica replica = replicas.get(done.replica());
        if (replica == null) {
            return;
        }
        StepPlan plan = replica.plansInFlight() == 0 ? null : replica.oldestInFlight();
        if (plan == null || plan.number() != done.plan() || !matches(plan, done)) {
            commands.disconnects()
                    .add(
                            new Commands.Disconnect(
                                    done.replica(),
                                    "the result of plan %d does not fit the plan awaited"
                                            .formatted(done.plan())));
            lose(done.replica());
            return;
        }
        replica.done();
        int sampled = 0;
        for (int row = 0; row < plan.rows(); row++) {
            if (plan.rowSamples(row)) {
                TokenLogprobs[] logprobs = done.logprobs();
                sampled(
                        plan.row(row),
                        done.tokens()[sampled],
                        logprobs == null ? null : logprobs[sampled]);
                sampled++;
            }
        }
    }

    private static boolean matches(StepPlan plan, Event.StepDone done) {
        int sampled = 0;
        for (int row = 0; row < plan.rows(); row++) {
            if (plan.rowSamples(row)) {
                if (sampled >= done.samples()
                        || done.sequences()[sampled] != plan.row(row).sequenceId()) {
                    return false;
                }
                sampled++;
            }
        }
        return sampled == done.samples();
    }

    private void sampled(Residence residence, int token, @Nullable TokenLogprobs logprobs) {
        residence.samplesInFlight--;
        residence.sampled++;
        Sequence sequence = residence.sequence;
        if (sequence == null) {
            return; // ended or moved on since: one wasted token, never an emitted one
        }
        counters.generatedTokens++;
        FinishReason reason = sequence.append(token);
        commands.outputs().add(sequence.id(), token, sequence.cachedTokens, logprobs);
        if (reason != null) {
            finish(sequence, reason);
            return;
        }
        planner.index(residence);
        Handoff handoff = sequence.handoff;
        if (handoff != null && handoff.from == residence) {
            handoffs.firstToken(handoff);
            joinIfComplete(handoff);
        }
    }

    private void leaseEnded(Event.LeaseEnded ended) {
        Handoff failed = handoffs.leaseEnded(ended);
        if (failed != null) {
            startOver(failed.sequence);
            return;
        }
        Handoff handoff = handoffs.find(ended.lease());
        if (handoff != null) {
            joinIfComplete(handoff);
        }
    }

    /// The sequence goes on where its KV is now.
    private void joinIfComplete(Handoff handoff) {
        if (!handoffs.isComplete(handoff)) {
            return;
        }
        Sequence sequence = handoff.sequence;
        handoffs.close(handoff);
        leave(handoff.from);
        handoff.to.ready = true;
        sequence.residence = handoff.to;
        planner.index(handoff.to);
    }

    // ---- progress ----

    /// Does what has become possible, until nothing more is: free, place, plan.
    private void advance() {
        boolean moved = true;
        while (moved) {
            moved = settlePreempted();
            releaseBlocks();
            placeWaiting();
            for (Replica replica : replicas.values()) {
                while (planner.plan(replica, commands)) {
                    moved = true;
                }
            }
        }
    }

    private boolean settlePreempted() {
        boolean any = false;
        for (Replica replica : replicas.values()) {
            for (int i = replica.residents.size() - 1; i >= 0; i--) {
                Residence residence = replica.residents.get(i);
                Sequence sequence = residence.sequence;
                if (sequence != null
                        && residence.preempted
                        && replica.plansDone() >= residence.lastPlan) {
                    requeue(sequence);
                    any = true;
                }
            }
        }
        return any;
    }

    private void releaseBlocks() {
        for (Replica replica : replicas.values()) {
            List<Residence> leaving = replica.leaving;
            for (int i = leaving.size() - 1; i >= 0; i--) {
                if (leaving.get(i).isReleasable(nowNanos)) {
                    replica.pool().release(leaving.get(i).table());
                    leaving.remove(i);
                }
            }
        }
    }

    private void placeWaiting() {
        for (Sequence sequence = waiting.oldest();
                sequence != null && placement.place(sequence, replicas.values());
                sequence = waiting.oldest()) {
            waiting.removeOldest();
            sequence.unservedSinceNanos = 0;
            if (sequence.handoff != null) {
                handoffs.opened(sequence.handoff);
            }
        }
    }

    private void failUnserved() {
        List<Commands.Failed> unserved = new ArrayList<>();
        for (Sequence sequence : waiting) {
            Commands.Failed failed = admission.unserved(sequence, replicas.values(), nowNanos);
            if (failed != null) {
                unserved.add(failed);
            }
        }
        for (Commands.Failed failed : unserved) {
            commands.failed().add(failed);
            end(sequences.get(failed.sequence()));
        }
    }
}
