package dev.tandem.engine;

import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.transport.BlockSender;
import dev.tandem.transport.LayerProgress;
import dev.tandem.transport.LeaseRegistry;
import dev.tandem.wire.KvSend;
import dev.tandem.wire.LeaseAbort;
import dev.tandem.wire.LeaseGrant;
import dev.tandem.wire.LeaseOutcome;
import dev.tandem.wire.LeaseUpdate;
import dev.tandem.wire.SendResult;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/// Both ends of a transport that moves nothing: a send commits at once on a thread of its own, an abort ends a
/// lease, and the queue can be made full.
final class FakeTransport {
    final Sender sender = new Sender();
    final Registry registry = new Registry();

    volatile boolean receiverClosed;

    KvSide kvSide(KvShape shape, int blocks) {
        return new KvSide(
                KvPools.privateMemory(shape, blocks),
                sender,
                registry,
                () -> receiverClosed = true,
                List.of(
                        TransferEndpoint.newBuilder()
                                .setKind(TransportKind.TRANSPORT_KIND_GRPC)
                                .setAddress("127.0.0.1:7")
                                .build()));
    }

    static final class Sender implements BlockSender {
        final List<KvSend> taken = new CopyOnWriteArrayList<>();
        final BlockingQueue<Long> aborted = new LinkedBlockingQueue<>();
        volatile boolean full;
        volatile boolean closed;
        private volatile Consumer<SendResult> listener = result -> {};

        @Override
        public boolean send(KvSend send, LayerProgress progress) {
            if (full) {
                return false;
            }
            taken.add(send);
            if (send.getLast()) {
                Thread.ofVirtual().start(() -> end(send.getLease(), true));
            }
            return true;
        }

        @Override
        public void abort(LeaseAbort abort) {
            aborted.add(abort.getLease());
        }

        void end(long lease, boolean committed) {
            listener.accept(
                    SendResult.newBuilder().setLease(lease).setCommitted(committed).build());
        }

        @Override
        public void onResult(Consumer<SendResult> listener) {
            this.listener = listener;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    static final class Registry implements LeaseRegistry {
        final BlockingQueue<Long> asked = new LinkedBlockingQueue<>();
        private final Set<Long> open = new HashSet<>();
        private Consumer<LeaseUpdate> listener = update -> {};
        private boolean closed;

        @Override
        public synchronized void grant(LeaseGrant grant) {
            asked.add(grant.getLease());
            if (grant.getBlocksCount() == 0) {
                throw new IllegalArgumentException("a lease of no blocks");
            }
            open.add(grant.getLease());
        }

        @Override
        public synchronized void abort(LeaseAbort abort) {
            if (open.remove(abort.getLease())) {
                listener.accept(
                        LeaseUpdate.newBuilder()
                                .setLease(abort.getLease())
                                .setOutcome(LeaseOutcome.LEASE_OUTCOME_ABORTED)
                                .build());
            }
        }

        @Override
        public synchronized void onUpdate(Consumer<LeaseUpdate> listener) {
            this.listener = listener;
        }

        synchronized boolean isClosed() {
            return closed;
        }

        @Override
        public synchronized void close() {
            closed = true;
            for (long lease : Set.copyOf(open)) {
                abort(LeaseAbort.newBuilder().setLease(lease).build());
            }
        }
    }
}
