package dev.tandem.kv.tier;

import java.util.concurrent.atomic.LongAdder;

/// Counters of one worker's tiers. Each only grows, apart from the two that say so; any thread may read them.
public final class TierMetrics {
    final LongAdder stored = new LongAdder();
    final LongAdder storedBytes = new LongAdder();
    final LongAdder known = new LongAdder();
    final LongAdder demoted = new LongAdder();
    final LongAdder dropped = new LongAdder();
    final LongAdder hostHits = new LongAdder();
    final LongAdder diskHits = new LongAdder();
    final LongAdder loadedBytes = new LongAdder();
    final LongAdder misses = new LongAdder();
    final LongAdder corrupt = new LongAdder();
    final LongAdder diskFailures = new LongAdder();
    volatile int hostBlocks;
    volatile int diskBlocks;

    /// Blocks copied into a tier.
    public long stored() {
        return stored.sum();
    }

    /// Bytes of [#stored].
    public long storedBytes() {
        return storedBytes.sum();
    }

    /// Blocks that were to be stored and were there already.
    public long known() {
        return known.sum();
    }

    /// Blocks written from host memory to disk to make room.
    public long demoted() {
        return demoted.sum();
    }

    /// Blocks that are in no tier any more, because of room, damage or a failed disk.
    public long dropped() {
        return dropped.sum();
    }

    /// Blocks brought back from host memory.
    public long hostHits() {
        return hostHits.sum();
    }

    /// Blocks brought back from disk.
    public long diskHits() {
        return diskHits.sum();
    }

    /// Bytes of [#hostHits] and [#diskHits].
    public long loadedBytes() {
        return loadedBytes.sum();
    }

    /// Blocks asked for that were not there, or not unharmed.
    public long misses() {
        return misses.sum();
    }

    /// Copies of blocks found to be damaged, in either tier.
    public long corrupt() {
        return corrupt.sum();
    }

    /// Times that the disk was given up: 0 or 1 for each tier that was opened.
    public long diskFailures() {
        return diskFailures.sum();
    }

    /// Blocks in host memory now.
    public int hostBlocks() {
        return hostBlocks;
    }

    /// Blocks on disk now, some of them in host memory too.
    public int diskBlocks() {
        return diskBlocks;
    }

    @Override
    public String toString() {
        return "stored %d, known %d, hits %d in memory and %d on disk, misses %d, corrupt %d, dropped %d"
                .formatted(
                        stored(), known(), hostHits(), diskHits(), misses(), corrupt(), dropped());
    }
}
