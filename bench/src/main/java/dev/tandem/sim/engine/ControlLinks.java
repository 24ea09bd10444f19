package dev.tandem.sim.engine;

/// The streams between the coordinator and its workers: each direction of each keeps its order, as a gRPC stream does.
final class ControlLinks {
    private final Agenda agenda;
    private final long latencyNanos;

    ControlLinks(Agenda agenda, long latencyNanos) {
        this.agenda = agenda;
        this.latencyNanos = latencyNanos;
    }

    /// @return when what the coordinator says now reaches the worker
    long down(SimulatedWorker worker) {
        long arrival = Math.max(worker.downUntilNanos, agenda.now() + latencyNanos);
        worker.downUntilNanos = arrival;
        return arrival;
    }

    /// @return when what the worker says now reaches the coordinator
    long up(SimulatedWorker worker) {
        long arrival = Math.max(worker.upUntilNanos, agenda.now() + latencyNanos);
        worker.upUntilNanos = arrival;
        return arrival;
    }
}
