package dev.tandem.engine;

import dev.tandem.wire.Sampling;

import org.jspecify.annotations.Nullable;

/// How one sequence's tokens are drawn, and what its penalties need to know of the tokens so far. Counts are only
/// kept where a penalty is set. Owned by the engine thread.
final class SamplingState {
    /// Most alternatives reported with a sampled token.
    static final int TOP_LOGPROBS_MAX = 20;

    /// Temperatures below mean greedy.
    static final float GREEDY_BELOW = 1e-5f;

    final float temperature;
    final int topK;
    final float topP;
    final float minP;
    final float repetitionPenalty;
    final float presencePenalty;
    final float frequencyPenalty;
    final long seed;
    final int[] biasTokens;
    final float[] biases;
    final boolean logprobs;
    final int topLogprobs;
    final @Nullable TokenCounts counts;

    /// @param sampling has passed [#problem]
    SamplingState(Sampling sampling) {
        temperature = sampling.getTemperature();
        topK = sampling.getTopK();
        topP = sampling.getTopP();
        minP = sampling.getMinP();
        repetitionPenalty = sampling.getRepetitionPenalty();
        presencePenalty = sampling.getPresencePenalty();
        frequencyPenalty = sampling.getFrequencyPenalty();
        seed = sampling.getSeed();
        biasTokens = new int[sampling.getLogitBiasCount()];
        biases = new float[sampling.getLogitBiasCount()];
        for (int i = 0; i < biases.length; i++) {
            biasTokens[i] = sampling.getLogitBias(i).getToken();
            biases[i] = sampling.getLogitBias(i).getBias();
        }
        logprobs = sampling.getLogprobs();
        topLogprobs = sampling.getTopLogprobs();
        boolean penalised = repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
        counts = penalised ? new TokenCounts() : null;
    }

    boolean greedy() {
        return temperature < GREEDY_BELOW;
    }

    boolean changesLogits() {
        return counts != null || biases.length > 0;
    }

    void addPrompt(int token) {
        if (counts != null) {
            counts.addPrompt(token);
        }
    }

    void addOutput(int token) {
        if (counts != null) {
            counts.addOutput(token);
        }
    }

    /// Says what is wrong with sampling parameters, in words; null when they can be used.
    static @Nullable String problem(Sampling sampling, int vocabulary) {
        if (!(sampling.getTemperature() >= 0) || Float.isInfinite(sampling.getTemperature())) {
            return "temperature " + sampling.getTemperature() + " is not a number >= 0";
        }
        if (sampling.getTopK() < 0) {
            return "top_k " + Integer.toUnsignedString(sampling.getTopK()) + " is above 2^31 - 1";
        }
        if (!(sampling.getTopP() >= 0 && sampling.getTopP() <= 1)) {
            return "top_p " + sampling.getTopP() + " is not in 0..1";
        }
        if (!(sampling.getMinP() >= 0 && sampling.getMinP() <= 1)) {
            return "min_p " + sampling.getMinP() + " is not in 0..1";
        }
        if (!(sampling.getRepetitionPenalty() > 0)
                || Float.isInfinite(sampling.getRepetitionPenalty())) {
            return "repetition_penalty " + sampling.getRepetitionPenalty() + " is not above 0";
        }
        if (!Float.isFinite(sampling.getPresencePenalty())
                || !Float.isFinite(sampling.getFrequencyPenalty())) {
            return "presence_penalty or frequency_penalty is not finite";
        }
        if (Integer.compareUnsigned(sampling.getTopLogprobs(), TOP_LOGPROBS_MAX) > 0) {
            return "top_logprobs "
                    + Integer.toUnsignedString(sampling.getTopLogprobs())
                    + " is above "
                    + TOP_LOGPROBS_MAX;
        }
        for (int i = 0; i < sampling.getLogitBiasCount(); i++) {
            int token = sampling.getLogitBias(i).getToken();
            if (Integer.compareUnsigned(token, vocabulary) >= 0) {
                return "logit_bias names token "
                        + Integer.toUnsignedString(token)
                        + ", the vocabulary ends at "
                        + (vocabulary - 1);
            }
            if (!Float.isFinite(sampling.getLogitBias(i).getBias())) {
                return "logit_bias of token " + token + " is not finite";
            }
        }
        return null;
    }
}
