package dev.tandem.core;

/// The tokens that a sequence starts with. Handed over: nobody changes the arrays afterwards, and several prompts may
/// share them.
///
/// @param tokens the first `length` of them are the prompt
/// @param length tokens, at least 1
/// @param hashes the hash chain of the full blocks, [PrefixHasher#WORDS] words a block; may be shorter: the core
///     computes the rest
/// @param cacheSalt separates prefix caches; empty = shared
public record Prompt(int[] tokens, int length, long[] hashes, String cacheSalt) {
    private static final long[] NO_HASHES = {};

    public Prompt {
        if (length < 1 || length > tokens.length) {
            throw new IllegalArgumentException(
                    "a prompt of %d tokens in an array of %d".formatted(length, tokens.length));
        }
    }

    /// A prompt whose hashes the core computes itself.
    public static Prompt of(int... tokens) {
        return new Prompt(tokens, tokens.length, NO_HASHES, "");
    }
}
