package dev.tandem.sim.engine;

import dev.tandem.core.Commands;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.Event;
import dev.tandem.core.Outputs;
import dev.tandem.core.SamplingParameters;
import dev.tandem.core.SchedulerCore;
import dev.tandem.core.StepPlan;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;
import dev.tandem.sim.Workload;
import dev.tandem.sim.cost.StepShape;
import dev.tandem.sim.fault.FaultPlan;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// One run of the production core among simulated workers and links, in virtual time. The same arguments give the same run.
///
/// Single-threaded; several simulations may run side by side, each with its own workload and observers.
public final class Simulation {
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /// With nothing on its way, the core has so long to move by itself (deadlines, quarantines) before the run is given up.
    private static final long STUCK_NANOS = TimeUnit.MINUTES.toNanos(20);

    private static final Event.Tick TICK = new Event.Tick();

    private final ClusterSpec cluster;
    private final SchedulerCore core;
    private final Workload workload;
    private final SimulationObserver[] observers;
    private final Agenda agenda = new Agenda();
    private final ControlLinks control;
    private final KvTransfers transfers;
    private final StepShape shape = new StepShape();
    private final Requests requests;
    private final DecisionTrace trace = new DecisionTrace();

    /// By replica id; 0 is not used.
    private final List<SimulatedWorker> workers = new ArrayList<>();

    private final SamplingParameters greedy = SamplingParameters.greedy();
    private final long controlNanos;
    private long sampleNanos;
    private @Nullable Arrival nextArrival;
    private long steps;
    private long computedTokens;

    /// @param workload read to its end; its arrivals must not go back in time
    /// @param faults what breaks when
    /// @param seed of everything that the run draws itself
    public Simulation(
            ClusterSpec cluster,
            CoreOptions options,
            Workload workload,
            List<SimulationObserver> observers,
            FaultPlan faults,
            long seed) {
        this.cluster = cluster;
        this.core = new SchedulerCore(options);
        this.workload = workload;
        this.observers = observers.toArray(new SimulationObserver[0]);
        this.controlNanos = cluster.controlLatencyNanos();
        this.control = new ControlLinks(agenda, controlNanos);
        this.transfers = new KvTransfers(agenda, control, cluster, workers, options.leaseMillis());
        this.requests = new Requests(this.observers);
    }

    /// Shows observers the core's state so often.
    ///
    /// @param nanos of virtual time, 0 = never
    public Simulation sampleEvery(long nanos) {
        sampleNanos = nanos;
        return this;
    }

    /// Runs to the end: no request open, nothing on its way. Once only.
    public SimulationResult run() {
        long started = System.nanoTime();
        for (int node = 0; node < cluster.replicas().size(); node++) {
            join(node, 1);
        }
        takeNextArrival();
        agenda.at(TICK_NANOS, Agenda.TICK, 0, 0);
        if (sampleNanos > 0) {
            agenda.at(sampleNanos, Agenda.SAMPLE, 0, 0);
        }
        boolean goesOn = true;
        while (goesOn) {
            goesOn = step();
        }
        return requests.result(
                trace.hash(),
                agenda,
                System.nanoTime() - started,
                steps,
                computedTokens,
                core.sequences());
    }

    private boolean step() {
        switch (agenda.next()) {
            case Agenda.TICK -> {
                return tick();
            }
            case Agenda.SAMPLE -> sample();
            case Agenda.ARRIVAL -> arrive();
            case Agenda.CANCEL -> cancel(agenda.argument());
            case Agenda.EXECUTED -> executed(workers.get(agenda.target()));
            case Agenda.RESULT -> result(workers.get(agenda.target()));
            case Agenda.GRANT -> transfers.granted(agenda.argument());
            case Agenda.ABORT -> transfers.aborted(agenda.target(), agenda.argument());
            case Agenda.LEASE_EXPIRES -> transfers.leaseExpires(agenda.argument());
            case Agenda.WRITER_GIVES_UP, Agenda.SEND_REFUSED ->
                    transfers.writerGivesUp(agenda.argument());
            case Agenda.BLOCKS_ARRIVE -> transfers.blocksArrive(agenda.target(), agenda.argument());
            case Agenda.SEND_COMMITTED -> transfers.sendCommitted(agenda.argument());
            case Agenda.LEASE_ENDED -> leaseEnded(agenda.target(), agenda.argument());
            case Agenda.SEND_ENDED -> sendEnded(agenda.target(), agenda.argument());
            default -> throw new IllegalStateException("no such kind of event");
        }
        return true;
    }

    // ---- time ----

    private boolean tick() {
        feed(TICK);
        boolean over = agenda.pending() == 0 && core.sequences() == 0 && !holdsBlocks();
        boolean stuck = agenda.pending() == 0 && agenda.now() - agenda.lastNanos() > STUCK_NANOS;
        if (over || stuck) {
            return false;
        }
        agenda.at(agenda.now() + TICK_NANOS, Agenda.TICK, 0, 0);
        return true;
    }

    private boolean holdsBlocks() {
        for (CoreSnapshot.ReplicaSnapshot replica : core.snapshot().replicas()) {
            if (replica.blocksUsed() > 0 || replica.plansInFlight() > 0) {
                return true;
            }
        }
        return false;
    }

    private void sample() {
        CoreSnapshot snapshot = core.snapshot();
        for (SimulationObserver observer : observers) {
            observer.sampled(snapshot, agenda.now());
        }
        agenda.at(agenda.now() + sampleNanos, Agenda.SAMPLE, 0, 0);
    }

    // ---- clients ----

    private void takeNextArrival() {
        Arrival arrival = workload.next();
        nextArrival = arrival;
        if (arrival != null) {
            agenda.at(Math.max(arrival.nanos(), agenda.now()), Agenda.ARRIVAL, 0, 0);
        }
    }

    private void arrive() {
        Arrival arrival = nextArrival;
        if (arrival == null) {
            return;
        }
        long sequence = requests.arrived(arrival, agenda.now());
        if (arrival.cancelAfterNanos() > 0) {
            agenda.at(agenda.now() + arrival.cancelAfterNanos(), Agenda.CANCEL, 0, sequence);
        }
        takeNextArrival();
        feed(
                new Event.Submit(
                        sequence,
                        arrival.prompt(),
                        arrival.outputTokens(),
                        greedy,
                        Set.of(),
                        arrival.terms()));
    }

    private void cancel(long sequence) {
        if (requests.cancelled(sequence, agenda.now())) {
            feed(new Event.Cancel(sequence));
        }
    }

    // ---- workers ----

    private void join(int node, long incarnation) {
        if (workers.isEmpty()) {
            workers.add(null);
        }
        SimulatedWorker worker =
                new SimulatedWorker(
                        workers.size(), node, cluster.replicas().get(node), incarnation, null);
        workers.add(worker);
        feed(new Event.ReplicaJoined(worker.replica, worker.facts));
    }

    private void take(StepPlan plan) {
        SimulatedWorker worker = workers.get(plan.replica().id());
        if (worker.dead || worker.lost) {
            return;
        }
        PlanSlot slot = worker.take(plan, shape);
        steps++;
        computedTokens += plan.tokens();
        long start = Math.max(control.down(worker), worker.busyUntilNanos);
        long end = start + slot.durationNanos;
        worker.busyUntilNanos = end;
        agenda.at(end, Agenda.EXECUTED, worker.replica, 0);
        agenda.at(end + controlNanos, Agenda.RESULT, worker.replica, 0);
    }

    private void executed(SimulatedWorker worker) {
        transfers.send(worker, worker.nextExecuted());
    }

    private void result(SimulatedWorker worker) {
        PlanSlot slot = worker.nextTold();
        if (!worker.lost) {
            feed(slot.result(worker.replica));
        }
    }

    private void leaseEnded(int replica, long lease) {
        long bytes = transfers.leaseTold(lease);
        feed(new Event.LeaseEnded(Math.abs(replica), lease, replica > 0, bytes));
    }

    private void sendEnded(int replica, long lease) {
        feed(new Event.SendEnded(Math.abs(replica), lease, replica > 0));
    }

    // ---- the core ----

    private void feed(Event event) {
        long now = agenda.now();
        Commands commands = core.on(event, now);
        trace.add(event, commands, now);
        for (int i = 0; i < commands.grants().size(); i++) {
            transfers.grant(commands.grants().get(i));
        }
        for (int i = 0; i < commands.aborts().size(); i++) {
            transfers.abort(commands.aborts().get(i));
        }
        for (int i = 0; i < commands.plans().size(); i++) {
            take(commands.plans().get(i));
        }
        Outputs outputs = commands.outputs();
        for (int i = 0; i < outputs.size(); i++) {
            requests.token(outputs.sequence(i), outputs.token(i), now);
        }
        for (int i = 0; i < commands.finished().size(); i++) {
            requests.finished(commands.finished().get(i), now);
        }
        for (int i = 0; i < commands.failed().size(); i++) {
            requests.failed(commands.failed().get(i), now);
        }
        if (!commands.disconnects().isEmpty()) {
            throw new BrokenPromiseException(
                    "a sound worker was blamed: " + commands.disconnects().get(0).reason());
        }
    }
}
