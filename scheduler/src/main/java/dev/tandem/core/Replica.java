package dev.tandem.core;

import org.agrona.collections.LongArrayList;

import java.util.ArrayList;
import java.util.List;

/// One joined worker as the core sees it: its pool, who lives there, and the plans in flight. Owned by the core.
public final class Replica {
    private final int id;
    private final ReplicaFacts facts;
    private final BlockPool pool;

    /// Oldest first: also those whose KV is still on its way here.
    final List<Residence> residents = new ArrayList<>();

    /// Sequences that have left and still hold blocks.
    final List<Residence> leaving = new ArrayList<>();

    /// Sequences to forget, told to the worker with the next plan.
    final LongArrayList pendingEnds = new LongArrayList();

    /// Number of the last plan that a forced preemption was made for.
    long forcedPreemptionPlan;

    private final StepPlan[] plans;
    private long plansSent;
    private long plansDone;

    Replica(int id, ReplicaFacts facts, int runAheadPlans) {
        this.id = id;
        this.facts = facts;
        this.pool = new BlockPool(facts.blocks(), facts.blockTokens());
        this.plans = new StepPlan[runAheadPlans];
        for (int i = 0; i < runAheadPlans; i++) {
            plans[i] = new StepPlan(this);
        }
    }

    public int id() {
        return id;
    }

    public ReplicaFacts facts() {
        return facts;
    }

    public BlockPool pool() {
        return pool;
    }

    /// Number of the last plan whose result is back.
    long plansDone() {
        return plansDone;
    }

    int plansInFlight() {
        return (int) (plansSent - plansDone);
    }

    boolean canPlan() {
        return plansInFlight() < plans.length;
    }

    /// The cleared buffer of the next plan; it counts as sent only by [#sent].
    StepPlan nextPlan() {
        StepPlan plan = plans[(int) (plansSent % plans.length)];
        plan.reset(plansSent + 1);
        return plan;
    }

    void sent() {
        plansSent++;
    }

    /// The plan whose result must come next.
    StepPlan oldestInFlight() {
        return plans[(int) (plansDone % plans.length)];
    }

    void done() {
        plansDone++;
    }

    /// Blocks that are about to become free.
    boolean isReleasing() {
        return !leaving.isEmpty();
    }

    /// Prompt tokens that residents have not computed yet: what a new prompt would queue behind.
    int pendingPrefillTokens() {
        int tokens = 0;
        for (Residence residence : residents) {
            int pending = residence.pending();
            tokens += pending > 1 ? pending : 0;
        }
        return tokens;
    }
}
