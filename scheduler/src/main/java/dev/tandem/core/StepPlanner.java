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
        StepPlan plan = replica.nextPlan();
        if (options.preemptEverySteps() > 0
                && plan.number() % options.preemptEverySteps() == 0
                && replica.forcedPreemptionPlan != plan.number()) {
            replica.forcedPreemptionPlan = plan.number();
            preemptNewest(replica, null, 1);
        }
        addDecodes(replica, plan);
        addChunks(replica, plan);
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
        ResidenceList decodes = replica.decodes;
        int most = replica.stepTokensMax();
        int left = most;
        long context = 0;
        long number = plan.number();
        // Indexed, from the oldest: preemption marks residents but removes none.
        for (int i = 0; i < decodes.size() && left > 0; i++) {
            Residence residence = decodes.get(i);
            Sequence sequence = Objects.requireNonNull(residence.sequence);
            if (residence.preempted
                    || sequence.known() + residence.samplesInFlight >= sequence.tokensMax()) {
                continue;
            }
            int from = residence.planned;
            if (from >= residence.roomTokens && !grow(replica, residence, 1, plan)) {
                continue;
            }
            if (!residence.started) {
                start(residence, sequence, plan);
            }
            plan.addRow(residence, from, 1, true);
            context += from + 1;
            residence.planned = from + 1;
            residence.samplesInFlight++;
            residence.lastPlan = number;
            waiting.charge(sequence, 0, 1);
            left--;
        }
        if (left < most) {
            plan.make().addDecodes(most - left, context);
        }
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
            if (residence.planned + count > residence.roomTokens
                    && !grow(replica, residence, count, plan)) {
                continue;
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
            start(residence, sequence, plan);
        }
        boolean samples = residence.reachesEnd(count);
        plan.addRow(residence, residence.planned, count, samples);
        plan.make().addChunk(residence.planned, count);
        residence.planned += count;
        residence.lastPlan = plan.number();
        int unpaid = Math.max(0, residence.planned - sequence.chargedTokens);
        waiting.charge(sequence, Math.min(unpaid, count), samples ? 1 : 0);
        sequence.chargedTokens = Math.max(sequence.chargedTokens, residence.planned);
        index(residence);
        if (samples) {
            residence.samplesInFlight++;
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

    private static void start(Residence residence, Sequence sequence, StepPlan plan) {
        residence.started = true;
        plan.starts()
                .add(
                        new StepPlan.Start(
                                residence,
                                sequence,
                                residence.planned,
                                residence.table().copyFrom(0)));
    }

    /// Makes room for `count` more tokens; when the pool is full, the newest sequence has to leave, since it loses
    /// the least work.
    private boolean grow(Replica replica, Residence residence, int count, StepPlan plan) {
        BlockTable table = residence.table();
        int had = table.size();
        if (!replica.pool().grow(table, residence.planned + count)) {
            if (!replica.isReleasing() && replica.preempted == 0) {
                preemptNewest(replica, residence, 0);
            }
            return false;
        }
        residence.roomTokens = table.size() * replica.facts().blockTokens();
        if (residence.started && table.size() > had) {
            plan.append(residence.sequenceId(), table, had);
        }
        return true;
    }

    /// Marks the newest sequence that can leave: not one whose KV is on its way in or out. Its blocks are computed again
    /// where its next placement finds it cheapest: here, or on a prefill replica that hands it over anew.
    ///
    /// @param needy who needs room, null if nobody does
    /// @param sampledMin a sequence that has sampled less during its stay is spared; a forced preemption says 1, or
    ///     long prompts would never get done
    private void preemptNewest(Replica replica, @Nullable Residence needy, int sampledMin) {
        Residence newest = null;
        newest = newest(replica.decodes, newest, sampledMin);
        newest = newest(replica.prefills, newest, sampledMin);
        if (newest != null && (needy == null || newest == needy || isNewer(newest, needy))) {
            newest.preempted = true;
            replica.preempted++;
            counters.preemptions++;
        }
    }

    private static @Nullable Residence newest(
            ResidenceList list, @Nullable Residence newest, int sampledMin) {
        Residence found = newest;
        for (int i = 0; i < list.size(); i++) {
            Residence residence = list.get(i);
            if (!residence.prefillOnly
                    && !residence.preempted
                    && residence.sampled >= sampledMin
                    && (found == null || isNewer(residence, found))) {
                found = residence;
            }
        }
        return found;
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

    private void sendComputed(Handoff handoff, StepPlan plan) {
        Residence from = handoff.from;
        int blockTokens = from.replica().facts().blockTokens();
        boolean last = from.stage == Residence.Stage.HANDING_OVER;
        int complete = last ? handoff.to.table().size() : from.planned / blockTokens;
        if (last) {
            handoff.advance(Handoff.State.STAGED);
        }
        if (complete <= handoff.sentBlocks) {
            return; // the last chunk always completes a block, unless the receiver has them all
        }
        if (!handoff.granted) {
            grant(handoff);
        }
        handoff.advance(Handoff.State.PREFILLING);
        int count = complete - handoff.sentBlocks;
        int[] slots = new int[count];
        Arrays.setAll(slots, i -> handoff.sentBlocks - handoff.presentBlocks + i);
        int[] blocks = Arrays.copyOf(from.table().copyFrom(handoff.sentBlocks), count);
        plan.sends()
                .add(new StepPlan.Send(handoff.lease, handoff.to.replica(), blocks, slots, last));
        handoff.sentBlocks = complete;
    }

    private void grant(Handoff handoff) {
        handoff.granted = true;
        handoff.to.leaseOpen = true;
        handoff.to.writerOpen = true;
        handoff.from.sendOpen = true;
        commands.grants()
                .add(
                        new Commands.Grant(
                                handoff.to.replica(),
                                handoff.lease,
                                handoff.to.table().copyFrom(handoff.presentBlocks),
                                handoff.from.replica().facts().incarnation(),
                                options.leaseMillis()));
    }
}
