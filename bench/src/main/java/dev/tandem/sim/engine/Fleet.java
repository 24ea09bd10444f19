package dev.tandem.sim.engine;

import dev.tandem.core.CoreOptions;
import dev.tandem.core.Event;
import dev.tandem.core.StepPlan;
import dev.tandem.sim.cost.StepShape;
import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.fault.FaultPlan;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The machines and the workers that live on them: joins, plans, results, losses. Owned by the simulation.
final class Fleet {
    private static final long NOTICED_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(50);

    final Machine[] machines;

    /// By replica id, from 1 on; the first entry stands for none.
    final List<SimulatedWorker> workers = new ArrayList<>();

    private final Agenda agenda;
    private final ControlLinks control;
    private final SplittableRandom random;
    private final CoreOptions options;
    private final Consumer<Event> core;
    private final StepShape shape = new StepShape();
    private final long controlNanos;
    private final long stepJitterNanos;

    /// Workers hold checked KV.
    private final boolean checked;

    /// When a plan will be done, and when its result is told, is not known beforehand.
    private final boolean disturbed;

    /// The core hears of workers that it has given up.
    private final boolean lateWords;

    long steps;
    long computedTokens;

    /// When a worker was last lost or back.
    long changedNanos;

    /// @param core takes events at the agenda's time
    Fleet(
            ClusterSpec cluster,
            CoreOptions options,
            Agenda agenda,
            ControlLinks control,
            SplittableRandom random,
            Consumer<Event> core,
            boolean checked,
            FaultPlan plan) {
        this.agenda = agenda;
        this.control = control;
        this.random = random;
        this.options = options;
        this.core = core;
        this.checked = checked;
        this.disturbed = checked || !plan.faults().isEmpty();
        this.lateWords = plan.has(FaultKind.LATE_WORDS);
        this.controlNanos = cluster.controlLatencyNanos();
        this.stepJitterNanos = plan.jitterNanosMax() * 3;
        this.machines = new Machine[cluster.replicas().size()];
        for (int node = 0; node < machines.length; node++) {
            machines[node] = new Machine(node, cluster.replicas().get(node));
        }
        workers.add(new SimulatedWorker(0, machines[0], 0, null));
    }

    SimulatedWorker worker(int replica) {
        return workers.get(replica);
    }

    // ---- lives ----

    void join(Machine machine) {
        @Nullable CheckedKv kv = null;
        if (checked) {
            int sequencesMax = Math.min(options.sequencesMax(), machine.spec.sequencesMax());
            kv = new CheckedKv(machine.spec, sequencesMax);
        }
        SimulatedWorker worker =
                new SimulatedWorker(workers.size(), machine, ++machine.incarnations, kv);
        workers.add(worker);
        machine.worker = worker;
        changedNanos = agenda.now();
        core.accept(new Event.ReplicaJoined(worker.replica, worker.facts));
    }

    /// The core gives a worker up.
    void lose(SimulatedWorker worker, String reason) {
        if (!worker.lost) {
            worker.lost = true;
            changedNanos = agenda.now();
            core.accept(new Event.ReplicaLost(worker.replica, reason));
        }
    }

    /// The core has ended the connection by itself.
    void disconnected(SimulatedWorker worker) {
        lose(worker, "disconnected");
        agenda.at(agenda.now() + soon(), Agenda.DIES, worker.replica, 0);
        agenda.at(
                agenda.now() + NOTICED_NANOS_MAX + soon(), Agenda.REJOINS, worker.machine.node, 0);
    }

    /// A short time, drawn.
    long soon() {
        return 1 + random.nextLong(NOTICED_NANOS_MAX);
    }

    /// The worker of a machine comes back, if it is not there.
    void rejoin(Machine machine) {
        SimulatedWorker worker = machine.worker;
        if (worker == null || !worker.dead && !worker.lost) {
            return;
        }
        long later = Math.max(machine.cutUntilNanos, machine.pausedUntilNanos);
        if (later > agenda.now() || !worker.dead) {
            long at = Math.max(later, agenda.now() + soon());
            agenda.at(at, Agenda.REJOINS, machine.node, 0);
            return;
        }
        lose(worker, "joined again with a new incarnation");
        join(machine);
    }

    // ---- plans ----

    void take(StepPlan plan) {
        SimulatedWorker worker = workers.get(plan.replica().id());
        if (worker.dead || worker.lost) {
            return;
        }
        checkLimits(worker, plan);
        PlanSlot slot = worker.take(plan, shape);
        steps++;
        computedTokens += plan.tokens();
        if (disturbed) {
            slot.copy = checked ? PlanCopy.of(plan) : null;
            takeDisturbed(worker, slot);
            return;
        }
        long start = Math.max(control.down(worker), worker.busyUntilNanos);
        long end = start + slot.durationNanos;
        worker.busyUntilNanos = end;
        if (slot.sends > 0) {
            agenda.at(end, Agenda.EXECUTED, worker.replica, slot.number);
        }
        agenda.at(end + controlNanos, Agenda.RESULT, worker.replica, 0);
    }

    private void checkLimits(SimulatedWorker worker, StepPlan plan) {
        int tokensMax = Math.min(options.stepTokensMax(), worker.spec.stepTokensMax());
        if (plan.tokens() > tokensMax) {
            throw new BrokenPromiseException(
                    "plan %d for %s has %d tokens, its budget is %d"
                            .formatted(
                                    plan.number(), worker.spec.name(), plan.tokens(), tokensMax));
        }
        if (worker.inFlight() >= options.runAheadPlans()) {
            throw new BrokenPromiseException(
                    "plan %d for %s runs ahead of more than %d plans"
                            .formatted(plan.number(), worker.spec.name(), options.runAheadPlans()));
        }
    }

    private void takeDisturbed(SimulatedWorker worker, PlanSlot slot) {
        long duration = slot.durationNanos;
        if (stepJitterNanos > 0) {
            duration += random.nextLong(stepJitterNanos);
        }
        Machine machine = worker.machine;
        if (agenda.now() < machine.slowUntilNanos) {
            duration = (long) (duration * machine.slowdown);
        }
        slot.durationNanos = duration;
        worker.busyUntilNanos = Math.max(control.down(worker), worker.busyUntilNanos) + duration;
        agenda.at(worker.busyUntilNanos, Agenda.EXECUTED, worker.replica, slot.number);
    }

    /// A plan is done.
    void executed(SimulatedWorker worker, long number, KvTransfers transfers) {
        if (worker.dead) {
            return;
        }
        PlanSlot slot = worker.slot(number);
        PlanCopy copy = slot.copy;
        if (copy != null && worker.kv != null) {
            worker.kv.execute(copy, slot);
        }
        if (disturbed) {
            agenda.at(control.up(worker), Agenda.RESULT, worker.replica, 0);
        }
        transfers.send(worker, slot);
    }

    /// A plan's result reaches the core.
    void result(SimulatedWorker worker) {
        PlanSlot slot = worker.nextTold();
        if (!isHeard(worker)) {
            return;
        }
        Machine machine = worker.machine;
        if (machine.corruptsResult && !worker.lost) {
            machine.corruptsResult = false;
            worker.blamable = true;
            core.accept(corrupted(slot, worker.replica));
            requireBlamed(worker, "a result that does not fit its plan");
            return;
        }
        core.accept(slot.result(worker.replica));
        if (machine.duplicatesResult && !worker.lost) {
            machine.duplicatesResult = false;
            worker.blamable = true;
            core.accept(slot.result(worker.replica));
            requireBlamed(worker, "a result that was told before");
        }
    }

    private static void requireBlamed(SimulatedWorker worker, String what) {
        if (!worker.lost) {
            throw new BrokenPromiseException(
                    "the core accepts %s, from %s".formatted(what, worker.spec.name()));
        }
    }

    private Event.StepDone corrupted(PlanSlot slot, int replica) {
        int samples = slot.samples;
        long[] sequences = slot.sequences.clone();
        long number = slot.number;
        switch (random.nextInt(samples > 0 ? 5 : 3)) {
            case 0 -> number++;
            case 1 -> number--;
            case 2 -> sequences[samples++] = 1;
            case 3 -> samples--;
            default -> sequences[random.nextInt(samples)] += 1 + random.nextInt(3);
        }
        return new Event.StepDone(
                replica, number, samples, sequences, slot.tokens, null, slot.durationNanos);
    }

    /// Whether what a worker says reaches the core.
    boolean isHeard(SimulatedWorker worker) {
        return !worker.lost || lateWords;
    }
}
