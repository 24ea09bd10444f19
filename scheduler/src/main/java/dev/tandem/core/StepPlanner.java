package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Objects;

/// Decides what one replica computes next. A sequence has no phase, only tokens not yet computed: the budget chunks
/// long prompts, and a decode is the case of one pending token. Stall-free order: running decodes first, then
/// prefills by rank. Not thread-safe; owned by the core.
final class StepPlanner {
    private final CoreOptions options;
    private final CoreCounters counters;
    private final Commands commands;
    private final WaitingQueue waiting;

    /// Of no meaning, see [RunningBatch#touchGrowing].
    private int touched;

    StepPlanner(
            CoreOptions options, CoreCounters counters, Commands commands, WaitingQueue waiting) {
        this.options = options;
        this.counters = counters;
        this.commands = commands;
        this.waiting = waiting;
    }

    /// Fills the replica's next plan and counts it as sent.
    ///
    /// @return false when there is nothing to do or enough in flight; then nothing has changed but possibly a
    ///     sequence marked as preempted
    boolean plan(Replica replica) {
        if (!replica.canPlan()) {
            return false;
        }
        replica.closeHoles();
        StepPlan plan = replica.nextPlan();
        if (options.preemptEverySteps() > 0
                && plan.number() % options.preemptEverySteps() == 0
                && replica.forcedPreemptionPlan != plan.number()) {
            replica.forcedPreemptionPlan = plan.number();
            preemptNewest(replica, null, true);
        }
        addDecodes(replica, plan);
        addChunks(replica, plan);
        addLoans(replica, plan);
        boolean hasEnds = !replica.pendingEnds.isEmpty();
        if (plan.isEmpty() && !hasEnds) {
            return false;
        }
        if (hasEnds) {
            plan.ends().addAll(replica.pendingEnds);
            replica.pendingEnds.clear();
        }
        replica.sent(plan);
        counters.plans++;
        counters.computedTokens += plan.tokens();
        commands.plans().add(plan);
        return true;
    }

    private void addDecodes(Replica replica, StepPlan plan) {
        RunningBatch running = replica.running;
        touched += running.touchGrowing();
        int most = replica.stepTokensMax();
        int slot = 0;
        while (slot < running.slots() && plan.decodes() < most) {
            slot = running.plan(plan, slot, most - plan.decodes(), waiting.fair());
            if (slot < running.slots()
                    && plan.decodes() < most
                    && !(running.needsRoom(slot)
                            ? growRunning(replica, slot, plan)
                            : startRunning(replica, slot, plan))) {
                slot++;
            }
        }
    }

    private boolean growRunning(Replica replica, int slot, StepPlan plan) {
        RunningBatch running = replica.running;
        BlockTable table = running.table(slot);
        int had = table.size();
        if (!replica.pool().grow(table, running.planned(slot) + 1)) {
            makeRoom(replica, Objects.requireNonNull(running.residence(slot)));
            return false;
        }
        plan.append(running.id(slot), table, had);
        running.start(slot, table.size() * replica.facts().blockTokens());
        return true;
    }

    /// Lets a sequence run that is new here, unless it is marked to leave, or is a hole.
    ///
    /// @return whether its first row may be planned
    private boolean startRunning(Replica replica, int slot, StepPlan plan) {
        RunningBatch running = replica.running;
        Residence residence = running.residence(slot);
        if (residence == null || residence.preempted || running.isPlannedToItsEnd(slot)) {
            return false;
        }
        int from = running.planned(slot);
        if (!residence.started) {
            start(residence, Objects.requireNonNull(residence.sequence), from, plan);
        }
        running.start(slot, residence.table().size() * replica.facts().blockTokens());
        return true;
    }

    private void addChunks(Replica replica, StepPlan plan) {
        ResidenceList prefills = replica.prefills;
        for (int i = 0; i < prefills.size(); i++) {
            Residence residence = prefills.get(i);
            int pending = residence.pending();
            if (pending == 0) {
                continue;
            }
            int count = replica.budget().chunk(plan.make(), residence.planned, pending);
            if (count <= 0) {
                return;
            }
            addChunk(replica, residence, count, plan);
            if (residence.stage != Residence.Stage.PREFILL) {
                i--; // has left this list
            }
        }
    }

    private void addChunk(Replica replica, Residence residence, int count, StepPlan plan) {
        Sequence sequence = Objects.requireNonNull(residence.sequence);
        if (!residence.started) {
            start(residence, sequence, residence.planned, plan);
        }
        boolean samples = residence.reachesEnd(count);
        plan.addChunk(residence, residence.planned, count, samples);
        plan.make().addChunk(residence.planned, count);
        residence.planned += count;
        residence.lastPlan = plan.number();
        int unpaid = Math.max(0, residence.planned - sequence.chargedTokens);
        waiting.charge(sequence, Math.min(unpaid, count), samples ? 1 : 0);
        sequence.chargedTokens = Math.max(sequence.chargedTokens, residence.planned);
        index(residence);
        if (samples) {
            replica.move(
                    residence,
                    residence.prefillOnly ? Residence.Stage.HANDING_OVER : Residence.Stage.DECODE);
        }
        Handoff handoff = handoffFrom(sequence, residence);
        if (handoff != null) {
            sendComputed(handoff, plan);
        }
    }

    private static @Nullable Handoff handoffFrom(Sequence sequence, Residence residence) {
        Attempt attempt = sequence.attemptOf(residence);
        return attempt == null ? null : attempt.handoff;
    }

    private static void start(Residence residence, Sequence sequence, int computed, StepPlan plan) {
        residence.started = true;
        plan.starts()
                .add(
                        new StepPlan.Start(
                                residence, sequence, computed, residence.table().copyFrom(0)));
    }

    /// The pool is full: the newest sequence has to leave, since it loses the least work.
    private void makeRoom(Replica replica, Residence needy) {
        if (!replica.isReleasing() && replica.preempted == 0) {
            preemptNewest(replica, needy, false);
        }
    }

    /// Marks the newest sequence that can leave: not one whose KV is on its way in or out. Its blocks are computed again
    /// where its next placement finds it cheapest: here, or on a prefill replica that hands it over anew.
    ///
    /// @param needy who needs room, null if nobody does
    /// @param sampledOnly a sequence that has sampled nothing during its stay is spared: a forced preemption says so,
    ///     or long prompts would never get done
    private void preemptNewest(Replica replica, @Nullable Residence needy, boolean sampledOnly) {
        Residence newest = null;
        for (int slot = 0; slot < replica.running.slots(); slot++) {
            newest = newer(replica.running.residence(slot), newest, sampledOnly);
        }
        for (int i = 0; i < replica.prefills.size(); i++) {
            newest = newer(replica.prefills.get(i), newest, sampledOnly);
        }
        if (newest != null && (needy == null || newest == needy || isNewer(newest, needy))) {
            replica.preempt(newest);
            counters.preemptions++;
        }
    }

    private static @Nullable Residence newer(
            @Nullable Residence residence, @Nullable Residence found, boolean sampledOnly) {
        if (residence == null
                || residence.prefillOnly
                || residence.preempted
                || (sampledOnly && !residence.hasSampled)) {
            return found;
        }
        return found == null || isNewer(residence, found) ? residence : found;
    }

    private static boolean isNewer(Residence a, Residence b) {
        return a.sequenceId() > b.sequenceId();
    }

    /// Makes full blocks findable whose tokens are known and whose KV is written by plans already sent; the worker
    /// executes plans in order, so a later plan reads them complete.
    void index(Residence residence) {
        Sequence sequence = residence.sequence;
        if (!options.prefixCache()
                || sequence == null
                || residence.stage == Residence.Stage.ARRIVING) {
            return;
        }
        int blockTokens = residence.replica().facts().blockTokens();
        int full = Math.min(residence.planned, sequence.known()) / blockTokens;
        if (residence.indexedBlocks >= full) {
            return;
        }
        long[] hashes = sequence.hashes(blockTokens);
        for (int i = residence.indexedBlocks; i < full; i++) {
            residence.replica().pool().index(residence.table().get(i), hashes, i);
        }
        residence.indexedBlocks = full;
    }

    /// Sends cached prefixes to those who wait for them.
    private void addLoans(Replica replica, StepPlan plan) {
        for (int i = 0; i < replica.pendingSends.size(); i++) {
            Handoff fetch = replica.pendingSends.get(i);
            if (fetch.state() != Handoff.State.RELEASED) {
                grant(fetch, options.placement().fetchMillisMax());
                fetch.advance(Handoff.State.MOVING);
                send(fetch, fetch.endBlock(), true, plan);
            }
        }
        replica.pendingSends.clear();
    }

    private void sendComputed(Handoff handoff, StepPlan plan) {
        Residence from = handoff.from;
        int blockTokens = from.replica().facts().blockTokens();
        boolean last = from.stage == Residence.Stage.HANDING_OVER;
        int complete = last ? handoff.endBlock() : from.planned / blockTokens;
        if (last) {
            handoff.advance(Handoff.State.STAGED);
        }
        if (complete <= handoff.sentBlocks) {
            return; // the last chunk always completes a block, unless the receiver has them all
        }
        if (!handoff.granted) {
            grant(handoff, options.leaseMillis());
        }
        handoff.advance(Handoff.State.PREFILLING);
        send(handoff, complete, last, plan);
    }

    private static void send(Handoff handoff, int complete, boolean last, StepPlan plan) {
        int count = complete - handoff.sentBlocks;
        int[] slots = new int[count];
        Arrays.setAll(slots, i -> handoff.sentBlocks - handoff.presentBlocks + i);
        int[] blocks = Arrays.copyOf(handoff.from.table().copyFrom(handoff.sentBlocks), count);
        plan.sends()
                .add(new StepPlan.Send(handoff.lease, handoff.to.replica(), blocks, slots, last));
        handoff.sentBlocks = complete;
    }

    private void grant(Handoff handoff, int millis) {
        handoff.granted = true;
        handoff.to.leaseOpen = true;
        handoff.to.writerOpen = true;
        handoff.from.sendOpen = true;
        commands.grants()
                .add(
                        new Commands.Grant(
                                handoff.to.replica(),
                                handoff.lease,
                                handoff.leasedBlocks(),
                                handoff.from.replica().facts().incarnation(),
                                millis));
    }
}
