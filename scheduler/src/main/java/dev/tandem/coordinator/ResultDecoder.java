package dev.tandem.coordinator;

import dev.tandem.core.Event;
import dev.tandem.core.TokenLogprobs;
import dev.tandem.wire.StepResult;

import org.jspecify.annotations.Nullable;

/// Turns a worker's step result into the core's event.
final class ResultDecoder {
    private ResultDecoder() {}

    static Event.StepDone stepDone(int replica, StepResult result) {
        if (result.getSequencesCount() != result.getTokensCount()) {
            throw new IllegalArgumentException("as many tokens as sequences are needed");
        }
        long[] sequences = new long[result.getSequencesCount()];
        for (int i = 0; i < sequences.length; i++) {
            sequences[i] = result.getSequences(i);
        }
        int[] tokens = new int[result.getTokensCount()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = result.getTokens(i);
        }
        @Nullable TokenLogprobs[] logprobs = null;
        if (result.getLogprobsCount() == tokens.length && tokens.length > 0) {
            logprobs = new TokenLogprobs[tokens.length];
            for (int i = 0; i < tokens.length; i++) {
                logprobs[i] = logprobs(result.getLogprobs(i));
            }
        }
        return new Event.StepDone(
                replica,
                result.getNumber(),
                tokens.length,
                sequences,
                tokens,
                logprobs,
                result.getNanos().getTotal());
    }

    private static @Nullable TokenLogprobs logprobs(dev.tandem.wire.TokenLogprobs message) {
        if (message.equals(dev.tandem.wire.TokenLogprobs.getDefaultInstance())) {
            return null; // this sequence did not ask
        }
        int[] tokens = new int[message.getTopTokensCount()];
        float[] values = new float[message.getTopLogprobsCount()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = message.getTopTokens(i);
            values[i] = message.getTopLogprobs(i);
        }
        return new TokenLogprobs(message.getLogprob(), tokens, values);
    }
}
