package dev.tandem.core;

import java.util.List;

/// The core's state at one moment, for metrics and load signals. Immutable.
///
/// @param waiting sequences that live nowhere yet
/// @param waitingTokens their known tokens
/// @param running sequences placed on a replica
/// @param transferring handoffs that have not joined their decode replica
public record CoreSnapshot(
        long number,
        long nanos,
        int waiting,
        long waitingTokens,
        int running,
        int transferring,
        List<ReplicaSnapshot> replicas,
        Totals totals) {

    /// @param blocksUsed held by sequences, including those that are leaving
    /// @param blocksCached findable by their prefix, held or free
    public record ReplicaSnapshot(
            int id,
            String name,
            ReplicaRole role,
            int blocks,
            int blockTokens,
            int blocksUsed,
            int blocksCached,
            int sequences,
            int plansInFlight,
            int pendingPrefillTokens) {}

    /// Counts since the start.
    ///
    /// @param computedTokens tokens computed, recomputed ones counted again
    /// @param kvBytesMoved bytes of committed KV transfers between workers
    /// @param kvBlocksPresent blocks that did not have to move, since the receiver had them
    public record Totals(
            long plans,
            long computedTokens,
            long promptTokens,
            long generatedTokens,
            long prefixQueriedTokens,
            long prefixHitTokens,
            long preemptions,
            long recomputes,
            long handoffs,
            long handoffsFailed,
            long leasesExpired,
            long kvBytesMoved,
            long kvBlocksPresent) {}
}
