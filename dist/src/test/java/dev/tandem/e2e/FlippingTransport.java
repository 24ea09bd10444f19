package dev.tandem.e2e;

import dev.tandem.kv.KvPools;
import dev.tandem.kv.KvShape;
import dev.tandem.kv.SharedKvPool;
import dev.tandem.transport.BlockChannel;
import dev.tandem.transport.BlockLink;
import dev.tandem.transport.BlockTransport;
import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;

/// Shared memory that flips a bit of every tenth piece or so, in the receiver's pool, after it was written and before
/// the receiver looks at it.
final class FlippingTransport implements BlockTransport {
    private static final int ONE_IN = 10;

    private final BlockTransport transport;
    private final Random random;

    FlippingTransport(BlockTransport transport, long seed) {
        this.transport = transport;
        this.random = new Random(seed);
    }

    @Override
    public TransportKind kind() {
        return transport.kind();
    }

    @Override
    public BlockLink open(TransferEndpoint endpoint, long incarnation, long waitMillisMax)
            throws IOException, InterruptedException {
        BlockLink link = transport.open(endpoint, incarnation, waitMillisMax);
        return new BlockLink() {
            @Override
            public BlockChannel open(long lease, long writer, Events events) {
                return new Channel(
                        link.open(lease, writer, events),
                        Path.of(endpoint.getPoolPath()),
                        incarnation,
                        lease,
                        writer);
            }

            @Override
            public void close() {
                link.close();
            }
        };
    }

    private final class Channel implements BlockChannel {
        private final BlockChannel channel;
        private final Path path;
        private final long incarnation;
        private final long lease;
        private final long writer;

        Channel(BlockChannel channel, Path path, long incarnation, long lease, long writer) {
            this.channel = channel;
            this.path = path;
            this.incarnation = incarnation;
            this.lease = lease;
            this.writer = writer;
        }

        @Override
        public void put(int slot, long offset, MemorySegment memory, long from, long bytes) {
            channel.put(slot, offset, memory, from, bytes);
            if (random.nextInt(ONE_IN) == 0) {
                flip(slot, offset + random.nextLong(bytes));
            }
        }

        private void flip(int slot, long at) {
            try (SharedKvPool pool = KvPools.attach(path, shape(), incarnation)) {
                int[] blocks = pool.ledger().locate(lease, writer);
                if (slot < blocks.length && blocks[slot] >= 0) {
                    long place = blocks[slot] * pool.shape().blockBytes() + at;
                    byte was = pool.memory().get(ValueLayout.JAVA_BYTE, place);
                    pool.memory()
                            .set(
                                    ValueLayout.JAVA_BYTE,
                                    place,
                                    (byte) (was ^ 1 << random.nextInt(Byte.SIZE)));
                } // else the piece went inside its frame
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /// Of the default model's blocks.
        private static KvShape shape() {
            return TestCluster.defaultShape();
        }

        @Override
        public boolean ready() {
            return channel.ready();
        }

        @Override
        public void flush() {
            channel.flush();
        }

        @Override
        public void commit(int pieces) {
            channel.commit(pieces);
        }

        @Override
        public void abort(String reason) {
            channel.abort(reason);
        }

        @Override
        public void finish() {
            channel.finish();
        }
    }
}
