package dev.tandem.core;

/// Why an accepted sequence ended well.
public enum FinishReason {
    /// An end-of-sequence token, a stop token id or a stop string.
    STOP,
    /// The request's token limit or the model's context.
    LENGTH
}
