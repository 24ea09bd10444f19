package dev.tandem.core;

import java.util.Map;

/// How a sequence's tokens are drawn from the logits. Immutable; the core only carries it to the workers.
///
/// The order of the operations is that of vLLM V1's sampler for the penalties (bias, repetition, frequency,
/// presence), then temperature, top-k, top-p and min-p as in transformers.
///
/// @param temperature below 1e-5 means greedy
/// @param topK tokens kept, 0 = all
/// @param topP mass kept, 1 = all
/// @param minP least probability kept relative to the most probable token, 0 = all
/// @param repetitionPenalty divides positive and multiplies negative logits of ids in prompt or output, 1 = off
/// @param presencePenalty subtracted once from ids in the output
/// @param frequencyPenalty subtracted per occurrence from ids in the output
/// @param seed the token at position p is a pure function of (weights, prefix, seed, p)
/// @param logitBias added to logits, by token id
/// @param logprobs whether log-probabilities of sampled tokens are reported
/// @param topLogprobs how many most probable tokens are reported with each, 0..20
public record SamplingParameters(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        long seed,
        Map<Integer, Float> logitBias,
        boolean logprobs,
        int topLogprobs) {

    public SamplingParameters {
        logitBias = Map.copyOf(logitBias);
    }

    /// Greedy decoding without penalties.
    public static SamplingParameters greedy() {
        return new SamplingParameters(0, 0, 1, 0, 1, 0, 0, 0, Map.of(), false, 0);
    }
}
