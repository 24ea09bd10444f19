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
    /// @param sequencesMax running sequences allowed now: the static maximum or the adaptive cap
    /// @param queueSeconds predicted until a new prompt would start here
    /// @param slowness of its steps compared with its peers', 1 = as fast
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
            int pendingPrefillTokens,
            int sequencesMax,
            double queueSeconds,
            double slowness) {}

    /// Counts since the start.
    ///
    /// @param computedTokens tokens computed, recomputed ones counted again
    /// @param kvBytesMoved bytes of committed KV transfers between workers
    /// @param kvBlocksPresent blocks that did not have to move, since the receiver had them
    /// @param prefixFetches cached prefixes that another replica was asked to send
    /// @param prefixFetchedTokens tokens of those that have come
    /// @param tierStoredBlocks evicted blocks that were copied aside before
    /// @param tierLoads prefixes that workers were asked to bring back from their tiers
    /// @param tierLoadedTokens tokens of those that have come
    /// @param hedges prefills started a second time on another replica
    /// @param hedgesWon of these, those that were first
    /// @param refused requests that admission turned away at once
    /// @param shed waiting requests given up for others of a higher lane
    /// @param expired requests ended because of their deadline
    /// @param retriesDelayed restarts that had to wait for the retry budget
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
            long kvBlocksPresent,
            long prefixFetches,
            long prefixFetchedTokens,
            long tierStoredBlocks,
            long tierLoads,
            long tierLoadedTokens,
            long hedges,
            long hedgesWon,
            long refused,
            long shed,
            long expired,
            long retriesDelayed) {}
}
