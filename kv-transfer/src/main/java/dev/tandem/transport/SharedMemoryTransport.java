package dev.tandem.transport;

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

/// Pieces copied straight into the receiver's mapped pool; a gRPC stream beside it carries checksums, commit and
/// receipt. The receiver's [PoolLedger] says where a slot is, and is claimed around each copy. A piece for which it
/// says nothing travels inside a frame instead, so that the receiver decides: not granted yet, over, or granted just
/// now.
public final class SharedMemoryTransport implements BlockTransport {
    private final KvShape shape;
    private final long writerIncarnation;
    private final GrpcDialer dialer;
    private final TransferMetrics metrics;
    private final String host = HostIdentity.local();

    /// @param shape of the own blocks, and of every receiver's
    public SharedMemoryTransport(
            KvShape shape, long writerIncarnation, GrpcDialer dialer, TransferMetrics metrics) {
        this.shape = shape;
        this.writerIncarnation = writerIncarnation;
        this.dialer = dialer;
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
            pool.enter(writerIncarnation);
            return new Link(
                    pool,
                    dialer.open(endpoint.getAddress(), receiverIncarnation, waitMillisMax),
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
        public BlockChannel open(long lease, long writer, Events events) {
            if (writer != writerIncarnation) {
                throw new IllegalArgumentException("a lease of another writer");
            }
            return new Channel(this, connection.push(lease, writer, events), lease);
        }

        @Override
        public void close() {
            connection.close();
            pool.close();
        }
    }

    private final class Channel implements BlockChannel {
        private final Link link;
        private final ControlStream stream;
        private final long lease;
        private final long blockBytes = shape.blockBytes();
        private int[] blockBySlot = new int[0];

        Channel(Link link, ControlStream stream, long lease) {
            this.link = link;
            this.stream = stream;
            this.lease = lease;
        }

        @Override
        public boolean ready() {
            return stream.ready();
        }

        @Override
        public void put(int slot, long offset, MemorySegment memory, long from, long bytes) {
            int block = claim(slot);
            if (block < 0) {
                metrics.piecesInline.increment();
                stream.flush(); // in order
                stream.inline(slot, offset, memory, from, bytes);
                return;
            }
            int crc;
            try {
                long to = block * blockBytes + offset;
                crc = Crc32c.copy(memory, from, link.pool.memory(), to, bytes);
            } finally {
                link.pool.ledger().release(block);
            }
            stream.inPlace(slot, offset, bytes, crc);
        }

        /// @return the receiver's block, ours until released; negative when it is not ours to write
        private int claim(int slot) {
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
            int block = blockBySlot[slot];
            return ledger.claim(block, lease, writerIncarnation, slot) ? block : -1;
        }

        @Override
        public void flush() {
            stream.flush();
        }

        @Override
        public void commit(int pieces) {
            stream.commit(pieces);
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
