package dev.tandem.sim.engine;

import dev.tandem.core.Event;
import dev.tandem.core.FinishReason;

import org.agrona.collections.Long2ObjectHashMap;

/// What one worker alone, undisturbed, would generate: tells each token that a client must get next. Owned by the simulation.
final class TokenOracle {
    private final Long2ObjectHashMap<Expected> open = new Long2ObjectHashMap<>();

    private static final class Expected {
        final Event.Submit submit;
        long prefix = CheckedKv.emptyPrefix();
        int tokens;
        boolean stopped;

        Expected(Event.Submit submit) {
            this.submit = submit;
            for (int i = 0; i < submit.prompt().length(); i++) {
                prefix = CheckedKv.extend(prefix, submit.prompt().tokens()[i]);
            }
        }
    }

    void submitted(Event.Submit submit) {
        open.put(submit.sequence(), new Expected(submit));
    }

    void token(long sequence, int token) {
        Expected expected = open.get(sequence);
        if (expected == null) {
            throw new BrokenPromiseException(
                    "a token of sequence %d, which is not open".formatted(sequence));
        }
        int right = CheckedKv.sample(expected.prefix, expected.submit.sampling().seed());
        if (token != right || expected.stopped) {
            throw new BrokenPromiseException(
                    "token %d of sequence %d is %d, must be %s"
                            .formatted(
                                    expected.tokens,
                                    sequence,
                                    token,
                                    expected.stopped ? "none after a stop token" : right));
        }
        expected.tokens++;
        expected.prefix = CheckedKv.extend(expected.prefix, token);
        expected.stopped = expected.submit.stopTokenIds().contains(token);
    }

    void finished(long sequence, FinishReason reason) {
        Expected expected = open.remove(sequence);
        if (expected == null) {
            throw new BrokenPromiseException(
                    "sequence %d ends, but is not open".formatted(sequence));
        }
        FinishReason right = expected.stopped ? FinishReason.STOP : FinishReason.LENGTH;
        boolean full = expected.tokens == expected.submit.maxTokens();
        if (reason != right || !expected.stopped && !full) {
            throw new BrokenPromiseException(
                    "sequence %d ends by %s after %d of %d tokens, the last one a stop token: %s"
                            .formatted(
                                    sequence,
                                    reason,
                                    expected.tokens,
                                    expected.submit.maxTokens(),
                                    expected.stopped));
        }
    }

    /// Cancelled or failed.
    void gone(long sequence) {
        open.remove(sequence);
    }
}
