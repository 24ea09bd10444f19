package dev.tandem.text;

/// Turns one sequence's tokens into text as they come. The pieces together equal the decoding of all tokens at
/// once, and no piece ends within a character. Not thread-safe; one sequence, one owner.
public interface Detokenizer {
    /// @return the text that became certain, often empty while a character is incomplete
    String push(int token);

    /// @return what was held back; an incomplete character becomes U+FFFD
    String finish();
}
