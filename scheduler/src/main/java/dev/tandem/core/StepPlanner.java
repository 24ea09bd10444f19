package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// Decides what one replica computes next. A sequence has no phase, only tokens not yet computed: the budget chunks
/// long prompts, and a decode is the case of one pending token. Stall-free order: running decodes first, then
/// prefills, oldest first. Not thread-safe; owned by the core.
final class StepPlanner {
    private final CoreOptions options;
    private final CoreCounters counters;
    private final List<Residence> rowsAdded = new ArrayList<>();

    StepPlanner(CoreOptions options, CoreCounters counters) {
        this.options = options;
        this.counters = counters;
    }

    /// Fills the replica's next plan and counts it as sent.
    ///
    /// @return false when there is nothing to do or enough in flight; then nothing has changed but possibly a
    ///     sequence marked as preempted
    boolean plan(Replica replica, Commands commands) {
        if (!replica.canPlan()) {
            return false;
        }
        StepPlan plan = replica.nextPlan();
        plan.ends().addAll(replica.pendingEnds);
        if (options.preemptEverySteps() > 0
                && plan.number() % options.preemptEverySteps() == 0
                && replica.forcedPreemptionPlan != plan.number()) {
            replica.forcedPreemptionPlan = plan.number();
            preemptNewest(replica, null, 1);
        }
        int budget = Math.min(options.stepTokensMax(), replica.facts().stepTokensMax());
        rowsAdded.clear();
        budget = addRows(replica, plan, budget, true);
        addRows(replica, plan, budget, false);
        if (plan.isEmpty()) {
            return false;
        }
        replica.pendingEnds.clear();
        for (Residence residence : rowsAdded) {
            afterRow(residence, plan, commands);
        }
        replica.sent();
        counters.plans++;
        commands.plans().add(plan);
        return true;
    }

    private int addRows(Replica replica, StepPlan plan, int budget, boolean decodes) {
        // Indexed, from the oldest: preemption marks residents but removes none.
        for (int i = 0; i < replica.residents.size() && budget > 0; i++) {
            Residence residence = replica.residents.get(i);
            int pending = residence.pending();
            if (pending == 0 || (pending == 1) != decodes) {
                continue;
            }
            int count = Math.min(pending, budget);
            if (grow(replica, residence, count, plan)) {
                addRow(residence, count, plan);
                budget -= count;
            }
        }
        return budget;
    }

    /// Makes room for `count` more tokens; when the pool is full, the newest sequence has to leave, since it loses
    /// the least work.
    private boolean grow(Replica replica, Residence residence, int count, StepPlan plan) {
        int had = residence.table().size();
        if (!replica.pool().grow(residence.table(), residence.planned + count)) {
            if (!replica.isReleasing() && !hasPreempted(replica)) {
                preemptNewest(replica, residence, 0);
            }
            return false;
        }
        if (residence.started && residence.table().size() > had) {
            plan.append(residence.sequenceId(), residence.table(), had);
        }
        return true;
    }

    private static boolean hasPreempted(Replica replica) {
        for (Residence residence : replica.residents) {
            if (residence.preempted) {
                return true;
            }
        }
        return false;
    }

    /// Marks the newest sequence that can leave: not one whose KV is on its way in or out.
    ///
    /// @param needy who needs room, null if nobody does
    /// @param sampledMin a sequence that has sampled less during its stay is spared; a forced preemption says 1, or
    ///     long prompts would never get done
    private void preemptNewest(Replica replica, @Nullable Residence needy, int sampledMin) {
        for (int i = replica.residents.size() - 1; i >= 0; i--) {
            Residence residence = replica.residents.get(i);
            Sequence sequence = residence.sequence;
            boolean running =
                    residence.ready && !residence.prefillOnly && residence.sampled >= sampledMin;
            if (sequence != null && sequence.handoff == null && running && !residence.preempted) {
                residence.preempted = true;
                counters.preemptions++;
                return;
            }
            if (residence == needy) {
                return; // everybody newer stays: nothing to win
            }
        }
    }

    private void addRow(Residence residence, int count, StepPlan plan) {
        Sequence sequence = Objects.requireNonNull(residence.sequence);
        if (!residence.started) {
            residence.started = true;
            plan.starts()
                    .add(
                            new StepPlan.Start(
                                    residence,
                                    sequence,
                                    residence.planned,
                                    residence.table().copyFrom(0)));
        }
        boolean samples = residence.reachesEnd(count);
        plan.addRow(residence, residence.planned, count, samples);
        residence.planned += count;
        residence.lastPlan = plan.number();
        if (samples) {
            residence.samplesInFlight++;
            residence.prefillPlanned = residence.prefillOnly;
        }
        counters.computedTokens += count;
        rowsAdded.add(residence);
    }

    /// Once all rows stand: blocks filled by this plan can be found by later ones, and go out if they are awaited.
    private void afterRow(Residence residence, StepPlan plan, Commands commands) {
        index(residence);
        Sequence sequence = residence.sequence;
        Handoff handoff = sequence == null ? null : sequence.handoff;
        if (handoff != null && handoff.from == residence) {
            sendComputed(handoff, plan, commands);
        }
    }

    /// Makes full blocks findable whose tokens are known and whose KV is written by plans already sent; the worker
    /// executes plans in order, so a later plan reads them complete.
    void index(Residence residence) {
        Sequence sequence = residence.sequence;
        if (!options.prefixCache() || sequence == null || !residence.ready) {
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

    private void sendComputed(Handoff handoff, StepPlan plan, Commands commands) {
        Residence from = handoff.from;
        int blockTokens = from.replica().facts().blockTokens();
        boolean last = from.prefillPlanned;
        int complete = last ? handoff.to.table().size() : from.planned / blockTokens;
        if (complete <= handoff.sentBlocks) {
            return; // the last chunk always completes a block, unless the receiver has them all
        }
        if (!handoff.granted) {
            handoff.granted = true;
            handoff.to.leaseOpen = true;
            commands.grants()
                    .add(
                            new Commands.Grant(
                                    handoff.to.replica(),
                                    handoff.lease,
                                    handoff.to.table().copyFrom(handoff.presentBlocks),
                                    from.replica().facts().incarnation(),
                                    options.leaseMillis()));
        }
        from.sendOpen = true;
        handoff.to.writerOpen = true;
        int count = complete - handoff.sentBlocks;
        int[] slots = new int[count];
        Arrays.setAll(slots, i -> handoff.sentBlocks - handoff.presentBlocks + i);
        int[] blocks = Arrays.copyOf(from.table().copyFrom(handoff.sentBlocks), count);
        plan.sends()
                .add(new StepPlan.Send(handoff.lease, handoff.to.replica(), blocks, slots, last));
        handoff.sentBlocks = complete;
    }
}
