package dev.tandem.core;

import dev.tandem.kv.BlockHash;

/// Names prefixes by the hash chain of [BlockHash]. Not thread-safe: one owner, which may hash for many sequences.
public final class PrefixHasher {
    /// The seed that vLLM and its routers use when none is configured.
    private static final byte[] ROOT = BlockHash.root("0");

    private final BlockHash hash = new BlockHash();

    /// The hashes of all full blocks.
    public byte[][] hashesOf(int[] tokens, int blockTokens, String cacheSalt) {
        byte[][] hashes = new byte[tokens.length / blockTokens][];
        for (int block = 0; block < hashes.length; block++) {
            hashes[block] = next(hashes, block, tokens, blockTokens, cacheSalt);
        }
        return hashes;
    }

    /// The hash of one full block whose predecessors' hashes stand in `hashes`.
    byte[] next(byte[][] hashes, int block, int[] tokens, int blockTokens, String cacheSalt) {
        return block == 0
                ? hash.next(ROOT, tokens, 0, blockTokens, cacheSalt)
                : hash.next(hashes[block - 1], tokens, block * blockTokens, blockTokens, "");
    }
}
