package dev.tandem.bench.transfer;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/// Plain TCP over the loopback: the source's memory is written, the target's is read into, one byte comes back when
/// all is there.
final class SocketWay implements Way {
    private static final int HEADER_BYTES = 2 * Integer.BYTES;

    private final Pools pools;
    private final SocketChannel writer;
    private final SocketChannel reader;
    private final Thread thread;
    private final ByteBuffer header = ByteBuffer.allocateDirect(HEADER_BYTES);

    SocketWay(Pools pools) throws IOException {
        this.pools = pools;
        try (var server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            writer = SocketChannel.open(server.getLocalAddress());
            reader = server.accept();
        }
        writer.setOption(StandardSocketOptions.TCP_NODELAY, true);
        reader.setOption(StandardSocketOptions.TCP_NODELAY, true);
        thread = Thread.ofPlatform().daemon().name("figures-socket").start(this::read);
    }

    @Override
    public String name() {
        return "TCP";
    }

    @Override
    public void move(int first, int count) throws IOException {
        long bytes = pools.blockBytes();
        header.clear().putInt(first).putInt(count).flip();
        writeAll(writer, header);
        writeAll(
                writer,
                pools.source().memory().asSlice(first * bytes, count * bytes).asByteBuffer());
        readAll(writer, header.clear().limit(1));
    }

    private void read() {
        ByteBuffer head = ByteBuffer.allocateDirect(HEADER_BYTES);
        long bytes = pools.blockBytes();
        try {
            while (true) {
                readAll(reader, head.clear());
                head.flip();
                int first = head.getInt();
                int count = head.getInt();
                readAll(
                        reader,
                        pools.target()
                                .memory()
                                .asSlice(first * bytes, count * bytes)
                                .asByteBuffer());
                writeAll(reader, head.clear().limit(1));
            }
        } catch (EOFException e) {
            // the writer is done
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void writeAll(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void readAll(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new EOFException();
            }
        }
    }

    @Override
    public boolean isEqual() {
        return pools.isEqual();
    }

    @Override
    public void close() throws Exception {
        writer.close();
        thread.join();
        reader.close();
        pools.close();
    }
}
