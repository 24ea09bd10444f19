package dev.tandem.coordinator;

import dev.tandem.api.GenerationService;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.Event;
import dev.tandem.core.PrefixHasher;
import dev.tandem.core.Prompt;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicLong;

/// The front's way to the agent. Safe to call from any thread.
final class CoordinatorGeneration implements GenerationService {
    private final CoordinatorAgent agent;
    private final AtomicLong nextSequence = new AtomicLong(1);

    CoordinatorGeneration(CoordinatorAgent agent) {
        this.agent = agent;
    }

    @Override
    public Handle submit(GenerationRequest request, TokenSink sink) {
        long sequence = nextSequence.getAndIncrement();
        int blockTokens = agent.blockTokens();
        // Hashed here, on the caller's thread: the agent has better things to do.
        int[] tokens = request.promptTokens();
        long[] hashes =
                blockTokens == 0
                        ? new long[0]
                        : new PrefixHasher()
                                .hashesOf(tokens, tokens.length, blockTokens, request.cacheSalt());
        Event.Submit submit =
                new Event.Submit(
                        sequence,
                        new Prompt(tokens, tokens.length, hashes, request.cacheSalt()),
                        request.maxTokens(),
                        request.sampling(),
                        request.stopTokenIds(),
                        request.terms());
        if (!agent.offer(new AgentMessage.Submission(submit, sink, System.nanoTime()))) {
            sink.onFailed(
                    ErrorCategory.CAPACITY, "rate_limit_exceeded", "The server is overloaded.", 0);
        }
        return new Handle() {
            @Override
            public void stop() {
                end(true);
            }

            @Override
            public void cancel() {
                end(false);
            }

            // The inbox drains within microseconds; a full one must not lose this.
            private void end(boolean satisfied) {
                while (!agent.offer(new AgentMessage.Cancellation(sequence, satisfied))) {
                    Thread.onSpinWait();
                }
            }
        };
    }

    @Override
    public @Nullable ServedModel model() {
        return agent.model();
    }

    @Override
    public boolean ready() {
        return agent.roster().joinedCount() > 0 && agent.makesProgress();
    }
}
