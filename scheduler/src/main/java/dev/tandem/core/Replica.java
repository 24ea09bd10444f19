package dev.tandem.core;

import dev.tandem.batching.ConcurrencyCap;
import dev.tandem.batching.StepBudget;
import dev.tandem.batching.StepEstimator;
import dev.tandem.batching.StepMake;
import dev.tandem.routing.Health;
import dev.tandem.routing.ReplicaView;

import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// One joined worker as the core sees it: its pool, who lives there, the plans in flight, and what was learned of its
/// speed. Owned by the core; policies read it as a [ReplicaView].
public final class Replica implements ReplicaView {
    private static final double SLOWNESS_WEIGHT = 0.125;

    private final int id;
    private final ReplicaFacts facts;
    private final BlockPool pool;
    private final int sequencesMax;
    private final int stepTokensMax;
    private final StepEstimator estimator;
    private final StepEstimator peers;
    private final StepBudget budget;
    private final ConcurrencyCap cap;
    private final Health health;

    /// Prompts to compute here, smallest rank first.
    final ResidenceList prefills = new ResidenceList();

    /// Prompts computed here whose KV is on its way to another replica.
    final ResidenceList handingOver = new ResidenceList();

    /// Sequences whose KV is on its way here.
    final ResidenceList arriving = new ResidenceList();

    /// Cached blocks on their way to other replicas.
    final ResidenceList lending = new ResidenceList();

    /// Fetches whose sends go out with the next plan.
    final List<Handoff> pendingSends = new ArrayList<>();

    /// Running sequences, oldest stay first.
    final RunningBatch running;

    /// Sequences that have left and still hold blocks.
    final List<Residence> leaving = new ArrayList<>();

    /// Sequences to forget, told to the worker with the next plan.
    final LongArrayList pendingEnds = new LongArrayList();

    /// Where its evicted blocks go, null if they are lost.
    final @Nullable Tier tier;

    /// Blocks held by arriving sequences: the receiver's credits in use.
    int stagedBlocks;

    /// Blocks held by those that lend them.
    int lentBlocks;

    /// Prompt tokens to compute here once a fetched prefix has come.
    private int awaitingTokens;

    /// Preempted sequences that have not left yet.
    int preempted;

    /// Number of the last plan that a forced preemption was made for.
    long forcedPreemptionPlan;

    private final Worklist work;

    /// Its place in the core's list.
    int place;

    double speed = 1;
    private boolean lost;

    // What the placement under way has found out, see Placement.
    long lookedUpFor;
    int lookedUpTokens;

    private final StepPlan[] plans;
    private final StepMake idleMake = new StepMake();
    private long plansSent;
    private long plansDone;

    // Places in `plans`, a ring.
    private int nextSent;
    private int nextDone;

    private long decodeContext;
    private double slowness = 1;

    /// @param work where it asks to be looked at
    /// @param peers learns from all replicas of the same device
    Replica(
            int id,
            ReplicaFacts facts,
            CoreOptions options,
            Worklist work,
            StepEstimator peers,
            Health health) {
        this.id = id;
        this.work = work;
        this.facts = facts;
        this.pool = new BlockPool(facts.blocks(), facts.blockTokens());
        this.tier = facts.tierBlocks() > 0 ? new Tier(facts.tierBlocks()) : null;
        this.running = new RunningBatch((long) facts.blocks() * facts.blockTokens());
        this.sequencesMax = Math.min(options.sequencesMax(), facts.sequencesMax());
        this.stepTokensMax = Math.min(options.stepTokensMax(), facts.stepTokensMax());
        this.estimator = new StepEstimator(facts.device());
        this.peers = peers;
        this.budget = options.batching().stepBudget(estimator, stepTokensMax, options.stepMillis());
        this.cap = options.batching().concurrencyCap(sequencesMax, options.tpotMillis());
        this.health = health;
        this.plans = new StepPlan[options.runAheadPlans()];
        for (int i = 0; i < plans.length; i++) {
            plans[i] = new StepPlan(this);
        }
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public String name() {
        return facts.name();
    }

    public ReplicaFacts facts() {
        return facts;
    }

    public BlockPool pool() {
        return pool;
    }

    /// Something has changed that may allow another plan, or free blocks.
    void mark() {
        if (!lost) {
            work.add(place);
        }
    }

    /// Its worker is gone, and all blocks with it.
    boolean isLost() {
        return lost;
    }

    void lose() {
        lost = true;
    }

    int stepTokensMax() {
        return stepTokensMax;
    }

    StepBudget budget() {
        return budget;
    }

    @Override
    public Health health() {
        return health;
    }

    @Override
    public double speed() {
        return speed;
    }

    @Override
    public int sequences() {
        return prefills.size() + handingOver.size() + arriving.size() + running.size();
    }

    /// The static maximum or the adaptive cap, whichever is smaller.
    @Override
    public int sequencesMax() {
        return Math.min(sequencesMax, cap.sequences());
    }

    @Override
    public long inFlightTokens() {
        return (long) pendingPrefillTokens() + running.size() + arriving.size();
    }

    @Override
    public double kvPressure() {
        return (double) pool.used() / pool.blocks();
    }

    @Override
    public double queueSeconds() {
        int pending = pendingPrefillTokens();
        return pending == 0 ? 0 : prefillSeconds(0, pending);
    }

    /// Predicted seconds to compute `count` prompt tokens after `before` others, beside the sequences that run here.
    double prefillSeconds(int before, int count) {
        idleMake.clear();
        if (running.isEmpty()) {
            idleMake.addChunk(before, count);
            return idleMake.nanos(estimator) * 1e-9;
        }
        idleMake.addDecodes(running.size(), decodeContext);
        int middle = before + count / 2;
        int chunk = Math.max(1, budget.chunk(idleMake, middle, count));
        idleMake.addChunk(middle, chunk);
        return idleMake.nanos(estimator) * 1e-9 * count / chunk;
    }

    /// Predicted seconds of a step with the sequences that run here now.
    double decodeSeconds() {
        idleMake.clear();
        idleMake.addDecodes(Math.max(1, running.size()), decodeContext);
        return idleMake.nanos(estimator) * 1e-9;
    }

    /// How much slower than its peers' steps of the same make its steps are, of late; 1 = as fast.
    double slowness() {
        return slowness;
    }

    /// Number of the last plan whose result is back.
    long plansDone() {
        return plansDone;
    }

    int plansInFlight() {
        return (int) (plansSent - plansDone);
    }

    boolean canPlan() {
        return plansSent - plansDone < plans.length;
    }

    /// Closes the holes that ended sequences have left, once there are many.
    void closeHoles() {
        if (running.isSparse()) {
            int[] moved = running.compact();
            for (StepPlan plan : plans) {
                plan.slotsMoved(moved);
            }
        }
    }

    /// Marks a resident: it gets no more rows and leaves when its plans are back.
    void preempt(Residence residence) {
        residence.preempted = true;
        preempted++;
        mark();
        if (residence.slot != Residence.NO_SLOT) {
            running.stop(residence.slot);
        }
    }

    /// The cleared buffer of the next plan; it counts as sent only by [#sent].
    StepPlan nextPlan() {
        StepPlan plan = plans[nextSent];
        plan.reset(plansSent + 1);
        return plan;
    }

    void sent(StepPlan plan) {
        plansSent++;
        nextSent = nextSent + 1 == plans.length ? 0 : nextSent + 1;
        if (plan.make().decodeRows() > 0 && plan.make().promptTokens() == 0) {
            decodeContext = plan.make().context();
        }
    }

    /// The plan whose result must come next.
    StepPlan oldestInFlight() {
        return plans[nextDone];
    }

    /// Takes in that the oldest plan in flight is done.
    ///
    /// @param nanos what it took, 0 = not measured
    void done(StepPlan plan, long nanos) {
        plansDone++;
        nextDone = nextDone + 1 == plans.length ? 0 : nextDone + 1;
        StepMake make = plan.make();
        if (nanos <= 0 || make.tokens() == 0) {
            return;
        }
        double expected = make.nanos(peers);
        slowness += SLOWNESS_WEIGHT * (Math.clamp(nanos / expected, 0.01, 100) - slowness);
        learn(estimator, make, nanos);
        learn(peers, make, nanos);
        if (make.decodeRows() > 0) {
            cap.observe(make.decodeRows(), nanos);
        }
    }

    private static void learn(StepEstimator estimator, StepMake make, long nanos) {
        estimator.observe(
                make.promptTokens(), make.promptPairs(), make.decodeRows(), make.context(), nanos);
    }

    /// Blocks that are about to become free.
    boolean isReleasing() {
        return !leaving.isEmpty();
    }

    /// Prompt tokens that residents have not computed yet: what a new prompt would queue behind.
    int pendingPrefillTokens() {
        int tokens = awaitingTokens;
        for (int i = 0; i < prefills.size(); i++) {
            tokens += prefills.get(i).pending();
        }
        return tokens;
    }

    private static int tokensAfterFetch(Residence residence) {
        Sequence sequence = residence.sequence;
        return residence.awaitedTokens == 0 || sequence == null
                ? 0
                : sequence.known() - residence.awaitedTokens;
    }

    /// Those of a stage, in order; a copy.
    List<Residence> residents(Residence.Stage stage) {
        List<Residence> found = new ArrayList<>();
        switch (stage) {
            case DECODE -> running.addTo(found);
            case LEAVING -> found.addAll(leaving);
            case PREFILL, HANDING_OVER, ARRIVING, LENDING -> list(stage).addTo(found);
        }
        return found;
    }

    private ResidenceList list(Residence.Stage stage) {
        return switch (stage) {
            case PREFILL -> prefills;
            case HANDING_OVER -> handingOver;
            case ARRIVING -> arriving;
            case LENDING -> lending;
            case DECODE, LEAVING -> throw new IllegalArgumentException("no list of " + stage);
        };
    }

    void settle(Residence residence) {
        switch (residence.stage) {
            case PREFILL -> prefills.addByRank(residence);
            case DECODE -> running.add(residence);
            case ARRIVING -> {
                arriving.add(residence);
                stagedBlocks += residence.table().size();
                awaitingTokens += tokensAfterFetch(residence);
            }
            case LENDING -> {
                lending.add(residence);
                lentBlocks += residence.table().size();
            }
            case HANDING_OVER, LEAVING -> list(residence.stage).add(residence);
        }
        mark();
    }

    void move(Residence residence, Residence.Stage stage) {
        unlist(residence);
        residence.stage = stage;
        settle(residence);
    }

    void unlist(Residence residence) {
        switch (residence.stage) {
            case DECODE -> running.remove(residence, plansSent);
            case ARRIVING -> {
                arriving.remove(residence);
                stagedBlocks -= residence.table().size();
                awaitingTokens -= tokensAfterFetch(residence);
            }
            case LENDING -> {
                lending.remove(residence);
                lentBlocks -= residence.table().size();
            }
            case PREFILL, HANDING_OVER, LEAVING -> list(residence.stage).remove(residence);
        }
    }
}
