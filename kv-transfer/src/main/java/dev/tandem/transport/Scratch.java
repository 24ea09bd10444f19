package dev.tandem.transport;

import java.util.zip.CRC32C;

/// A thread's buffer between a pool and gRPC's buffers, small enough for the second-level cache, so that bytes are
/// checked while they pass.
final class Scratch {
    private static final int CHUNK_BYTES = 64 << 10;
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    final byte[] chunk = new byte[CHUNK_BYTES];
    final CRC32C crc = new CRC32C();

    private Scratch() {}

    static Scratch ofThread() {
        return OF_THREAD.get();
    }
}
