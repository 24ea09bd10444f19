package dev.tandem.transport;

import dev.tandem.kv.KvShape;

/// Limits of a [TransportSender].
///
/// @param sendsQueuedMax sends accepted but not yet taken up, all receivers together
/// @param leasesMax leases under way, all receivers together
/// @param receiversMax receivers with a thread and a connection each
/// @param connectWaitMillisMax for one transport to open
/// @param retryWaitMillisMin before a lease is tried again that the receiver does not know yet; doubles
/// @param retryWaitMillisMax where the doubling stops
/// @param idleMillisMax after which a receiver's thread and connection are given up
/// @param pieceBytesMax sent at once, unless one layer is more
public record SenderOptions(
        int sendsQueuedMax,
        int leasesMax,
        int receiversMax,
        long connectWaitMillisMax,
        long retryWaitMillisMin,
        long retryWaitMillisMax,
        long idleMillisMax,
        int pieceBytesMax) {

    private static final int GROUPS = 4;
    private static final int GROUP_BYTES_MIN = 64 << 10;

    public static SenderOptions defaults() {
        return new SenderOptions(1024, 1024, 64, 5000, 2, 100, 60_000, 1 << 20);
    }

    /// Layers that are computed before they are sent together: a quarter of them, so that most of a chunk's KV is gone
    /// when its last layer is computed, but no smaller pieces than 64 KiB, where the cost per piece would show.
    public static int groupLayers(KvShape shape) {
        long bytesMin = Math.ceilDiv(GROUP_BYTES_MIN, shape.layerBytes());
        return (int)
                Math.min(shape.layers(), Math.max(Math.ceilDiv(shape.layers(), GROUPS), bytesMin));
    }

    /// Layers of one piece at most.
    int pieceLayersMax(KvShape shape) {
        return (int) Math.max(1, pieceBytesMax / shape.layerBytes());
    }
}
