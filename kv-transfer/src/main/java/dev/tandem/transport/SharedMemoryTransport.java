package dev.tandem.transport;

import com.google.protobuf.ByteString;

import dev.tandem.kv.Crc32c;
import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.kv.PoolLedger;
import dev.tandem.kv.SharedKvPool;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// Blocks copied straight into the receiver's mapped pool; a gRPC stream beside it carries checksum, commit and
/// receipt. The receiver's [PoolLedger] says where a slot is and whether the lease still lives. A block for
/// which it says nothing travels inside its frame instead, so that the receiver decides: not granted yet, over,
/// or granted just now.
final class SharedMemoryTransport implements BlockTransport {
    private final KvShape shape;
    private final TransferMetrics metrics;
    private final String host = HostIdentity.local();

    SharedMemoryTransport(KvShape shape, TransferMetrics metrics) {
        this.shape = shape;
        this.metrics = metrics;
    }

    @Override
    public TransportKind kind() {
        return TransportKind.TRANSPORT_KIND_SHARED_MEMORY;
    }

    @Override
    public BlockLink open(TransferEndpoint endpoint, long receiverIncarnation, long waitMillisMax)
            throws IOException, InterruptedException {
        if (host.isEmpty() || !host.equals(endpoint.getHost())) {
            throw new IOException("the receiver is on another host");
        }
        SharedKvPool pool = attach(endpoint.getPoolPath(), receiverIncarnation);
        try {
            return new Link(
                    pool,
                    GrpcConnection.open(endpoint.getAddress(), receiverIncarnation, waitMillisMax),
                    receiverIncarnation);
        } catch (IOException | InterruptedException | RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    private SharedKvPool attach(String path, long receiverIncarnation) throws IOException {
        try {
            return KvPools.attach(Path.of(path), shape, receiverIncarnation);
        } catch (InvalidPathException e) {
            throw new IOException("bad path of a KV pool: " + path, e);
        }
    }

    private final class Link implements BlockLink {
        private final SharedKvPool pool;
        private final GrpcConnection connection;
        private final long receiverIncarnation;

        Link(SharedKvPool pool, GrpcConnection connection, long receiverIncarnation) {
            this.pool = pool;
            this.connection = connection;
            this.receiverIncarnation = receiverIncarnation;
        }

        @Override
        public BlockChannel open(long lease, long writerIncarnation, Events events) {
            PushStream stream = connection.push(lease, writerIncarnation, events);
            return new Channel(this, stream, lease, writerIncarnation);
        }

        @Override
        public void close() {
            connection.close();
            pool.close();
        }
    }

    private final class Channel implements BlockChannel {
        private final Link link;
        private final PushStream stream;
        private final long lease;
        private final long writerIncarnation;
        private int[] blockBySlot = new int[0];

        Channel(Link link, PushStream stream, long lease, long writerIncarnation) {
            this.link = link;
            this.stream = stream;
            this.lease = lease;
            this.writerIncarnation = writerIncarnation;
        }

        @Override
        public boolean ready() {
            return stream.ready();
        }

        @Override
        public void put(int slot, MemorySegment block) {
            int target = locate(slot);
            if (target < 0) {
                metrics.blocksInline.increment();
                GrpcTransport.putInline(stream, slot, block);
                return;
            }
            int crc = Crc32c.copy(block, link.pool.block(target));
            stream.block(slot, block.byteSize(), crc, ByteString.EMPTY);
        }

        /// @return the receiver's block, checked to be ours to write this moment; negative when it is not
        private int locate(int slot) {
            PoolLedger ledger = link.pool.ledger();
            if (link.pool.incarnation() != link.receiverIncarnation) {
                return -1;
            }
            if (slot >= blockBySlot.length || blockBySlot[slot] < 0) {
                blockBySlot = ledger.locate(lease, writerIncarnation);
            }
            if (slot >= blockBySlot.length || blockBySlot[slot] < 0) {
                return -1;
            }
            boolean open = ledger.isOpen(blockBySlot[slot], lease, writerIncarnation, slot);
            return open ? blockBySlot[slot] : -1;
        }

        @Override
        public void commit(int blocks) {
            stream.commit(blocks);
        }

        @Override
        public void abort(String reason) {
            stream.abort(reason);
        }

        @Override
        public void finish() {
            stream.finish();
        }
    }
}
