package dev.tandem.api;

import dev.tandem.core.FinishReason;
import dev.tandem.core.TokenLogprobs;
import dev.tandem.text.Detokenizer;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// One choice of an answer: tokens in, text out. It ends when the service says so or when a stop string appears, whichever
/// is first; tokens that come after are dropped. Not thread-safe; owned by the request's thread.
final class ChoiceStream {
    /// A token that was generated; `logprobs` only where the request wants them.
    record SampledToken(int id, @Nullable TokenLogprobs logprobs) {}

    /// What is new since the last look.
    ///
    /// @param tokens empty unless the request wants ids or log-probabilities; includes those whose text is held back
    record Delta(String text, List<SampledToken> tokens) {
        boolean isEmpty() {
            return text.isEmpty() && tokens.isEmpty();
        }
    }

    private final OutputOptions output;
    private final Detokenizer detokenizer;
    private final StopMatcher matcher;
    private final StringBuilder text = new StringBuilder();
    private List<SampledToken> tokens = new ArrayList<>();
    private int tokensSeen;
    private @Nullable Integer stopToken;
    private @Nullable FinishReason reason;
    private int cachedTokens;

    ChoiceStream(OutputOptions output, Detokenizer detokenizer) {
        this.output = output;
        this.detokenizer = detokenizer;
        this.matcher = new StopMatcher(output.stopStrings(), output.includeStop());
    }

    void started(int cached) {
        cachedTokens = cached;
    }

    /// @return true when this token completed a stop string, so that the service need not go on
    boolean token(int token, @Nullable TokenLogprobs logprobs) {
        if (reason != null) {
            return false;
        }
        tokensSeen++;
        if (output.returnTokenIds() || output.logprobs()) {
            if (output.logprobs() && logprobs == null) {
                throw new IllegalStateException("a token came without its log-probabilities");
            }
            tokens.add(new SampledToken(token, logprobs));
        }
        if (output.stopTokenIds().contains(token)) {
            stopToken = token;
            if (!output.includeStop()) {
                return false; // the service ends the sequence here
            }
        }
        text.append(matcher.push(detokenizer.push(token)));
        if (matcher.matched() != null) {
            reason = FinishReason.STOP;
            return true;
        }
        return false;
    }

    /// The service has ended the sequence. Does nothing after a stop string.
    void finish(FinishReason serviceReason) {
        if (reason != null) {
            return;
        }
        text.append(matcher.push(detokenizer.finish()));
        text.append(matcher.finish());
        reason = matcher.matched() == null ? serviceReason : FinishReason.STOP;
    }

    Delta takeDelta() {
        var delta = new Delta(text.toString(), tokens);
        text.setLength(0);
        tokens = new ArrayList<>();
        return delta;
    }

    boolean ended() {
        return reason != null;
    }

    /// OpenAI's word for why the choice ended.
    ///
    /// @throws IllegalStateException it has not
    String finishReason() {
        return switch (reason) {
            case null -> throw new IllegalStateException("the choice has not ended");
            case STOP -> "stop";
            case LENGTH -> "length";
        };
    }

    /// vLLM's `stop_reason`: the stop string or the requested stop token id that ended the choice.
    ///
    /// @return null for any other end, also for the model's own end-of-sequence token
    @Nullable Object stopReason() {
        if (matcher.matched() != null) {
            return matcher.matched();
        }
        boolean own = stopToken != null && output.endOfSequenceIds().contains(stopToken);
        return own ? null : stopToken;
    }

    /// Tokens generated, the stopping one included.
    int completionTokens() {
        return tokensSeen;
    }

    /// Prompt tokens that were not computed anew.
    int cachedTokens() {
        return cachedTokens;
    }
}
