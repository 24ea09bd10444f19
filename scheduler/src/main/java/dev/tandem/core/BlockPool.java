package dev.tandem.core;

import org.agrona.collections.Long2LongHashMap;

/// The KV blocks of one replica: who holds them and which prefix each contains. Numbers only; the bytes are on
/// the worker. A free block keeps its prefix until it is taken for something else, so the order of release is the
/// order of eviction. Not thread-safe; owned by the core.
///
/// Invariants: a block is in the free list exactly when its reference count is 0; `used() + free() == blocks`.
public final class BlockPool {
    private static final long MISSING = -1;
    private static final int WORDS = PrefixHasher.WORDS;

    private final int blockTokens;
    private final int[] references;

    /// Hash of each block, [PrefixHasher#WORDS] words; means something where `indexed`.
    private final long[] hashes;

    private final boolean[] indexed;
    private final Long2LongHashMap blockByHash = new Long2LongHashMap(MISSING);
    // The free list: a ring through `blocks` entries and a sentinel at index `blocks`, oldest
    // first.
    private final int[] next;
    private final int[] previous;
    private final int sentinel;
    private int free;

    public BlockPool(int blocks, int blockTokens) {
        this.blockTokens = blockTokens;
        this.references = new int[blocks];
        this.hashes = new long[blocks * WORDS];
        this.indexed = new boolean[blocks];
        this.next = new int[blocks + 1];
        this.previous = new int[blocks + 1];
        this.sentinel = blocks;
        next[sentinel] = sentinel;
        previous[sentinel] = sentinel;
        for (int block = 0; block < blocks; block++) {
            addFree(block, previous[sentinel]);
        }
    }

    public int blocks() {
        return references.length;
    }

    /// Blocks that can be taken; some of them may still hold a cached prefix.
    public int free() {
        return free;
    }

    /// Blocks held by sequences.
    public int used() {
        return references.length - free;
    }

    /// Blocks, held or free, that can be found by their prefix.
    public int cached() {
        return blockByHash.size();
    }

    /// How many hold this block.
    int references(int block) {
        return references[block];
    }

    public int blocksFor(int tokens) {
        return Math.ceilDiv(tokens, blockTokens);
    }

    /// Extends `table` to hold `tokens` tokens, all or nothing.
    ///
    /// @return false, and nothing changed, when too few blocks are free; being full is not an error
    public boolean grow(BlockTable table, int tokens) {
        int missing = blocksFor(tokens) - table.size();
        if (missing > free) {
            return false;
        }
        for (int i = 0; i < missing; i++) {
            int block = next[sentinel];
            removeFree(block);
            forget(block);
            references[block] = 1;
            table.add(block);
        }
        return true;
    }

    /// How many of the first `count` hashes are cached without a gap.
    public int cachedPrefix(long[] prefix, int count) {
        int hits = 0;
        while (hits < count && find(prefix, hits) >= 0) {
            hits++;
        }
        return hits;
    }

    /// Of the longest cached prefix of the first `count` hashes, the blocks that somebody holds: sharing them takes
    /// nothing from the free ones.
    public int cachedPrefixInUse(long[] prefix, int count) {
        int inUse = 0;
        for (int i = 0; i < count; i++) {
            int block = find(prefix, i);
            if (block < 0) {
                break;
            }
            inUse += references[block] > 0 ? 1 : 0;
        }
        return inUse;
    }

    /// Appends the cached blocks of the longest prefix of the first `count` hashes to an empty table.
    ///
    /// @return how many blocks were found
    public int share(BlockTable table, long[] prefix, int count) {
        int hits = 0;
        while (hits < count) {
            int block = find(prefix, hits);
            if (block < 0) {
                break;
            }
            if (references[block]++ == 0) {
                removeFree(block);
            }
            table.add(block);
            hits++;
        }
        return hits;
    }

    /// Makes a full block findable by hash number `index` of `prefix`. A second block with the same content stays unknown.
    public void index(int block, long[] prefix, int index) {
        long key = prefix[index * WORDS];
        if (!indexed[block] && blockByHash.get(key) == MISSING) {
            indexed[block] = true;
            System.arraycopy(prefix, index * WORDS, hashes, block * WORDS, WORDS);
            blockByHash.put(key, block);
        }
    }

    /// Gives all blocks back, tail first: more prompts share the head, so it is evicted last. Blocks that hold no
    /// findable prefix are taken again before any that do.
    public void release(BlockTable table) {
        while (!table.isEmpty()) {
            int block = table.removeLast();
            if (references[block] <= 0) {
                throw new IllegalStateException("block " + block + " released twice");
            }
            if (--references[block] == 0) {
                addFree(block, !indexed[block] ? sentinel : previous[sentinel]);
            }
        }
    }

    private int find(long[] prefix, int index) {
        long found = blockByHash.get(prefix[index * WORDS]);
        if (found == MISSING) {
            return -1;
        }
        int block = (int) found;
        for (int i = 1; i < WORDS; i++) {
            if (hashes[block * WORDS + i] != prefix[index * WORDS + i]) {
                return -1;
            }
        }
        return block;
    }

    private void forget(int block) {
        if (indexed[block]) {
            blockByHash.remove(hashes[block * WORDS]);
            indexed[block] = false;
        }
    }

    private void addFree(int block, int after) {
        int before = next[after];
        next[after] = block;
        previous[block] = after;
        next[block] = before;
        previous[before] = block;
        free++;
    }

    private void removeFree(int block) {
        next[previous[block]] = next[block];
        previous[next[block]] = previous[block];
        free--;
    }
}
