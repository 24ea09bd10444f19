package dev.tandem.core;

/// Log-probabilities (natural, of the raw logits) of one sampled token. The arrays are parallel, most probable
/// first, and must not be changed.
public record TokenLogprobs(float logprob, int[] topTokens, float[] topLogprobs) {}
