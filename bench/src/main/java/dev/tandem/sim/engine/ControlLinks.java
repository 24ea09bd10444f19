package dev.tandem.sim.engine;

import java.util.SplittableRandom;

/// The streams between the coordinator and its workers: each direction of each keeps its order, as a gRPC stream does.
final class ControlLinks {
    private final Agenda agenda;
    private final long latencyNanos;
    private final long jitterNanosMax;
    private final SplittableRandom random;

    /// @param jitterNanosMax added to each message's way, drawn from `random`; 0 = none
    ControlLinks(Agenda agenda, long latencyNanos, long jitterNanosMax, SplittableRandom random) {
        this.agenda = agenda;
        this.latencyNanos = latencyNanos;
        this.jitterNanosMax = jitterNanosMax;
        this.random = random;
    }

    /// @return when what the coordinator says now reaches the worker
    long down(SimulatedWorker worker) {
        long arrival = Math.max(worker.downUntilNanos, arrival(worker.machine));
        worker.downUntilNanos = arrival;
        return arrival;
    }

    /// @return when what the worker says now reaches the coordinator
    long up(SimulatedWorker worker) {
        long arrival = Math.max(worker.upUntilNanos, arrival(worker.machine));
        worker.upUntilNanos = arrival;
        return arrival;
    }

    private long arrival(Machine machine) {
        long now = agenda.now();
        long arrival = now + latencyNanos;
        if (jitterNanosMax > 0) {
            arrival += random.nextLong(jitterNanosMax);
        }
        if (now < machine.delayedUntilNanos) {
            arrival += random.nextLong(machine.delayNanosMax + 1);
        }
        return Math.max(arrival, machine.cutUntilNanos);
    }
}
