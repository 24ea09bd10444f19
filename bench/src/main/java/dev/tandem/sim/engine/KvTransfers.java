package dev.tandem.sim.engine;

import dev.tandem.core.Commands;

import org.agrona.collections.Long2ObjectHashMap;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// KV blocks on their way between workers, under leases, as the live system's `transport` package does it: blocks go out
/// when the step that completed them is done, in order; a frame may overtake its grant and is then tried again; a lease ends
/// once on each side, by its commit, an abort, or that side's own deadline.
///
/// Where workers are checked, each block lands by itself, as a one-sided write does: also after the end of the lease, until
/// the writer is told or its deadline has passed, even when it has died meanwhile.
///
/// Owned by the simulation.
final class KvTransfers {
    private static final long TRY_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Agenda agenda;
    private final ControlLinks control;
    private final List<SimulatedWorker> workers;
    private final NetworkCards cards;
    private final SplittableRandom random;
    private final long leaseNanos;
    private final Long2ObjectHashMap<KvTransfer> transfers = new Long2ObjectHashMap<>();

    /// @param workers by replica id, growing
    KvTransfers(
            Agenda agenda,
            ControlLinks control,
            NetworkCards cards,
            List<SimulatedWorker> workers,
            int leaseMillis,
            SplittableRandom random) {
        this.agenda = agenda;
        this.control = control;
        this.cards = cards;
        this.workers = workers;
        this.random = random;
        this.leaseNanos = TimeUnit.MILLISECONDS.toNanos(leaseMillis);
    }

    // ---- the core's commands ----

    /// The core tells a receiver about a lease.
    void grant(Commands.Grant grant) {
        SimulatedWorker receiver = workers.get(grant.receiver().id());
        transfers.put(grant.lease(), new KvTransfer(receiver, grant));
        agenda.at(control.down(receiver), Agenda.GRANT, receiver.replica, grant.lease());
    }

    /// The core tells one side to stop; a worker finds out which one it is.
    void abort(Commands.Abort abort) {
        SimulatedWorker worker = workers.get(abort.replica().id());
        agenda.at(control.down(worker), Agenda.ABORT, worker.replica, abort.lease());
    }

    void granted(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null || transfer.receiver.dead) {
            return;
        }
        transfer.granted = true;
        CheckedKv kv = transfer.receiver.kv;
        if (kv != null) {
            kv.leased(transfer.blocks);
        }
        long deadline = agenda.now() + TimeUnit.MILLISECONDS.toNanos(transfer.deadlineMillis);
        agenda.at(deadline, Agenda.LEASE_EXPIRES, transfer.receiver.replica, lease);
    }

    void aborted(int replica, long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null) {
            return;
        }
        if (transfer.receiver.replica == replica) {
            endLease(lease, transfer, false);
        }
        SimulatedWorker writer = transfer.writer;
        if (writer != null && writer.replica == replica) {
            endSend(lease, transfer, false);
        }
    }

    // ---- deadlines and broken connections ----

    void leaseExpires(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null) {
            return;
        }
        if (isPaused(transfer.receiver)) {
            agenda.at(
                    transfer.receiver.machine.pausedUntilNanos,
                    Agenda.LEASE_EXPIRES,
                    transfer.receiver.replica,
                    lease);
            return;
        }
        endLease(lease, transfer, false);
    }

    /// Its deadline has passed, or the receiver has said no.
    void writerGivesUp(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null) {
            return;
        }
        SimulatedWorker writer = transfer.writer;
        if (writer != null && isPaused(writer)) {
            agenda.at(
                    writer.machine.pausedUntilNanos, Agenda.WRITER_GIVES_UP, writer.replica, lease);
            return;
        }
        endSend(lease, transfer, false);
    }

    /// The receiver's end of the connection is gone, with the writer or without it.
    void leaseBreaks(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer != null) {
            endLease(lease, transfer, false);
        }
    }

    /// A worker's process has ended: whoever is connected to it notices after a while.
    void died(SimulatedWorker worker) {
        List<Long> leases = new ArrayList<>(transfers.keySet());
        leases.sort(null);
        for (long lease : leases) {
            KvTransfer transfer = transfers.get(lease);
            long noticed = agenda.now() + random.nextLong(5 * TRY_AGAIN_NANOS);
            if (transfer.writer == worker) {
                agenda.at(noticed, Agenda.LEASE_BREAKS, 0, lease);
            }
            if (transfer.receiver == worker && transfer.writer != null) {
                agenda.at(noticed, Agenda.SEND_REFUSED, 0, lease);
            }
        }
    }

    // ---- blocks ----

    /// A step with sends is done. One that the core has given up begins none: the receivers have been told.
    void send(SimulatedWorker writer, PlanSlot slot) {
        if (writer.lost) {
            return;
        }
        for (int i = 0; i < slot.sends; i++) {
            long lease = slot.sendLease[i];
            KvTransfer transfer = transfers.get(lease);
            if (transfer == null || transfer.sendEnded) {
                continue; // its end has been told
            }
            if (transfer.writer == null) {
                transfer.writer = writer;
                transfer.writerDeadlineNanos = agenda.now() + leaseNanos;
                agenda.at(
                        transfer.writerDeadlineNanos,
                        Agenda.WRITER_GIVES_UP,
                        writer.replica,
                        lease);
            }
            long arrival =
                    cards.pass(
                            writer.machine.node,
                            transfer.receiver.machine.node,
                            slot.sendBlocks[i] * writer.bytesPerBlock);
            PlanCopy copy = slot.copy;
            if (copy != null) {
                arrival = sendChecked(writer, transfer, copy.sends()[i], arrival);
            }
            transfer.arriving.addInt(slot.sendBlocks[i] << 1 | (slot.sendLast[i] ? 1 : 0));
            agenda.at(arrival, Agenda.BLOCKS_ARRIVE, 0, lease);
        }
    }

    /// Lets each block land by itself, in any order.
    ///
    /// @return when all are there
    private long sendChecked(
            SimulatedWorker writer, KvTransfer transfer, PlanCopy.Send send, long arrival) {
        CheckedKv kv = writer.kv;
        if (kv != null) {
            kv.sending(send.blocks());
        }
        Machine machine = writer.machine;
        long end = Math.max(arrival, transfer.arrivedNanos) + random.nextLong(TRY_AGAIN_NANOS * 8);
        transfer.arrivedNanos = end;
        if (machine.losesTransfer) {
            machine.losesTransfer = false;
            transfer.lost = true;
        }
        boolean breaks = machine.breaksTransfer;
        if (breaks) {
            machine.breaksTransfer = false;
            transfer.broken = true;
        }
        int index = transfer.sends.size();
        transfer.sends.add(send);
        int copies = machine.duplicatesBlocks ? 2 : 1;
        machine.duplicatesBlocks = false;
        int landing = transfer.lost || breaks ? send.blocks().length / 2 : send.blocks().length;
        for (int i = 0; i < landing * copies; i++) {
            long at = agenda.now() + random.nextLong(Math.max(1, end - agenda.now()));
            agenda.at(at, Agenda.BLOCK_LANDS, index << 16 | i % landing, send.lease());
        }
        return end;
    }

    /// A block is read when it is written.
    void blockLands(int what, long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null || transfer.writer == null) {
            return;
        }
        SimulatedWorker writer = transfer.writer;
        SimulatedWorker receiver = transfer.receiver;
        boolean stopped = transfer.sendEnded || agenda.now() >= transfer.writerDeadlineNanos;
        if (stopped || receiver.dead) {
            return;
        }
        long later = laterNanos(transfer);
        if (later > agenda.now()) {
            agenda.at(later, Agenda.BLOCK_LANDS, what, lease);
            return;
        }
        PlanCopy.Send send = transfer.sends.get(what >>> 16);
        int index = what & 0xffff;
        int slot = send.slots()[index];
        if (slot < 0 || slot >= transfer.blocks.length) {
            throw new BrokenPromiseException(
                    "lease %d of %d blocks is sent slot %d"
                            .formatted(lease, transfer.blocks.length, slot));
        }
        CheckedKv from = writer.kv;
        CheckedKv to = receiver.kv;
        if (from == null || to == null) {
            return;
        }
        if (writer.machine.corruptsBlock && !transfer.leaseEnded) {
            writer.machine.corruptsBlock = false;
            to.garble(transfer.blocks[slot]);
            endLease(lease, transfer, false);
            agenda.at(answered(transfer), Agenda.SEND_REFUSED, 0, lease);
            return;
        }
        to.copyFrom(from, send.blocks()[index], transfer.blocks[slot]);
        transfer.slots.set(slot);
    }

    /// When a transfer can go on: now, or once nobody stands still, the way is open and the grant is there.
    private long laterNanos(KvTransfer transfer) {
        SimulatedWorker writer = transfer.writer;
        long later = agenda.now();
        if (writer == null) {
            return later;
        }
        if (!transfer.granted) {
            later = agenda.now() + TRY_AGAIN_NANOS;
        }
        if (!writer.dead) {
            later = Math.max(later, writer.machine.pausedUntilNanos);
        }
        return Math.max(later, cards.cutUntil(writer.machine.node, transfer.receiver.machine.node));
    }

    /// The last block of a send is there: of the first one that is not through, since they keep their order.
    void blocksArrive(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null || transfer.sendEnded) {
            return;
        }
        SimulatedWorker writer = transfer.writer;
        if (writer == null || writer.dead || transfer.lost) {
            return;
        }
        if (transfer.receiver.dead) {
            agenda.at(answered(transfer), Agenda.SEND_REFUSED, 0, lease);
            return;
        }
        int what = transfer.arriving.getInt(transfer.arrived);
        long later = laterNanos(transfer);
        if (transfer.granted) {
            later = Math.max(later, transfer.receiver.machine.pausedUntilNanos);
        }
        if (transfer.awaitsBlocks(what >>> 1)) {
            later = Math.max(later, agenda.now() + TRY_AGAIN_NANOS);
        }
        if (later > agenda.now()) {
            agenda.at(later, Agenda.BLOCKS_ARRIVE, 0, lease);
            return;
        }
        transfer.arrived++;
        if (transfer.broken) {
            endLease(lease, transfer, false);
        }
        if (transfer.leaseEnded) {
            agenda.at(answered(transfer), Agenda.SEND_REFUSED, 0, lease);
            return;
        }
        transfer.received += what >>> 1;
        if ((what & 1) != 0) {
            if (transfer.received != transfer.blocks.length) {
                throw new BrokenPromiseException(
                        "%d blocks sent under lease %d of %d"
                                .formatted(transfer.received, lease, transfer.blocks.length));
            }
            endLease(lease, transfer, true);
            agenda.at(answered(transfer), Agenda.SEND_COMMITTED, 0, lease);
        }
    }

    private long answered(KvTransfer transfer) {
        SimulatedWorker writer = transfer.writer;
        int from = transfer.receiver.machine.node;
        return agenda.now() + cards.latency(from, writer == null ? from : writer.machine.node);
    }

    void sendCommitted(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null) {
            return;
        }
        SimulatedWorker writer = transfer.writer;
        if (writer != null && isPaused(writer)) {
            agenda.at(writer.machine.pausedUntilNanos, Agenda.SEND_COMMITTED, 0, lease);
            return;
        }
        endSend(lease, transfer, true);
    }

    // ---- ends ----

    private void endLease(long lease, KvTransfer transfer, boolean committed) {
        SimulatedWorker receiver = transfer.receiver;
        if (!transfer.granted || transfer.leaseEnded || receiver.dead) {
            return;
        }
        transfer.leaseEnded = true;
        CheckedKv kv = receiver.kv;
        if (kv != null) {
            kv.leaseEnded(transfer.blocks);
        }
        tell(Agenda.LEASE_ENDED, receiver, lease, committed);
    }

    private void endSend(long lease, KvTransfer transfer, boolean committed) {
        SimulatedWorker writer = transfer.writer;
        if (transfer.sendEnded || writer == null || writer.dead) {
            return;
        }
        transfer.sendEnded = true;
        CheckedKv kv = writer.kv;
        if (kv != null) {
            for (PlanCopy.Send send : transfer.sends) {
                kv.sendEnded(send.blocks());
            }
        }
        tell(Agenda.SEND_ENDED, writer, lease, committed);
    }

    private void tell(int kind, SimulatedWorker worker, long lease, boolean committed) {
        int target = committed ? worker.replica : -worker.replica;
        agenda.at(control.up(worker), kind, target, lease);
        if (agenda.now() < worker.machine.repeatsUntilNanos) {
            long again = control.up(worker) + random.nextLong(100 * TRY_AGAIN_NANOS);
            agenda.at(again, kind, target, lease);
        }
    }

    /// The receiver's last word is with the core.
    ///
    /// @return the bytes that have come in
    long leaseTold(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer == null) {
            return 0;
        }
        transfer.leaseTold = true;
        forgetIfOver(lease, transfer);
        return (long) (transfer.received * transfer.receiver.bytesPerBlock);
    }

    void sendTold(long lease) {
        KvTransfer transfer = transfers.get(lease);
        if (transfer != null) {
            forgetIfOver(lease, transfer);
        }
    }

    private void forgetIfOver(long lease, KvTransfer transfer) {
        if (transfer.leaseTold && transfer.sendEnded) {
            transfers.remove(lease);
        }
    }

    private boolean isPaused(SimulatedWorker worker) {
        return !worker.dead && agenda.now() < worker.machine.pausedUntilNanos;
    }
}
