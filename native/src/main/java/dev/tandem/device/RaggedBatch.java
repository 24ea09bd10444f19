package dev.tandem.device;

import java.util.Arrays;

/// Rows of unequal length to compute in one forward pass. A reusable buffer: cleared and filled by the engine before
/// each step, so that a warm step allocates nothing. Not thread-safe.
///
/// Row r has the tokens `tokens[tokenStart(r) .. tokenStart(r) + count(r))`, which stand at the positions
/// `from(r) ..` of their sequence; its block table lists the KV blocks of the whole sequence, in order.
public final class RaggedBatch {
    private int rows;
    private int tokenCount;
    private int blockCount;
    private int[] tokens = new int[256];
    private int[] blocks = new int[256];
    private int[] tokenStart = new int[16];
    private int[] count = new int[16];
    private int[] from = new int[16];
    private int[] blockStart = new int[16];
    private boolean[] sample = new boolean[16];

    public void clear() {
        rows = 0;
        tokenCount = 0;
        blockCount = 0;
    }

    /// Adds one row.
    ///
    /// @param source holds the sequence's tokens; `[from, from + count)` are computed by this row
    /// @param blockTable holds `blockTableSize` block numbers, enough for `from + count` tokens
    /// @param sample whether logits are wanted after the last token
    public void addRow(
            int[] source,
            int from,
            int count,
            int[] blockTable,
            int blockTableSize,
            boolean sample) {
        ensureRow();
        tokens = ensure(tokens, tokenCount + count);
        blocks = ensure(blocks, blockCount + blockTableSize);
        System.arraycopy(source, from, tokens, tokenCount, count);
        System.arraycopy(blockTable, 0, blocks, blockCount, blockTableSize);
        this.tokenStart[rows] = tokenCount;
        this.count[rows] = count;
        this.from[rows] = from;
        this.blockStart[rows] = blockCount;
        this.sample[rows] = sample;
        rows++;
        tokenCount += count;
        blockCount += blockTableSize;
    }

    public int rows() {
        return rows;
    }

    /// Tokens of all rows together.
    public int tokenCount() {
        return tokenCount;
    }

    /// The i-th token of the batch, counted over all rows.
    public int token(int i) {
        return tokens[i];
    }

    public int tokenStart(int row) {
        return tokenStart[row];
    }

    public int count(int row) {
        return count[row];
    }

    /// Position of the row's first token in its sequence.
    public int from(int row) {
        return from[row];
    }

    /// The block that holds tokens `[index * blockTokens, ...)` of the row's sequence.
    public int block(int row, int index) {
        return blocks[blockStart[row] + index];
    }

    public boolean samples(int row) {
        return sample[row];
    }

    private void ensureRow() {
        if (rows == count.length) {
            int size = rows * 2;
            tokenStart = Arrays.copyOf(tokenStart, size);
            count = Arrays.copyOf(count, size);
            from = Arrays.copyOf(from, size);
            blockStart = Arrays.copyOf(blockStart, size);
            sample = Arrays.copyOf(sample, size);
        }
    }

    private static int[] ensure(int[] array, int size) {
        return size <= array.length
                ? array
                : Arrays.copyOf(array, Math.max(size, array.length * 2));
    }
}
