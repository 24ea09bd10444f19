package dev.tandem.sim.engine;

import dev.tandem.core.Commands;

import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.concurrent.TimeUnit;

/// KV blocks on their way between workers, under leases, as the live system's `transport` package does it: blocks go out
/// when the step that completed them is done, in order; a frame may overtake its grant and is then tried again; a lease ends
/// once on each side, by its commit, an abort, or that side's own deadline.
///
/// A sender's network card sends one thing after the other, and a receiver's takes in one thing after the other; the link
/// between them may be slower than either. Owned by the simulation.
final class KvTransfers {
    private static final long TRY_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Agenda agenda;
    private final ControlLinks control;
    private final List<SimulatedWorker> workers;
    private final Links.Link[][] links;
    private final long leaseNanos;
    private final long[] cardSendsUntil;
    private final long[] cardReceivesUntil;
    private final Long2ObjectHashMap<Transfer> transfers = new Long2ObjectHashMap<>();

    /// Both sides of one lease.
    private static final class Transfer {
        final SimulatedWorker receiver;
        final int blocks;
        final int deadlineMillis;
        boolean granted;
        boolean leaseEnded;
        boolean leaseTold;
        int received;
        @Nullable SimulatedWorker writer;
        boolean sendEnded;

        Transfer(SimulatedWorker receiver, int blocks, int deadlineMillis) {
            this.receiver = receiver;
            this.blocks = blocks;
            this.deadlineMillis = deadlineMillis;
        }
    }

    /// @param workers by replica id, growing
    KvTransfers(
            Agenda agenda,
            ControlLinks control,
            ClusterSpec cluster,
            List<SimulatedWorker> workers,
            int leaseMillis) {
        this.agenda = agenda;
        this.control = control;
        this.workers = workers;
        this.leaseNanos = TimeUnit.MILLISECONDS.toNanos(leaseMillis);
        int nodes = cluster.replicas().size();
        this.cardSendsUntil = new long[nodes];
        this.cardReceivesUntil = new long[nodes];
        this.links = new Links.Link[nodes][nodes];
        for (int from = 0; from < nodes; from++) {
            for (int to = 0; to < nodes; to++) {
                links[from][to] =
                        fastest(
                                cluster.replicas().get(from),
                                cluster.replicas().get(to),
                                cluster.links());
            }
        }
    }

    private static Links.Link fastest(ReplicaSpec from, ReplicaSpec to, Links links) {
        Links.Link link = links.between(from.zone(), to.zone());
        double rate = link.bytesPerSecond();
        double sends = from.device().linkBytesPerSecond();
        double receives = to.device().linkBytesPerSecond();
        rate = sends > 0 ? Math.min(rate, sends) : rate;
        rate = receives > 0 ? Math.min(rate, receives) : rate;
        return new Links.Link(rate, link.latencyNanos());
    }

    /// The core tells a receiver about a lease.
    void grant(Commands.Grant grant) {
        SimulatedWorker receiver = workers.get(grant.receiver().id());
        transfers.put(
                grant.lease(),
                new Transfer(receiver, grant.blocks().length, grant.deadlineMillis()));
        agenda.at(control.down(receiver), Agenda.GRANT, receiver.replica, grant.lease());
    }

    /// The core tells one side to stop; a worker finds out which one it is.
    void abort(Commands.Abort abort) {
        SimulatedWorker worker = workers.get(abort.replica().id());
        agenda.at(control.down(worker), Agenda.ABORT, worker.replica, abort.lease());
    }

    void granted(long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer.receiver.dead) {
            return;
        }
        transfer.granted = true;
        long deadline = agenda.now() + TimeUnit.MILLISECONDS.toNanos(transfer.deadlineMillis);
        agenda.at(deadline, Agenda.LEASE_EXPIRES, transfer.receiver.replica, lease);
    }

    void aborted(int replica, long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer == null) {
            return;
        }
        if (transfer.receiver.replica == replica && transfer.granted) {
            endLease(lease, transfer, false);
        }
        SimulatedWorker writer = transfer.writer;
        if (writer != null && writer.replica == replica) {
            endSend(lease, transfer, false);
        }
    }

    void leaseExpires(long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer != null) {
            endLease(lease, transfer, false);
        }
    }

    /// Its deadline has passed, or the receiver has said no.
    void writerGivesUp(long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer != null) {
            endSend(lease, transfer, false);
        }
    }

    /// A step with sends is done.
    void send(SimulatedWorker writer, PlanSlot slot) {
        for (int i = 0; i < slot.sends; i++) {
            long lease = slot.sendLease[i];
            Transfer transfer = transfers.get(lease);
            if (transfer == null || transfer.sendEnded) {
                continue; // its end has been told
            }
            if (transfer.writer == null) {
                transfer.writer = writer;
                agenda.at(agenda.now() + leaseNanos, Agenda.WRITER_GIVES_UP, writer.replica, lease);
            }
            long arrival =
                    throughCards(
                            writer.node,
                            transfer.receiver.node,
                            slot.sendBlocks[i] * writer.bytesPerBlock);
            int what = slot.sendBlocks[i] << 1 | (slot.sendLast[i] ? 1 : 0);
            agenda.at(arrival, Agenda.BLOCKS_ARRIVE, what, lease);
        }
    }

    /// @return when the last byte is there
    private long throughCards(int from, int to, double bytes) {
        Links.Link link = links[from][to];
        long duration = (long) Math.ceil(bytes / link.bytesPerSecond() * 1e9);
        long start = Math.max(agenda.now(), cardSendsUntil[from]);
        cardSendsUntil[from] = start + duration;
        long end = Math.max(start, cardReceivesUntil[to]) + duration;
        cardReceivesUntil[to] = end;
        return end + link.latencyNanos();
    }

    void blocksArrive(int what, long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer == null || transfer.sendEnded || transfer.receiver.dead) {
            return; // with a dead receiver the writer's deadline or the core's abort ends it
        }
        if (!transfer.granted) {
            agenda.at(agenda.now() + TRY_AGAIN_NANOS, Agenda.BLOCKS_ARRIVE, what, lease);
            return;
        }
        if (transfer.leaseEnded) {
            refused(lease, transfer);
            return;
        }
        transfer.received += what >>> 1;
        if ((what & 1) != 0) {
            boolean complete = transfer.received == transfer.blocks;
            endLease(lease, transfer, complete);
            if (complete) {
                agenda.at(answered(transfer), Agenda.SEND_COMMITTED, 0, lease);
            } else {
                refused(lease, transfer);
            }
        }
    }

    private long answered(Transfer transfer) {
        SimulatedWorker writer = transfer.writer;
        int from = writer == null ? transfer.receiver.node : writer.node;
        return agenda.now() + links[transfer.receiver.node][from].latencyNanos();
    }

    private void refused(long lease, Transfer transfer) {
        agenda.at(answered(transfer), Agenda.SEND_REFUSED, 0, lease);
    }

    void sendCommitted(long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer != null) {
            endSend(lease, transfer, true);
        }
    }

    private void endLease(long lease, Transfer transfer, boolean committed) {
        SimulatedWorker receiver = transfer.receiver;
        if (transfer.leaseEnded || receiver.dead) {
            return;
        }
        transfer.leaseEnded = true;
        agenda.at(
                control.up(receiver),
                Agenda.LEASE_ENDED,
                committed ? receiver.replica : -receiver.replica,
                lease);
    }

    /// The receiver's last word is with the core.
    ///
    /// @return the bytes that have come in
    long leaseTold(long lease) {
        Transfer transfer = transfers.get(lease);
        if (transfer == null) {
            return 0;
        }
        transfer.leaseTold = true;
        forgetIfOver(lease, transfer);
        return (long) (transfer.received * transfer.receiver.bytesPerBlock);
    }

    private void endSend(long lease, Transfer transfer, boolean committed) {
        SimulatedWorker writer = transfer.writer;
        if (transfer.sendEnded || writer == null || writer.dead) {
            return;
        }
        transfer.sendEnded = true;
        agenda.at(
                control.up(writer),
                Agenda.SEND_ENDED,
                committed ? writer.replica : -writer.replica,
                lease);
        forgetIfOver(lease, transfer);
    }

    private void forgetIfOver(long lease, Transfer transfer) {
        if (transfer.leaseTold && transfer.sendEnded) {
            transfers.remove(lease);
        }
    }
}
