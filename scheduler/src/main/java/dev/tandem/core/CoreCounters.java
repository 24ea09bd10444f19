package dev.tandem.core;

/// Totals since the start, kept by the core and copied into its snapshots.
final class CoreCounters {
    long plans;
    long computedTokens;
    long promptTokens;
    long generatedTokens;
    long prefixQueriedTokens;
    long prefixHitTokens;
    long preemptions;
    long recomputes;
    long handoffs;
    long handoffsFailed;
    long leasesExpired;
    long kvBytesMoved;
    long kvBlocksPresent;
    long prefixFetches;
    long prefixFetchedTokens;
    long tierStoredBlocks;
    long tierLoads;
    long tierLoadedTokens;
    long hedges;
    long hedgesWon;
    long refused;
    long shed;
    long expired;
    long retriesDelayed;

    CoreSnapshot.Totals totals() {
        return new CoreSnapshot.Totals(
                plans,
                computedTokens,
                promptTokens,
                generatedTokens,
                prefixQueriedTokens,
                prefixHitTokens,
                preemptions,
                recomputes,
                handoffs,
                handoffsFailed,
                leasesExpired,
                kvBytesMoved,
                kvBlocksPresent,
                prefixFetches,
                prefixFetchedTokens,
                tierStoredBlocks,
                tierLoads,
                tierLoadedTokens,
                hedges,
                hedgesWon,
                refused,
                shed,
                expired,
                retriesDelayed);
    }
}
