package dev.tandem.sim.engine;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;

import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongArrayList;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/// The tiers of the workers: requests take their time, one after the other, and what a tier holds outlives its worker. A
/// tier that is full forgets its oldest block and tells so; among checked workers it also loses one now and then without
/// a word, as a damaged file does. Owned by the simulation.
final class Tiers {
    private static final double BYTES_PER_SECOND = 2e9;
    private static final long REQUEST_NANOS = 20_000;
    private static final int WORDS = 4;
    private static final long[] NOTHING = {};

    private final Agenda agenda;
    private final ControlLinks control;
    private final Fleet fleet;
    private final SplittableRandom random;
    private final Consumer<Event> core;
    private final boolean checked;
    private final Long2ObjectHashMap<Commands.TierRequest> requests = new Long2ObjectHashMap<>();
    private final Long2ObjectHashMap<Event.TierReport> reports = new Long2ObjectHashMap<>();
    private long tickets;

    Tiers(
            Agenda agenda,
            ControlLinks control,
            Fleet fleet,
            SplittableRandom random,
            Consumer<Event> core,
            boolean checked) {
        this.agenda = agenda;
        this.control = control;
        this.fleet = fleet;
        this.random = random;
        this.core = core;
        this.checked = checked;
    }

    /// The coordinator asks.
    void ask(Commands.TierRequest request) {
        SimulatedWorker worker = fleet.worker(request.replica().id());
        if (worker.dead || worker.lost) {
            return;
        }
        CheckedKv kv = worker.kv;
        if (kv != null && request.isLoad()) {
            kv.leased(request.blocks());
        } else if (kv != null) {
            kv.sending(request.blocks());
        }
        long bytes = (long) (worker.bytesPerBlock * request.blocks().length);
        long starts = Math.max(control.down(worker), worker.tierBusyUntilNanos);
        long done = starts + REQUEST_NANOS + (long) (bytes / BYTES_PER_SECOND * 1e9);
        worker.tierBusyUntilNanos = done;
        requests.put(++tickets, request);
        agenda.at(done, Agenda.TIER_WORKS, worker.replica, tickets);
    }

    /// A request is carried out.
    void works(SimulatedWorker worker, long ticket) {
        if (!worker.dead && agenda.now() < worker.machine.pausedUntilNanos) {
            agenda.at(worker.machine.pausedUntilNanos, Agenda.TIER_WORKS, worker.replica, ticket);
            return;
        }
        Commands.TierRequest request = requests.remove(ticket);
        if (request == null || worker.dead) {
            return;
        }
        LongArrayList dropped = new LongArrayList();
        int blocks = request.isLoad() ? load(worker, request) : store(worker, request, dropped);
        tell(
                worker,
                new Event.TierReport(
                        worker.replica, request.request(), blocks, NOTHING, dropped.toLongArray()));
    }

    private int load(SimulatedWorker worker, Commands.TierRequest request) {
        CheckedKv kv = worker.kv;
        int blocks = 0;
        while (blocks < request.blocks().length) {
            long[] content = worker.machine.tier.get(request.hashes()[blocks * WORDS]);
            if (content == null) {
                break;
            }
            if (kv != null) {
                kv.put(request.blocks()[blocks], content);
            }
            blocks++;
        }
        if (kv != null) {
            kv.leaseEnded(request.blocks());
        }
        return blocks;
    }

    private int store(SimulatedWorker worker, Commands.TierRequest request, LongArrayList dropped) {
        CheckedKv kv = worker.kv;
        var tier = worker.machine.tier;
        for (int i = 0; i < request.blocks().length; i++) {
            long[] content = kv == null ? NOTHING : kv.content(request.blocks()[i]);
            long[] words = Arrays.copyOfRange(request.hashes(), i * WORDS, (i + 1) * WORDS);
            if (tier.put(words[0], content) == null) {
                worker.machine.tierHashes.addLast(words);
            }
        }
        if (kv != null) {
            kv.sendEnded(request.blocks());
        }
        while (worker.machine.tierHashes.size() > worker.spec.tierBlocks()) {
            long[] words = worker.machine.tierHashes.removeFirst();
            tier.remove(words[0]);
            Arrays.stream(words).forEach(dropped::addLong);
        }
        if (checked && !worker.machine.tierHashes.isEmpty() && random.nextInt(8) == 0) {
            tier.remove(worker.machine.tierHashes.removeFirst()[0]);
        }
        return request.blocks().length;
    }

    /// A worker that joins again says what its tier has kept.
    void joined(SimulatedWorker worker) {
        if (!worker.machine.tierHashes.isEmpty()) {
            long[] kept =
                    worker.machine.tierHashes.stream().flatMapToLong(Arrays::stream).toArray();
            tell(worker, new Event.TierReport(worker.replica, 0, 0, kept, NOTHING));
        }
    }

    private void tell(SimulatedWorker worker, Event.TierReport report) {
        reports.put(++tickets, report);
        agenda.at(control.up(worker), Agenda.TIER_TOLD, worker.replica, tickets);
    }

    void told(SimulatedWorker worker, long ticket) {
        Event.TierReport report = reports.remove(ticket);
        if (report != null && fleet.isHeard(worker)) {
            core.accept(report);
        }
    }
}
