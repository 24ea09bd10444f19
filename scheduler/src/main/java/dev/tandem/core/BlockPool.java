package dev.tandem.core;

/// The KV blocks of one replica: who holds them and which prefix each contains. Numbers only; the bytes are on
/// the worker. A free block keeps its prefix until it is taken for something else, so the order of release is the
/// order of eviction. Not thread-safe; owned by the core.
///
/// Invariants: a block is in the free list exactly when its reference count is 0; `used() + free() == blocks`.
public final class BlockPool {
    private static final int WORDS = PrefixHasher.WORDS;

    private final int blockTokens;
    private final int[] references;

    /// Hash of each block, [PrefixHasher#WORDS] words; means something where `indexed`.
    private final long[] hashes;

    private final boolean[] indexed;

    /// Blocks plus one by hash, 0 = none: open addressing with linear probing. Hashes are spread evenly by their making, so
    /// their low bits are the place.
    private final int[] byHash;

    private int cached;
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
        this.byHash = new int[Math.max(2, Integer.highestOneBit(blocks) * 4)];
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
        return cached;
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
        if (!indexed[block] && find(prefix, index) < 0) {
            indexed[block] = true;
            System.arraycopy(prefix, index * WORDS, hashes, block * WORDS, WORDS);
            int at = place(block);
            while (byHash[at] != 0) {
                at = after(at);
            }
            byHash[at] = block + 1;
            cached++;
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

    /// Holds free blocks that contain a prefix which the tier has not, looking at the next ones to be taken.
    ///
    /// @param most of them
    /// @param held out: those blocks
    /// @return how many
    int holdOldest(Tier tier, int looksMax, int most, int[] held) {
        int count = 0;
        int block = next[sentinel];
        for (int looks = 0; looks < looksMax && block != sentinel && count < most; looks++) {
            int following = next[block];
            if (indexed[block] && !tier.hasNoUseFor(hashes[block * WORDS])) {
                references[block]++;
                removeFree(block);
                held[count++] = block;
            }
            block = following;
        }
        return count;
    }

    /// Gives back what [#holdOldest] held; unless somebody shares it since, it is still the oldest.
    void letGo(int[] held) {
        for (int i = held.length - 1; i >= 0; i--) {
            if (--references[held[i]] == 0) {
                addFree(held[i], sentinel);
            }
        }
    }

    /// The hashes of blocks that contain a prefix.
    long[] hashesOf(int[] blocks) {
        long[] of = new long[blocks.length * WORDS];
        for (int i = 0; i < blocks.length; i++) {
            System.arraycopy(hashes, blocks[i] * WORDS, of, i * WORDS, WORDS);
        }
        return of;
    }

    private int find(long[] prefix, int index) {
        int from = index * WORDS;
        int at = (int) prefix[from] & byHash.length - 1;
        while (byHash[at] != 0) {
            int block = byHash[at] - 1;
            if (hashes[block * WORDS] == prefix[from] && isSame(block * WORDS, prefix, from)) {
                return block;
            }
            at = after(at);
        }
        return -1;
    }

    private boolean isSame(int own, long[] prefix, int from) {
        for (int i = 1; i < WORDS; i++) {
            if (hashes[own + i] != prefix[from + i]) {
                return false;
            }
        }
        return true;
    }

    private int place(int block) {
        return (int) hashes[block * WORDS] & byHash.length - 1;
    }

    private int after(int at) {
        return at + 1 & byHash.length - 1;
    }

    /// Takes a block out and moves up those behind it that may stand nearer to their place (Knuth, The Art of Computer
    /// Programming 3, section 6.4, algorithm R).
    private void forget(int block) {
        if (!indexed[block]) {
            return;
        }
        indexed[block] = false;
        cached--;
        int hole = place(block);
        while (byHash[hole] != block + 1) {
            hole = after(hole);
        }
        int mask = byHash.length - 1;
        for (int at = after(hole); byHash[at] != 0; at = after(at)) {
            int place = place(byHash[at] - 1);
            if ((at - place & mask) >= (at - hole & mask)) {
                byHash[hole] = byHash[at];
                hole = at;
            }
        }
        byHash[hole] = 0;
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
