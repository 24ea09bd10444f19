package dev.tandem.api;

import dev.tandem.api.GenerationService.GenerationRequest;
import dev.tandem.api.GenerationService.TokenSink;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.FinishReason;
import dev.tandem.core.TokenLogprobs;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// What happens to a request's choices, from the service's thread to the request's own. Bounded by the tokens that the
/// request asked for, so enqueueing never has to wait; a service that sends more is broken and the request fails.
final class CallEvents {
    /// How many events are taken in one go, so that a fast service can't keep a stream from being written.
    private static final int BATCH_MAX = 1024;

    /// Start and end of a choice, and interruptions of the whole.
    private static final int EXTRA_EVENTS = 3;

    sealed interface Event {}

    record Token(int choice, int token, @Nullable TokenLogprobs logprobs) implements Event {}

    record Started(int choice, int cachedTokens) implements Event {}

    record Finished(int choice, FinishReason reason) implements Event {}

    record Failed(ErrorCategory category, String code, String message, long retryAfterMillis)
            implements Event {}

    record Interrupted(Interruption why) implements Event {}

    /// What ends a request from outside.
    enum Interruption {
        CLIENT_GONE,
        SHUT_DOWN
    }

    private final LinkedBlockingQueue<Event> queue;
    private volatile boolean overflowed;

    CallEvents(List<GenerationRequest> sequences) {
        long capacity = EXTRA_EVENTS;
        for (GenerationRequest sequence : sequences) {
            capacity += sequence.maxTokens() + EXTRA_EVENTS;
        }
        queue = new LinkedBlockingQueue<>((int) Math.min(capacity, Integer.MAX_VALUE));
    }

    /// Never blocks; any thread.
    void add(Event event) {
        if (!queue.offer(event)) {
            overflowed = true;
        }
    }

    /// The sink of one choice, for [GenerationService#submit].
    TokenSink sink(int choice) {
        return new TokenSink() {
            @Override
            public void onToken(int token, @Nullable TokenLogprobs logprobs) {
                add(new Token(choice, token, logprobs));
            }

            @Override
            public void onStarted(int cachedTokens) {
                add(new Started(choice, cachedTokens));
            }

            @Override
            public void onFinished(FinishReason reason) {
                add(new Finished(choice, reason));
            }

            @Override
            public void onFailed(
                    ErrorCategory category, String code, String message, long retryAfterMillis) {
                add(new Failed(category, code, message, retryAfterMillis));
            }
        };
    }

    /// Waits for the next event and takes all that have come by then.
    ///
    /// @param waitNanosMax nanoseconds
    /// @return in order; empty when the time is up
    /// @throws IllegalStateException the service sent more than was asked for
    List<Event> take(long waitNanosMax) throws InterruptedException {
        Event first = queue.poll(waitNanosMax, TimeUnit.NANOSECONDS);
        if (overflowed) {
            throw new IllegalStateException("more tokens than the request's max_tokens");
        }
        if (first == null) {
            return List.of();
        }
        var events = new ArrayList<Event>();
        events.add(first);
        queue.drainTo(events, BATCH_MAX - 1);
        return events;
    }
}
