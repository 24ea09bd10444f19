package dev.tandem.core;

import dev.tandem.admission.FairQueue;
import dev.tandem.admission.FairQueue.Decision;
import dev.tandem.batching.StepEstimator;
import dev.tandem.routing.Router;

import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.collections.Object2ObjectHashMap;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Makes all scheduling decisions and touches nothing: no clock, thread, socket or random number inside. The same
/// events with the same times give the same commands, so the live coordinator, a simulator and a replay run this very
/// class. Not thread-safe; one agent owns it.
///
/// See the package page for the life of a sequence.
public final class SchedulerCore {
    private final CoreOptions options;
    private final CoreCounters counters = new CoreCounters();
    private final Commands commands = new Commands();
    private final Router router;
    private final WaitingQueue waiting;
    private final CoreLoad load;
    private final Gate gate;
    private final HandoffDesk handoffs;
    private final StepPlanner planner;
    private final TierDesk tiers;
    private final Placement placement;
    private final Lifecycle lifecycle;
    private final Arrivals arrivals;
    private final Hedging hedging;
    private final Int2ObjectHashMap<Replica> replicas = new Int2ObjectHashMap<>();
    private final Object2ObjectHashMap<String, StepEstimator> peers = new Object2ObjectHashMap<>();
    private final FairQueue.Visitor<Sequence> visitor = this::place;

    /// All replicas, sorted by id, so that iteration does not depend on hashing.
    private Replica[] all = {};

    private final Worklist work = new Worklist();
    private boolean isPlacingDue;
    private long snapshots;
    private long nowNanos;

    public SchedulerCore(CoreOptions options) {
        this.options = options;
        this.router = new Router(options.routing());
        this.waiting = new WaitingQueue(options);
        this.load = new CoreLoad(options, waiting);
        this.gate = new Gate(options, load, router);
        this.handoffs = new HandoffDesk(options, counters, commands);
        this.planner = new StepPlanner(options, counters, commands, waiting);
        PrefixFetches fetches = new PrefixFetches(options, counters, handoffs);
        this.tiers = new TierDesk(options, counters, commands);
        this.placement = new Placement(options, counters, router, handoffs, fetches, tiers);
        this.lifecycle =
                new Lifecycle(
                        options, counters, commands, waiting, gate, handoffs, planner, router);
        this.arrivals = new Arrivals(router, handoffs, fetches, tiers, lifecycle, planner);
        this.hedging = new Hedging(options, placement, load);
    }

    /// Takes in one event.
    ///
    /// @param now monotonic time in nanoseconds, never less than in the call before
    /// @return what to do now; the same object each time, valid until the next call
    public Commands on(Event event, long now) {
        commands.clear();
        nowNanos = now;
        lifecycle.at(now);
        isPlacingDue = true;
        switch (event) {
            case Event.StepDone done -> stepDone(done);
            case Event.Submit submit -> lifecycle.submit(submit);
            case Event.Cancel cancel -> lifecycle.cancel(cancel.sequence());
            case Event.ReplicaJoined joined -> join(joined);
            case Event.ReplicaLost lost -> lose(lost.replica());
            case Event.SendEnded ended -> arrivals.sendEnded(ended, now);
            case Event.LeaseEnded ended -> arrivals.leaseEnded(ended, now);
            case Event.TierReport report -> tierReport(report);
            case Event.Tick() -> tick();
        }
        advance();
        return commands;
    }

    /// Live sequences: each will get exactly one final answer.
    public int sequences() {
        return lifecycle.size();
    }

    public CoreSnapshot snapshot() {
        return Snapshots.of(
                ++snapshots, nowNanos, all, waiting, lifecycle.size(), handoffs, counters);
    }

    /// Looks for broken invariants: blocks that nobody holds or two hold, lists and counts that differ. Slow; for tests and
    /// simulations.
    ///
    /// @return what is wrong, empty when all is well
    public List<String> audit() {
        return Audit.of(all, waiting, lifecycle, handoffs);
    }

    // ---- replicas ----

    private void join(Event.ReplicaJoined joined) {
        ReplicaFacts facts = joined.facts();
        String refusal = refusal(joined);
        if (refusal != null) {
            commands.disconnects().add(new Commands.Disconnect(joined.replica(), refusal));
            return;
        }
        StepEstimator shared =
                peers.computeIfAbsent(
                        facts.device().name(), name -> new StepEstimator(facts.device()));
        int pool = placement.poolOf(facts);
        double tokensPerSecond =
                1e9
                        * facts.stepTokensMax()
                        / shared.nanos(facts.stepTokensMax(), 0, 0, facts.stepTokensMax());
        Replica replica =
                new Replica(
                        joined.replica(),
                        facts,
                        options,
                        work,
                        shared,
                        router.joined(facts.name(), pool, facts.zone(), tokensPerSecond, nowNanos));
        replicas.put(joined.replica(), replica);
        all = Arrays.copyOf(all, all.length + 1);
        all[all.length - 1] = replica;
        Arrays.sort(all, (a, b) -> Integer.compare(a.id(), b.id()));
        replicasChanged();
    }

    private @Nullable String refusal(Event.ReplicaJoined joined) {
        if (replicas.containsKey(joined.replica())) {
            return "replica " + joined.replica() + " has joined before";
        }
        for (Replica other : all) {
            if (other.facts().blockTokens() != joined.facts().blockTokens()) {
                return "blocks of %d tokens, but %s has blocks of %d"
                        .formatted(
                                joined.facts().blockTokens(),
                                other.name(),
                                other.facts().blockTokens());
            }
        }
        return null;
    }

    private void replicasChanged() {
        work.reset(all.length);
        for (int place = 0; place < all.length; place++) {
            all[place].place = place;
        }
        double flops = 0;
        for (Replica replica : all) {
            flops += replica.facts().device().flopsPerSecond();
        }
        for (Replica replica : all) {
            double own = replica.facts().device().flopsPerSecond();
            replica.speed = own > 0 ? own * all.length / flops : 1;
        }
        placement.replicasChanged(all);
        load.replicasChanged(all);
        gate.replicasChanged(all);
    }

    private void lose(int id) {
        Replica lost = replicas.remove(id);
        if (lost == null) {
            return;
        }
        lost.lose();
        all = Arrays.stream(all).filter(replica -> replica != lost).toArray(Replica[]::new);
        replicasChanged();
        router.lost(lost.health(), false, nowNanos);
        handoffs.replicaLost(lost, nowNanos);
        List<Residence> residents = new ArrayList<>();
        for (Residence.Stage stage : Residence.Stage.values()) {
            if (stage != Residence.Stage.LEAVING) {
                List<Residence> those = lost.residents(stage);
                those.forEach(lost::unlist);
                residents.addAll(those);
            }
        }
        lost.leaving.clear();
        residents.sort((a, b) -> Long.compare(a.sequenceId(), b.sequenceId()));
        for (Residence residence : residents) {
            residentLost(residence);
        }
    }

    private void residentLost(Residence residence) {
        Sequence sequence = residence.sequence;
        if (sequence == null) {
            return; // given up with another residence of it on the same replica
        }
        Attempt attempt = sequence.attemptOf(residence);
        if (attempt == null) {
            attempt = sequence.attemptTo(residence);
        }
        if (attempt == null) {
            attempt = sequence.attemptBorrowing(residence);
        }
        if (attempt != null) {
            lifecycle.attemptFailed(sequence, attempt, false);
        }
    }

    // ---- results ----

    private void stepDone(Event.StepDone done) {
        Replica replica = replicas.get(done.replica());
        if (replica == null) {
            return;
        }
        StepPlan plan = replica.plansInFlight() == 0 ? null : replica.oldestInFlight();
        if (plan == null
                || plan.number() != done.plan()
                || done.samples() > done.tokens().length
                || !plan.isAnsweredBy(done.sequences(), done.samples())) {
            commands.disconnects()
                    .add(
                            new Commands.Disconnect(
                                    done.replica(),
                                    "the result of plan %d does not fit the plan awaited"
                                            .formatted(done.plan())));
            lose(done.replica());
            return;
        }
        replica.done(plan, done.stepNanos());
        replica.mark();
        takeSamples(replica, plan, done);
    }

    /// Takes in what a plan has sampled: running sequences go through without a look, as far as they can.
    private void takeSamples(Replica replica, StepPlan plan, Event.StepDone done) {
        int[] tokens = done.tokens();
        TokenLogprobs[] logprobs = done.logprobs();
        Outputs outputs = commands.outputs();
        int sample = 0;
        while (true) {
            if (logprobs == null) {
                sample = replica.running.take(plan, sample, tokens, outputs);
            }
            if (sample >= plan.samples()) {
                break;
            }
            Residence residence = plan.sampler(sample);
            Sequence sequence = residence == null ? null : residence.sequence;
            // else ended or moved on since: a wasted token, never an emitted one
            if (residence != null && sequence != null) {
                TokenLogprobs beside = logprobs == null ? null : logprobs[sample];
                sampled(residence, sequence, tokens[sample], beside);
            }
            sample++;
        }
        counters.generatedTokens += outputs.size();
    }

    private void sampled(
            Residence residence, Sequence sequence, int token, @Nullable TokenLogprobs logprobs) {
        FinishReason reason =
                residence.slot == Residence.NO_SLOT
                        ? sequence.append(token)
                        : residence.replica().running.take(residence.slot, token);
        commands.outputs().add(sequence.id(), token, sequence.cachedTokens, logprobs);
        if (!residence.hasSampled) {
            residence.hasSampled = true;
            firstSample(sequence, residence);
        }
        if (reason != null) {
            lifecycle.finish(sequence, reason);
        } else if (residence.prefillOnly) {
            arrivals.joinIfComplete(sequence, nowNanos);
        }
    }

    /// The first token of this stay: the attempt has done its prefill. Of two attempts the other one is given up.
    private void firstSample(Sequence sequence, Residence residence) {
        if (sequence.firstTokenNanos == 0) {
            sequence.firstTokenNanos = nowNanos;
            hedging.started(sequence, nowNanos);
        }
        Attempt attempt = sequence.attemptOf(residence);
        if (attempt == null) {
            return; // came by a handoff, which was judged at its start
        }
        Attempt first = sequence.attempt;
        Attempt second = sequence.hedge;
        if (second != null && first != null) {
            sequence.hedge = null;
            sequence.attempt = attempt;
            if (attempt == second) {
                counters.hedgesWon++;
            }
            lifecycle.giveUp(sequence, attempt == second ? first : second, false);
        }
        lifecycle.judge(sequence, attempt);
        if (attempt.handoff != null) {
            handoffs.firstToken(attempt.handoff, nowNanos);
        }
    }

    private void tierReport(Event.TierReport report) {
        Replica replica = replicas.get(report.replica());
        if (replica != null) {
            arrivals.tierReport(replica, report, nowNanos);
        }
    }

    // ---- progress ----

    private void tick() {
        waiting.wake(nowNanos);
        lifecycle.expire();
        lifecycle.failUnserved();
        for (Replica replica : all) {
            hedging.hedge(replica, nowNanos);
            arrivals.giveUpLate(replica, nowNanos);
            if (replica.isReleasing()) {
                replica.mark(); // a quarantine may be over
            }
        }
        disconnectStuckTiers();
    }

    private void disconnectStuckTiers() {
        for (Replica replica : all) {
            if (TierDesk.isStuck(replica, nowNanos)) {
                commands.disconnects()
                        .add(
                                new Commands.Disconnect(
                                        replica.id(),
                                        "its tier has not answered for %d ms"
                                                .formatted(TierDesk.SILENT_MILLIS_MAX)));
                lose(replica.id());
            }
        }
    }

    /// Does what has become possible, until nothing more is: free, place, plan.
    private void advance() {
        boolean moved = true;
        while (moved) {
            moved = false;
            for (int at = work.next(0); at >= 0; at = work.next(at + 1)) {
                if (all[at].preempted > 0) {
                    moved |= settlePreempted(all[at]);
                }
                releaseBlocks(all[at]);
                tiers.storeOldest(all[at], nowNanos);
            }
            if (isPlacingDue) {
                isPlacingDue = false;
                placeWaiting();
            }
            for (int at = work.next(0); at >= 0; at = work.next(at + 1)) {
                work.remove(at);
                while (planner.plan(all[at])) {
                    moved = true;
                    isPlacingDue = true;
                }
            }
        }
    }

    private boolean settlePreempted(Replica replica) {
        return settlePreempted(replica.residents(Residence.Stage.DECODE))
                | settlePreempted(replica.residents(Residence.Stage.PREFILL));
    }

    private boolean settlePreempted(List<Residence> residents) {
        boolean any = false;
        for (int i = residents.size() - 1; i >= 0; i--) {
            Residence residence = residents.get(i);
            Sequence sequence = residence.sequence;
            if (sequence != null && residence.preempted && residence.isIdle()) {
                lifecycle.requeue(sequence);
                isPlacingDue = true;
                any = true;
            }
        }
        return any;
    }

    private void releaseBlocks(Replica replica) {
        List<Residence> leaving = replica.leaving;
        for (int i = leaving.size() - 1; i >= 0; i--) {
            if (leaving.get(i).isReleasable(nowNanos)) {
                replica.pool().release(leaving.get(i).table());
                if (replica.tier != null) {
                    replica.tier.isLookDue = true;
                }
                leaving.remove(i);
                replica.mark();
                isPlacingDue = true;
            }
        }
    }

    private void placeWaiting() {
        lifecycle.failLate();
        if (!waiting.isEmpty() && placement.isOpen()) {
            waiting.visit(visitor, options.placement().looksMax(), nowNanos);
        }
    }

    private Decision place(Sequence sequence) {
        if (!placement.isOpen()) {
            return Decision.STOP;
        }
        Decision decision = placement.place(sequence, nowNanos);
        if (decision == Decision.TAKE) {
            waiting.taking(sequence);
            sequence.unservedSinceNanos = 0;
            hedging.placed(sequence);
        }
        return decision;
    }
}
