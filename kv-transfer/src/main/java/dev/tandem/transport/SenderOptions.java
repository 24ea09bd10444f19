package dev.tandem.transport;

/// Limits of a [TransportSender].
///
/// @param sendsQueuedMax sends accepted but not yet taken up, all receivers together
/// @param leasesMax leases under way, all receivers together
/// @param receiversMax receivers with a thread and a connection each
/// @param connectWaitMillisMax for one transport to open
/// @param retryWaitMillisMin before a lease is tried again that the receiver does not know yet; doubles
/// @param retryWaitMillisMax where the doubling stops
/// @param idleMillisMax after which a receiver's thread and connection are given up
public record SenderOptions(
        int sendsQueuedMax,
        int leasesMax,
        int receiversMax,
        long connectWaitMillisMax,
        long retryWaitMillisMin,
        long retryWaitMillisMax,
        long idleMillisMax) {

    public static SenderOptions defaults() {
        return new SenderOptions(1024, 1024, 64, 5000, 2, 100, 60_000);
    }
}
