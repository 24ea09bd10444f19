package dev.tandem.device;

import dev.tandem.model.ModelConfig;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Memory of one forward pass, reused by the next and grown when a batch is larger than any before. Row-major float32;
/// N is the number of tokens in the batch.
final class CpuScratch {
    private static final int GROWTH_TOKENS = 16;

    private final ModelConfig config;

    /// Tokens in the batch.
    int tokens;

    /// Keys that all queries of the batch see together, windows not counted: a measure of attention's work.
    long visibleTokens;

    /// `[N, hidden]`: the residual stream.
    float[] residual = {};

    /// `[N, hidden]`: the normalised input of a product; at the end that of the rows that sample.
    float[] normed = {};

    /// `[N, hidden]`: what a block adds to the residual stream.
    float[] delta = {};

    /// `[N, queries + keys + values]` in attention, `[N, gates + ups]` in the MLP.
    float[] projected = {};

    /// `[N, queryWidth]` attention's output; `[N, intermediate]` the MLP's activations.
    float[] attended = {};

    /// `[samples, vocabulary]`, and the same as a segment.
    float[] logits = {};

    MemorySegment logitsMemory = MemorySegment.ofArray(logits);

    /// `[N]`: position of each token in its sequence.
    int[] position = {};

    /// `[N]`: where the blocks of the token's row start in [#blocks].
    int[] blocksFrom = {};

    /// Block tables of all rows, one after the other.
    int[] blocks = {};

    CpuScratch(ModelConfig config) {
        this.config = config;
    }

    /// Lays out the tokens of a batch whose bounds have been checked.
    void prepare(RaggedBatch batch, int blockTokens) {
        tokens = batch.tokenCount();
        visibleTokens = 0;
        grow();
        int blockCount = 0;
        for (int row = 0; row < batch.rows(); row++) {
            int end = batch.from(row) + batch.count(row);
            int rowBlocks = Math.ceilDiv(end, blockTokens);
            if (blocks.length < blockCount + rowBlocks) {
                blocks = Arrays.copyOf(blocks, 2 * (blockCount + rowBlocks));
            }
            for (int i = 0; i < rowBlocks; i++) {
                blocks[blockCount + i] = batch.block(row, i);
            }
            for (int i = 0; i < batch.count(row); i++) {
                int token = batch.tokenStart(row) + i;
                position[token] = batch.from(row) + i;
                blocksFrom[token] = blockCount;
                visibleTokens += position[token] + 1;
            }
            blockCount += rowBlocks;
        }
    }

    void growLogits(int samples) {
        int floats = Math.multiplyExact(samples, config.vocabulary());
        if (logits.length < floats) {
            logits = new float[floats];
            logitsMemory = MemorySegment.ofArray(logits);
        }
    }

    private void grow() {
        if (position.length >= tokens) {
            return;
        }
        int n = Math.ceilDiv(tokens, GROWTH_TOKENS) * GROWTH_TOKENS;
        int attention = config.queryWidth() + 2 * config.kvWidth();
        residual = new float[Math.multiplyExact(n, config.hidden())];
        normed = new float[residual.length];
        delta = new float[residual.length];
        projected =
                new float[Math.multiplyExact(n, Math.max(attention, 2 * config.intermediate()))];
        attended =
                new float
                        [Math.multiplyExact(
                                n, Math.max(config.queryWidth(), config.intermediate()))];
        blocksFrom = new int[n];
        position = new int[n];
    }
}
