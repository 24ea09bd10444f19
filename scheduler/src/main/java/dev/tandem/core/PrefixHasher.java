package dev.tandem.core;

import dev.tandem.kv.BlockHash;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Names prefixes by the hash chain of [BlockHash], kept as words rather than byte arrays: hashes of many blocks lie in
/// one array and compare fast. Allocates nothing but the arrays it returns. Not thread-safe: one owner, which may hash for
/// many sequences.
public final class PrefixHasher {
    /// Words of 64 bits in one hash; the first is the hash's first eight bytes, big-endian.
    public static final int WORDS = BlockHash.BYTES / Long.BYTES;

    /// The seed that vLLM and its routers use when none is configured.
    private static final byte[] ROOT = BlockHash.root("0");

    private static final VarHandle AS_WORDS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final BlockHash hash = new BlockHash();
    private final byte[] bytes = new byte[BlockHash.BYTES];

    /// The hashes of all full blocks of the first `length` tokens.
    public long[] hashesOf(int[] tokens, int length, int blockTokens, String cacheSalt) {
        long[] hashes = new long[length / blockTokens * WORDS];
        for (int block = 0; block < length / blockTokens; block++) {
            next(hashes, block, tokens, block * blockTokens, blockTokens, cacheSalt);
        }
        return hashes;
    }

    /// Writes the hash of one full block behind those of its predecessors.
    ///
    /// @param from where the block's tokens start in `tokens`
    void next(long[] hashes, int block, int[] tokens, int from, int blockTokens, String cacheSalt) {
        if (block == 0) {
            System.arraycopy(ROOT, 0, bytes, 0, bytes.length);
        } else {
            for (int i = 0; i < WORDS; i++) {
                AS_WORDS.set(bytes, i * Long.BYTES, hashes[(block - 1) * WORDS + i]);
            }
        }
        hash.chain(bytes, tokens, from, blockTokens, block == 0 ? cacheSalt : "");
        for (int i = 0; i < WORDS; i++) {
            hashes[block * WORDS + i] = (long) AS_WORDS.get(bytes, i * Long.BYTES);
        }
    }
}
