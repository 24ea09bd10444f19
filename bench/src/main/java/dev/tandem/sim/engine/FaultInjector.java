package dev.tandem.sim.engine;

import dev.tandem.core.Event;
import dev.tandem.sim.fault.Fault;
import dev.tandem.sim.fault.FaultPlan;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Lets happen what a fault plan says. Owned by the simulation.
final class FaultInjector {
    private static final long MILLIS = TimeUnit.MILLISECONDS.toNanos(1);

    private final FaultPlan plan;
    private final Agenda agenda;
    private final Fleet fleet;
    private final NetworkCards cards;
    private final SplittableRandom random;
    private final Consumer<Event> core;

    /// When the last fault so far is over.
    long disturbedUntilNanos;

    FaultInjector(
            FaultPlan plan,
            Agenda agenda,
            Fleet fleet,
            NetworkCards cards,
            SplittableRandom random,
            Consumer<Event> core) {
        this.plan = plan;
        this.agenda = agenda;
        this.fleet = fleet;
        this.cards = cards;
        this.random = random;
        this.core = core;
    }

    void schedule() {
        for (int i = 0; i < plan.faults().size(); i++) {
            agenda.at(plan.faults().get(i).atNanos(), Agenda.FAULT, 0, i);
        }
    }

    void happen(int index) {
        Fault fault = plan.faults().get(index);
        Machine machine = fleet.machines[fault.node()];
        long end = agenda.now() + fault.durationNanos();
        disturbedUntilNanos = Math.max(disturbedUntilNanos, end);
        switch (fault.kind()) {
            case CRASH -> crash(machine, end);
            case PAUSE -> pause(machine, end);
            case PARTITION -> partition(machine, end);
            case WORKER_PARTITION -> cards.cut(fault.node(), fault.other(), end);
            case SLOW -> {
                machine.slowUntilNanos = end;
                machine.slowdown = fault.magnitude();
            }
            case DELAY -> {
                machine.delayedUntilNanos = end;
                machine.delayNanosMax = (long) fault.magnitude();
            }
            case TRANSFER_LOST -> machine.losesTransfer = true;
            case TRANSFER_BROKEN -> machine.breaksTransfer = true;
            case BLOCK_CORRUPTED -> machine.corruptsBlock = true;
            case BLOCK_DUPLICATED -> machine.duplicatesBlocks = true;
            case RESULT_DUPLICATED -> machine.duplicatesResult = true;
            case RESULT_CORRUPTED -> machine.corruptsResult = true;
            case LATE_WORDS -> {} // the plan having one is what counts
            case LEASE_DUPLICATED -> machine.repeatsUntilNanos = end;
            case FOREIGN_EVENT -> foreign(machine);
            case CLOCK_STEP -> {
                agenda.jump((long) fault.magnitude());
                disturbedUntilNanos = Math.max(disturbedUntilNanos, agenda.now());
            }
            case CANCEL -> throw new IllegalStateException("clients belong to the workload");
        }
    }

    private void crash(Machine machine, long end) {
        SimulatedWorker worker = machine.worker;
        if (worker != null && !worker.dead) {
            agenda.at(agenda.now(), Agenda.DIES, worker.replica, 0);
            agenda.at(agenda.now() + fleet.soon(), Agenda.LOST, worker.replica, 0);
            agenda.at(end, Agenda.REJOINS, machine.node, 0);
        }
    }

    private void pause(Machine machine, long end) {
        machine.pausedUntilNanos = Math.max(machine.pausedUntilNanos, end);
        long lost = agenda.now() + plan.lostAfterNanos();
        SimulatedWorker worker = machine.worker;
        if (worker != null && end > lost) {
            agenda.at(lost, Agenda.LOST, worker.replica, 0);
            agenda.at(end, Agenda.DIES, worker.replica, 0);
            agenda.at(end + fleet.soon(), Agenda.REJOINS, machine.node, 0);
        }
    }

    private void partition(Machine machine, long end) {
        machine.cutUntilNanos = Math.max(machine.cutUntilNanos, end);
        long lost = agenda.now() + plan.lostAfterNanos();
        SimulatedWorker worker = machine.worker;
        if (worker != null && end > lost) {
            agenda.at(lost, Agenda.LOST, worker.replica, 0);
            agenda.at(lost + random.nextLong(5 * MILLIS), Agenda.DIES, worker.replica, 0);
            agenda.at(end + fleet.soon(), Agenda.REJOINS, machine.node, 0);
        }
    }

    /// Words that concern nobody, or come from the wrong side: all to be ignored.
    private void foreign(Machine machine) {
        int nobody = 1_000_000 + random.nextInt(1000);
        long lease = random.nextLong(40);
        long sequence = 1_000_000 + random.nextLong(1000);
        core.accept(
                new Event.StepDone(
                        nobody, 1, 1, new long[] {sequence}, new int[] {1}, null, MILLIS));
        core.accept(new Event.ReplicaLost(nobody, "never joined"));
        core.accept(new Event.LeaseEnded(nobody, lease, random.nextBoolean(), 1));
        core.accept(new Event.SendEnded(nobody, lease, random.nextBoolean()));
        core.accept(new Event.Cancel(sequence));
        SimulatedWorker worker = machine.worker;
        if (worker != null) {
            long unknown = 1_000_000 + lease;
            core.accept(new Event.LeaseEnded(worker.replica, unknown, false, 1));
            core.accept(new Event.SendEnded(worker.replica, unknown, false));
        }
        for (SimulatedWorker earlier : fleet.workers) {
            if (earlier.lost) {
                core.accept(new Event.ReplicaLost(earlier.replica, "lost before"));
                core.accept(new Event.LeaseEnded(earlier.replica, lease, true, 1));
            }
        }
    }
}
