package dev.tandem.sim.engine;

import dev.tandem.core.ReplicaFacts;
import dev.tandem.core.StepPlan;
import dev.tandem.sim.cost.StepShape;

import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// One life of a worker, from its join to its loss: takes plans and executes them strictly in order, one at a time. A
/// plan that comes while another is executed waits here (run-ahead). Owned by the simulation.
final class SimulatedWorker {
    /// Even a step without rows takes a moment.
    private static final long STEP_NANOS_MIN = 1_000;

    final int replica;

    /// Where it lives: outlives it.
    final Machine machine;

    final ReplicaSpec spec;
    final ReplicaFacts facts;
    final double bytesPerBlock;

    /// What it holds, where that is checked.
    final @Nullable CheckedKv kv;

    /// Its process is gone: nothing is executed and nothing told any more.
    boolean dead;

    /// The core was told that it is lost.
    boolean lost;

    /// Until when the device is busy with the plans taken so far.
    long busyUntilNanos;

    /// When the last message to it, and the last one from it, arrive: both streams keep their order.
    long downUntilNanos;

    long upUntilNanos;

    /// What it gets to when it goes on, kind and argument in turns: all that came since it stood still, in order.
    final LongArrayList held = new LongArrayList();

    /// Until when its tier is busy.
    long tierBusyUntilNanos;

    /// It has told something wrong: the core may end the connection.
    boolean blamable;

    private PlanSlot[] slots = new PlanSlot[4];

    // Plans taken in, and those whose result is told. A slot is found by its number's low bits.
    private long taken;
    private long told;

    SimulatedWorker(int replica, Machine machine, long incarnation, @Nullable CheckedKv kv) {
        this.replica = replica;
        this.machine = machine;
        this.spec = machine.spec;
        this.facts = spec.facts(incarnation);
        this.bytesPerBlock = spec.device().kvBytesPerToken() * spec.blockTokens();
        this.kv = kv;
        Arrays.setAll(slots, i -> new PlanSlot());
    }

    /// Takes a plan in. It has no result yet, but what its result will be is known, unless it is checked.
    ///
    /// @param shape scratch
    PlanSlot take(StepPlan plan, StepShape shape) {
        if (plan.number() != taken + 1) {
            throw new BrokenPromiseException(
                    "plan %d for %s after plan %d".formatted(plan.number(), spec.name(), taken));
        }
        if (plan.tokens() > spec.stepTokensMax()) {
            throw new BrokenPromiseException(
                    "plan %d of %d tokens for %s, which takes %d in one step"
                            .formatted(
                                    plan.number(),
                                    plan.tokens(),
                                    spec.name(),
                                    spec.stepTokensMax()));
        }
        if (taken - told == slots.length) {
            grow();
        }
        PlanSlot slot = slots[(int) taken++ & slots.length - 1];
        slot.read(plan, shape);
        slot.durationNanos = Math.max(STEP_NANOS_MIN, spec.cost().nanos(shape));
        return slot;
    }

    private void grow() {
        PlanSlot[] more = new PlanSlot[slots.length * 2];
        Arrays.setAll(more, i -> new PlanSlot());
        for (long i = told; i < taken; i++) {
            more[(int) i & more.length - 1] = slots[(int) i & slots.length - 1];
        }
        slots = more;
    }

    /// A plan whose result is not told.
    PlanSlot slot(long number) {
        return slots[(int) (number - 1) & slots.length - 1];
    }

    /// The plan whose result is told next.
    PlanSlot nextTold() {
        return slots[(int) told++ & slots.length - 1];
    }

    int inFlight() {
        return (int) (taken - told);
    }
}
