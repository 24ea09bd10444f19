package dev.tandem.core;

import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;
import org.jspecify.annotations.Nullable;

/// What the core knows of one worker's tier, the store of evicted blocks behind its pool: which prefixes it has, and
/// what is on its way there and back. A hash is known by its first word only, since a mistake costs a look: the worker
/// compares all of it. Owned by the core.
final class Tier {
    private static final int WORDS = PrefixHasher.WORDS;
    private static final int[] NONE = {};

    private final int blocksMax;
    private final LongHashSet stored = new LongHashSet();
    private final LongHashSet storing = new LongHashSet();
    private final Long2ObjectHashMap<Store> stores = new Long2ObjectHashMap<>();
    private final Long2ObjectHashMap<Load> loads = new Long2ObjectHashMap<>();
    private long requests;

    /// Free blocks have come or gone since the last look for something to store.
    boolean isLookDue = true;

    /// How long loads take of late.
    final LearnedRatio ratio = new LearnedRatio();

    /// Blocks on their way out, held meanwhile.
    private record Store(int[] blocks, long[] hashes, long beganNanos) {}

    /// A prefix on its way back.
    ///
    /// @param presentBlocks of its table, before those that are loaded
    record Load(
            long request,
            Residence to,
            int presentBlocks,
            int blocks,
            long[] hashes,
            long beganNanos,
            long endNanos,
            double predictedSeconds) {}

    Tier(int blocksMax) {
        this.blocksMax = blocksMax;
    }

    int blocks() {
        return stored.size();
    }

    boolean has(long[] hashes, int index) {
        return stored.contains(hashes[index * WORDS]);
    }

    /// Whether a block with this hash need not be stored: it is there, on its way, or there is no room to remember it.
    boolean hasNoUseFor(long firstWord) {
        return stored.contains(firstWord)
                || storing.contains(firstWord)
                || stored.size() >= 2L * blocksMax;
    }

    boolean isStoring() {
        return !stores.isEmpty();
    }

    long nextRequest() {
        return ++requests;
    }

    void store(long request, int[] blocks, long[] hashes, long nowNanos) {
        stores.put(request, new Store(blocks, hashes, nowNanos));
        for (int i = 0; i < hashes.length; i += WORDS) {
            storing.add(hashes[i]);
        }
    }

    /// Ends a store.
    ///
    /// @param count blocks that were stored, the leading ones
    /// @return the blocks that it held, none if there is no such store
    int[] storeEnded(long request, int count) {
        Store store = stores.remove(request);
        if (store == null) {
            return NONE;
        }
        for (int i = 0; i < store.blocks().length; i++) {
            long firstWord = store.hashes()[i * WORDS];
            storing.remove(firstWord);
            if (i < count) {
                stored.add(firstWord);
            }
        }
        isLookDue = true;
        return store.blocks();
    }

    /// Whether something asked for before `nanos` has no answer: a worker like this holds blocks for ever.
    boolean isSilentSince(long nanos) {
        for (Store store : stores.values()) {
            if (store.beganNanos() < nanos) {
                return true;
            }
        }
        for (Load load : loads.values()) {
            if (load.beganNanos() < nanos) {
                return true;
            }
        }
        return false;
    }

    void load(Load load) {
        loads.put(load.request(), load);
    }

    /// Ends a load; null if there is none of that number.
    @Nullable Load loadEnded(long request) {
        return loads.remove(request);
    }

    Iterable<Load> loads() {
        return loads.values();
    }

    boolean isLoading() {
        return !loads.isEmpty();
    }

    /// What was believed to be there is not.
    void missing(long firstWord) {
        stored.remove(firstWord);
    }

    /// The worker's news: what it has, what it has no more.
    void heard(long[] nowStored, long[] dropped) {
        for (int i = 0; i < nowStored.length && stored.size() < 2L * blocksMax; i += WORDS) {
            stored.add(nowStored[i]);
        }
        for (int i = 0; i < dropped.length; i += WORDS) {
            stored.remove(dropped[i]);
        }
    }

    /// Counts the blocks that are held while they are copied aside.
    void countHeld(int[] holders) {
        for (Store store : stores.values()) {
            for (int block : store.blocks()) {
                holders[block]++;
            }
        }
    }
}
