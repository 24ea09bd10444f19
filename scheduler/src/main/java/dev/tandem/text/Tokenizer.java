package dev.tandem.text;

/// Text to token ids and back, exactly as the model's own `tokenizer.json` says. Safe to use from any thread.
public interface Tokenizer extends AutoCloseable {
    /// @param addSpecialTokens whether the tokenizer's post-processor adds its own (such as a leading BOS); a
    ///     rendered chat brings its own and says false
    int[] encode(String text, boolean addSpecialTokens);

    /// Invalid UTF-8 becomes U+FFFD.
    String decode(int[] tokens, boolean skipSpecialTokens);

    /// The exact bytes that a token stands for within a text; empty for ids that have none.
    byte[] bytes(int token);

    /// Ids are below this.
    int vocabulary();

    /// A new incremental decoder for one sequence.
    Detokenizer detokenizer(boolean skipSpecialTokens);

    /// Like [#detokenizer], for tokens that go on from a prompt: a leading space that the tokenizer drops at the start of
    /// a text (SentencePiece's rule) is kept, since prompt and continuation are one text.
    default Detokenizer continuation(boolean skipSpecialTokens) {
        return detokenizer(skipSpecialTokens);
    }

    @Override
    void close();
}
