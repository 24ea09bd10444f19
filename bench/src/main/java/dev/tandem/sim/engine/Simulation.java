package dev.tandem.sim.engine;

import dev.tandem.core.Commands;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.Event;
import dev.tandem.core.Outputs;
import dev.tandem.core.SchedulerCore;
import dev.tandem.record.DecisionHash;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;
import dev.tandem.sim.Workload;
import dev.tandem.sim.fault.FaultPlan;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// One run of the production core among simulated workers and links, in virtual time. The same arguments give the same run.
///
/// Workers are *quick* or *checked*. Quick ones know how long a plan takes and make tokens up. Checked ones hold a number for
/// every token's KV, so that a wrong block is noticed, and every promise of the core is checked after every event. A broken
/// promise is a [BrokenPromiseException].
///
/// Single-threaded; several simulations may run side by side, each with its own workload and observers.
public final class Simulation {
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /// With nothing on its way, the core has so long to move by itself (deadlines, quarantines) before the run is given up.
    private static final long STUCK_NANOS = TimeUnit.MINUTES.toNanos(20);

    private static final Event.Tick TICK = new Event.Tick();

    private final SchedulerCore core;
    private final Workload workload;
    private final SimulationObserver[] observers;
    private final Agenda agenda = new Agenda();
    private final Fleet fleet;
    private final KvTransfers transfers;
    private final Tiers tiers;
    private final FaultInjector faults;
    private final Requests requests;
    private final DecisionHash decisions = new DecisionHash();
    private final @Nullable Promises promises;
    private long sampleNanos;
    private @Nullable Arrival nextArrival;

    /// A run of quick workers.
    ///
    /// @param workload read to its end; its arrivals must not go back in time
    /// @param plan what breaks when
    /// @param seed of everything that the run draws itself
    public Simulation(
            ClusterSpec cluster,
            CoreOptions options,
            Workload workload,
            List<SimulationObserver> observers,
            FaultPlan plan,
            long seed) {
        this(cluster, options, workload, observers, plan, seed, false);
    }

    /// A run of checked workers: for clusters and workloads that are small, with requests that all can be served.
    public static Simulation checked(
            ClusterSpec cluster,
            CoreOptions options,
            Workload workload,
            List<SimulationObserver> observers,
            FaultPlan plan,
            long seed) {
        return new Simulation(cluster, options, workload, observers, plan, seed, true);
    }

    private Simulation(
            ClusterSpec cluster,
            CoreOptions options,
            Workload workload,
            List<SimulationObserver> observers,
            FaultPlan plan,
            long seed,
            boolean checked) {
        this.core = new SchedulerCore(options);
        this.workload = workload;
        this.observers = observers.toArray(new SimulationObserver[0]);
        SplittableRandom random = new SplittableRandom(seed);
        ControlLinks control =
                new ControlLinks(
                        agenda, cluster.controlLatencyNanos(), plan.jitterNanosMax(), random);
        NetworkCards cards = new NetworkCards(agenda, cluster);
        this.fleet =
                new Fleet(cluster, options, agenda, control, random, this::feed, checked, plan);
        this.transfers =
                new KvTransfers(
                        agenda, control, cards, fleet.workers, options.leaseMillis(), random);
        this.tiers = new Tiers(agenda, control, fleet, random, this::feed, checked);
        this.faults = new FaultInjector(plan, agenda, fleet, cards, random, this::feed);
        this.requests =
                new Requests(
                        this.observers,
                        checked ? new TokenOracle() : null,
                        checked ? new Excuses(options.admission()) : null,
                        seed);
        this.promises = checked ? new Promises(core, options, fleet, requests) : null;
    }

    /// Shows observers the core's state so often.
    ///
    /// @param nanos of virtual time, 0 = never
    public Simulation sampleEvery(long nanos) {
        sampleNanos = nanos;
        return this;
    }

    /// Runs to the end: no request open, nothing on its way. Once only.
    ///
    /// @throws BrokenPromiseException with checked workers, at the first promise that the core breaks
    public SimulationResult run() {
        long started = System.nanoTime();
        var threads = ManagementFactory.getThreadMXBean();
        long startedCpu = threads.getCurrentThreadCpuTime();
        for (Machine machine : fleet.machines) {
            fleet.join(machine);
        }
        faults.schedule();
        takeNextArrival();
        agenda.at(TICK_NANOS, Agenda.TICK, 0, 0);
        if (sampleNanos > 0) {
            agenda.at(sampleNanos, Agenda.SAMPLE, 0, 0);
        }
        boolean goesOn = true;
        while (goesOn) {
            goesOn = step();
        }
        if (promises != null) {
            promises.checkEnd();
        }
        return requests.result(
                decisions.value(),
                agenda,
                fleet,
                System.nanoTime() - started,
                threads.getCurrentThreadCpuTime() - startedCpu,
                core.snapshot());
    }

    private boolean step() {
        int kind = agenda.next();
        int target = agenda.target();
        long argument = agenda.argument();
        switch (kind) {
            case Agenda.TICK -> {
                return tick();
            }
            case Agenda.SAMPLE -> sample();
            case Agenda.ARRIVAL -> arrive();
            case Agenda.CANCEL -> cancel(argument);
            case Agenda.RESULT -> fleet.result(fleet.worker(target));
            case Agenda.EXECUTED, Agenda.GRANT, Agenda.ABORT ->
                    toWorker(kind, fleet.worker(target), argument);
            case Agenda.LEASE_EXPIRES -> transfers.leaseExpires(argument);
            case Agenda.WRITER_GIVES_UP, Agenda.SEND_REFUSED -> transfers.writerGivesUp(argument);
            case Agenda.LEASE_BREAKS -> transfers.leaseBreaks(argument);
            case Agenda.BLOCKS_ARRIVE -> transfers.blocksArrive(argument);
            case Agenda.BLOCK_LANDS -> transfers.blockLands(target, argument);
            case Agenda.SEND_COMMITTED -> transfers.sendCommitted(argument);
            case Agenda.LEASE_ENDED -> leaseEnded(target, argument);
            case Agenda.SEND_ENDED -> sendEnded(target, argument);
            case Agenda.FAULT -> faults.happen((int) argument);
            case Agenda.DIES -> dies(fleet.worker(target));
            case Agenda.LOST -> fleet.lose(fleet.worker(target), "silent");
            case Agenda.RESUMES -> resumes(fleet.worker(target));
            case Agenda.TIER_WORKS -> tiers.works(fleet.worker(target), argument);
            case Agenda.TIER_TOLD -> tiers.told(fleet.worker(target), argument);
            case Agenda.REJOINS -> fleet.rejoin(fleet.machines[target]);
            default -> throw new IllegalStateException("no event of kind " + kind);
        }
        return true;
    }

    /// One that stands still gets to it later.
    private void toWorker(int kind, SimulatedWorker worker, long argument) {
        boolean paused = agenda.now() < worker.machine.pausedUntilNanos && !worker.dead;
        if (!paused && worker.held.isEmpty()) {
            act(kind, worker, argument);
            return;
        }
        if (worker.held.isEmpty()) {
            agenda.at(worker.machine.pausedUntilNanos, Agenda.RESUMES, worker.replica, 0);
        }
        worker.held.addLong(kind);
        worker.held.addLong(argument);
    }

    private void resumes(SimulatedWorker worker) {
        long later = worker.machine.pausedUntilNanos;
        if (agenda.now() < later && !worker.dead) {
            agenda.at(later, Agenda.RESUMES, worker.replica, 0);
            return;
        }
        for (int i = 0; i < worker.held.size(); i += 2) {
            act((int) worker.held.getLong(i), worker, worker.held.getLong(i + 1));
        }
        worker.held.clear();
    }

    private void act(int kind, SimulatedWorker worker, long argument) {
        switch (kind) {
            case Agenda.EXECUTED -> fleet.executed(worker, argument, transfers);
            case Agenda.GRANT -> transfers.granted(argument);
            default -> transfers.aborted(worker.replica, argument);
        }
    }

    private void dies(SimulatedWorker worker) {
        if (!worker.dead) {
            worker.dead = true;
            transfers.died(worker);
        }
    }

    // ---- time ----

    private boolean tick() {
        feed(TICK);
        if (promises != null) {
            long calm = Math.max(faults.disturbedUntilNanos, fleet.changedNanos);
            promises.checkProgress(agenda.now(), calm);
            promises.audit();
        }
        boolean idle = agenda.pending() == 0;
        boolean over = idle && core.sequences() == 0 && !holdsBlocks();
        boolean stuck = idle && agenda.now() - agenda.lastNanos() > STUCK_NANOS;
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
        Event.Submit submit = requests.arrived(arrival, agenda.now());
        if (arrival.cancelAfterNanos() > 0) {
            agenda.at(
                    agenda.now() + arrival.cancelAfterNanos(), Agenda.CANCEL, 0, submit.sequence());
        }
        takeNextArrival();
        feed(submit);
    }

    private void cancel(long sequence) {
        if (requests.cancelled(sequence, agenda.now())) {
            feed(new Event.Cancel(sequence));
        }
    }

    // ---- leases ----

    private void leaseEnded(int target, long lease) {
        int replica = Math.abs(target);
        long bytes = transfers.leaseTold(lease);
        if (fleet.isHeard(fleet.worker(replica))) {
            feed(new Event.LeaseEnded(replica, lease, target > 0, bytes));
        }
    }

    private void sendEnded(int target, long lease) {
        int replica = Math.abs(target);
        transfers.sendTold(lease);
        if (fleet.isHeard(fleet.worker(replica))) {
            feed(new Event.SendEnded(replica, lease, target > 0));
        }
    }

    // ---- the core ----

    private void feed(Event event) {
        long now = agenda.now();
        Commands commands = core.on(event, now);
        decisions.add(event, now, commands);
        for (int i = 0; i < commands.grants().size(); i++) {
            transfers.grant(commands.grants().get(i));
        }
        for (int i = 0; i < commands.aborts().size(); i++) {
            transfers.abort(commands.aborts().get(i));
        }
        for (int i = 0; i < commands.tiers().size(); i++) {
            tiers.ask(commands.tiers().get(i));
        }
        for (int i = 0; i < commands.plans().size(); i++) {
            fleet.take(commands.plans().get(i));
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
        if (promises != null) {
            promises.checkAfter(event);
        }
        if (event instanceof Event.ReplicaJoined joined) {
            tiers.joined(fleet.worker(joined.replica()));
        }
        if (!commands.disconnects().isEmpty()) {
            disconnect(List.copyOf(commands.disconnects()));
        }
    }

    private void disconnect(List<Commands.Disconnect> disconnects) {
        for (Commands.Disconnect disconnect : disconnects) {
            SimulatedWorker worker = fleet.worker(disconnect.replica());
            if (!worker.blamable) {
                throw new BrokenPromiseException(
                        "%s is blamed for nothing: %s"
                                .formatted(worker.spec.name(), disconnect.reason()));
            }
            fleet.disconnected(worker);
        }
    }
}
