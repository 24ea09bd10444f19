package dev.tandem.sim.workload;

import dev.tandem.core.PrefixHasher;
import dev.tandem.core.Prompt;

/// Makes prompts from rows. Where a row has no tokens, its prompt shares one array with all others, and the hash chain
/// says what is equal: the core finds a prefix by its hashes alone. Not thread-safe; one workload owns it.
final class PromptMaker {
    private static final int WORDS = PrefixHasher.WORDS;
    private static final int VOCABULARY = 32_000;
    private static final long[] NONE = {};

    // Kinds of names, so that an id, a group and a sequence of the same number stay different.
    private static final long OF_ID = 1;
    private static final long OF_GROUP = 2;
    private static final long OF_ROW = 3;

    private final int blockTokens;
    private final int tokensPerId;
    private int[] shared = tokens(1 << 14);

    /// @throws IllegalArgumentException the trace's ids don't tell the blocks of this size apart
    PromptMaker(int blockTokens, int tokensPerId) {
        if (blockTokens < 1 || (tokensPerId > 0 && tokensPerId % blockTokens != 0)) {
            throw new IllegalArgumentException(
                    tokensPerId > 0
                            ? "blocks of %d tokens do not fit the trace, whose ids stand for %d tokens: choose a divisor"
                                    .formatted(blockTokens, tokensPerId)
                            : "blocks of %d tokens".formatted(blockTokens));
        }
        this.blockTokens = blockTokens;
        this.tokensPerId = tokensPerId;
    }

    private static int[] tokens(int length) {
        int[] tokens = new int[length];
        for (int i = 0; i < length; i++) {
            tokens[i] = i % VOCABULARY;
        }
        return tokens;
    }

    /// @param number of the row, unique in the workload
    /// @param repetition rows of another repetition are other texts
    Prompt make(TraceRow row, long number, long repetition) {
        int[] given = row.tokens;
        if (given != null) {
            return new Prompt(
                    given, row.inputTokens, NONE, repetition == 0 ? "" : "r" + repetition);
        }
        if (row.inputTokens > shared.length) {
            shared = tokens(Integer.highestOneBit(row.inputTokens - 1) << 1);
        }
        return new Prompt(shared, row.inputTokens, hashes(row, number, repetition), "");
    }

    private long[] hashes(TraceRow row, long number, long repetition) {
        int blocks = row.inputTokens / blockTokens;
        long[] hashes = new long[blocks * WORDS];
        int blocksPerId = tokensPerId == 0 ? 0 : tokensPerId / blockTokens;
        int named = Math.min(blocks, row.idCount * blocksPerId);
        int grouped = Math.min(blocks, row.groupTokens / blockTokens);
        for (int block = 0; block < blocks; block++) {
            long name;
            if (block < named) {
                name = Mixing.mix(row.ids[block / blocksPerId], OF_ID + (repetition << 2));
            } else if (block < grouped) {
                name = Mixing.mix(row.group, OF_GROUP + (repetition << 2));
            } else {
                name = Mixing.mix(number, OF_ROW);
            }
            long word = Mixing.mix(name, block);
            for (int i = 0; i < WORDS; i++) {
                hashes[block * WORDS + i] = word;
                word = word * 0xD134_2543_DE82_EF95L + 1;
            }
        }
        return hashes;
    }
}
