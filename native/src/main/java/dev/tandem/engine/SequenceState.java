package dev.tandem.engine;

import dev.tandem.wire.SequenceStart;

import java.util.Arrays;

/// One live sequence: the tokens known, how many of them have their KV computed, and the blocks that hold it.
/// Owned by the engine thread.
final class SequenceState {
    final long sequence;
    final SamplingState sampling;

    /// Prompt, then output; the first `size` are known.
    int[] tokens;

    int size;

    /// Tokens whose KV is in `blocks`; never more than `size`.
    int computed;

    /// Block numbers in the order of the tokens; the first `blockCount` are set.
    int[] blocks;

    int blockCount;

    /// @param start has passed the validation
    SequenceState(SequenceStart start) {
        sequence = start.getSequence();
        sampling = new SamplingState(start.getSampling());
        size = start.getTokensCount();
        tokens = new int[size + 64];
        for (int i = 0; i < size; i++) {
            tokens[i] = start.getTokens(i);
            if (i < start.getPromptTokens()) {
                sampling.addPrompt(tokens[i]);
            } else {
                sampling.addOutput(tokens[i]);
            }
        }
        computed = start.getComputed();
        blockCount = start.getBlocksCount();
        blocks = new int[blockCount + 8];
        for (int i = 0; i < blockCount; i++) {
            blocks[i] = start.getBlocks(i);
        }
    }

    /// Appends a sampled token.
    void addOutput(int token) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, size * 2);
        }
        tokens[size++] = token;
        sampling.addOutput(token);
    }

    void addBlock(int block) {
        if (blockCount == blocks.length) {
            blocks = Arrays.copyOf(blocks, blockCount * 2);
        }
        blocks[blockCount++] = block;
    }
}
