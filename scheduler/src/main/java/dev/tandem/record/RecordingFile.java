package dev.tandem.record;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.zip.CRC32C;

/// A recording's file while it is written, in this thread. Frames are gathered and written in large pieces; [#flush]
/// gives the rest to the operating system, which keeps it when the process dies, not when the host does. Readable
/// by its owner only: it holds the users' tokens. Not thread-safe.
final class RecordingFile implements FrameSink {
    private static final int BUFFER_BYTES = 1 << 16;

    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    private final CRC32C crc = new CRC32C();

    RecordingFile(Path file, RecordingHeader header) throws IOException {
        this.channel =
                FileChannel.open(
                        file,
                        Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
                        ownerOnly(file));
        put(header.toBytes(), 0, header.toBytes().length);
        flush();
    }

    private static FileAttribute<?>[] ownerOnly(Path file) {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return new FileAttribute<?>[0];
        }
        Set<PosixFilePermission> owner = PosixFilePermissions.fromString("rw-------");
        return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(owner)};
    }

    /// Appends one frame and its CRC.
    void append(byte[] bytes, int from, int count) throws IOException {
        crc.reset();
        crc.update(bytes, from, count);
        put(bytes, from, count);
        if (buffer.remaining() < Frame.CRC_BYTES) {
            flush();
        }
        int value = (int) crc.getValue();
        buffer.putInt(Integer.reverseBytes(value)); // the buffer is big-endian, the file little
    }

    private void put(byte[] bytes, int from, int count) throws IOException {
        if (count > buffer.remaining()) {
            flush();
        }
        if (count <= buffer.remaining()) {
            buffer.put(bytes, from, count);
        } else {
            writeFully(ByteBuffer.wrap(bytes, from, count));
        }
    }

    void flush() throws IOException {
        buffer.flip();
        writeFully(buffer);
        buffer.clear();
    }

    private void writeFully(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    void close() throws IOException {
        try (channel) {
            flush();
        }
    }

    // ---- as a sink without a thread of its own: its errors are the caller's ----

    @Override
    public boolean offer(byte[] bytes, int count) {
        try {
            append(bytes, 0, count);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void finish(byte[] bytes, int count) {
        try {
            append(bytes, 0, count);
            close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void awaitClosed() {}
}
