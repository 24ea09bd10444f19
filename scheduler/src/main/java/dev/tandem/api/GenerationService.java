package dev.tandem.api;

import dev.tandem.admission.Terms;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.FinishReason;
import dev.tandem.core.SamplingParameters;
import dev.tandem.core.TokenLogprobs;

import org.jspecify.annotations.Nullable;

import java.util.Set;

/// What the front needs from the coordinator: token ids in, token ids out. Implemented by the coordinator's
/// agent; safe to call from any thread.
public interface GenerationService {
    /// Hands over one sequence. Returns at once; every call ends in exactly one `onFinished` or `onFailed`,
    /// unless the handle is cancelled first.
    Handle submit(GenerationRequest request, TokenSink sink);

    /// Facts of the model that the workers serve; null until the first worker has joined.
    @Nullable ServedModel model();

    /// True when requests can be served: at least one worker that can decode is joined and the agent is making
    /// progress.
    boolean ready();

    /// @param promptTokens not empty; not copied, must not be changed afterwards
    /// @param maxTokens tokens to generate at most, >= 1; prompt plus maxTokens never exceeds the model's context
    /// @param stopTokenIds ids that end the sequence (end-of-sequence ids included, unless `ignore_eos`); the
    ///     stopping id is reported to the sink as the last token
    /// @param cacheSalt separates prefix caches; empty = shared
    /// @param terms who asks and how soon it has to be done; the deadline on `System.nanoTime`'s clock
    record GenerationRequest(
            int[] promptTokens,
            int maxTokens,
            SamplingParameters sampling,
            Set<Integer> stopTokenIds,
            String cacheSalt,
            Terms terms) {}

    /// @param contextTokensMax prompt and output together
    record ServedModel(String fingerprint, int vocabulary, int contextTokensMax) {}

    /// Receives a sequence's tokens in order. Called on the coordinator's agent thread: implementations only
    /// enqueue, and never block.
    interface TokenSink {
        /// Comes once, before the first token.
        ///
        /// @param cachedTokens prompt tokens whose KV came from a prefix cache
        void onStarted(int cachedTokens);

        void onToken(int token, @Nullable TokenLogprobs logprobs);

        void onFinished(FinishReason reason);

        /// @param code OpenAI's error code, such as `context_length_exceeded`
        /// @param retryAfterMillis when it may be worth trying again; 0 = unknown
        void onFailed(ErrorCategory category, String code, String message, long retryAfterMillis);
    }

    /// The front's hold on a submitted sequence. All calls may come from any thread, more than once.
    interface Handle {
        /// The text matched a stop string: no further tokens are needed. The sink gets no further call but
        /// possibly tokens that were on their way.
        void stop();

        /// The client is gone: everything is freed within a step, the sink may get late tokens.
        void cancel();
    }
}
