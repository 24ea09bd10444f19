package dev.tandem.device;

import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;
import dev.tandem.model.ModelConfig;

/// Bounds of a batch. The engine has validated its plan; this is the last line before kernels that trust block numbers,
/// and costs one look at every token and block.
final class BatchChecks {
    private BatchChecks() {}

    /// Checks everything and returns the longest context, in tokens.
    ///
    /// @throws IllegalArgumentException a token, position or block is out of range, or the pool has another shape
    static int contextTokens(RaggedBatch batch, KvPool pool, ModelConfig config, KvShape shape) {
        if (!pool.shape().equals(shape)) {
            throw new IllegalArgumentException(
                    "the pool's blocks are %s, the model's %s".formatted(pool.shape(), shape));
        }
        int longest = 0;
        for (int row = 0; row < batch.rows(); row++) {
            int from = batch.from(row);
            int count = batch.count(row);
            if (from < 0 || count < 1 || count > config.contextTokensMax() - from) {
                throw new IllegalArgumentException(
                        "row %d: %d tokens from position %d do not fit into a context of %d"
                                .formatted(row, count, from, config.contextTokensMax()));
            }
            longest = Math.max(longest, from + count);
            for (int i = 0; i < Math.ceilDiv(from + count, shape.blockTokens()); i++) {
                int block = batch.block(row, i);
                if (block < 0 || block >= pool.blocks()) {
                    throw new IllegalArgumentException(
                            "row %d: block %d, the pool has %d"
                                    .formatted(row, block, pool.blocks()));
                }
            }
        }
        for (int i = 0; i < batch.tokenCount(); i++) {
            int token = batch.token(i);
            if (token < 0 || token >= config.vocabulary()) {
                throw new IllegalArgumentException(
                        "token %d, the vocabulary has %d".formatted(token, config.vocabulary()));
            }
        }
        return longest;
    }
}
