package dev.tandem.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

import dev.tandem.api.ChoiceStream.Delta;
import dev.tandem.api.ChoiceStream.SampledToken;
import dev.tandem.core.TokenLogprobs;
import dev.tandem.text.Tokenizer;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/// The JSON of one answer, whole or in chunks; what both endpoints have in common. One per request, not thread-safe.
abstract sealed class AnswerWriter permits ChatWriter, CompletionWriter {
    private static final JsonFactory JSON = new JsonFactory();

    /// JSON has no minus infinity; this is what vLLM writes.
    private static final float LOGPROB_LEAST = -9999;

    /// What every chunk of an answer repeats.
    ///
    /// @param createdSeconds since the epoch
    /// @param systemFingerprint tells answers of different weights apart
    record Head(String id, long createdSeconds, String model, String systemFingerprint) {}

    /// @param cachedTokens prompt tokens that were not computed anew
    record UsageTotals(int promptTokens, int completionTokens, int cachedTokens) {}

    /// A choice that has ended: all its text and tokens.
    record EndedChoice(
            int index,
            int[] promptTokens,
            Delta all,
            String finishReason,
            @Nullable Object stopReason) {}

    final Head head;
    final OutputOptions output;
    private final Tokenizer tokenizer;

    AnswerWriter(Head head, OutputOptions output, Tokenizer tokenizer) {
        this.head = head;
        this.output = output;
        this.tokenizer = tokenizer;
    }

    /// The answer to a request without `stream`.
    abstract byte[] whole(List<EndedChoice> choices, UsageTotals usage);

    /// @return a choice's first chunk, before any token; null if the endpoint has none
    abstract byte @Nullable [] opening(int index, int[] promptTokens);

    abstract byte[] delta(int index, Delta delta);

    /// A choice's last chunk, with its `finish_reason` and no text.
    abstract byte[] ending(int index, String finishReason, @Nullable Object stopReason);

    /// A stream's last chunk when the request wants usage.
    abstract byte[] usage(UsageTotals usage);

    interface Body {
        void write(JsonGenerator json) throws IOException;
    }

    /// One JSON object with the head's fields, then the body's.
    byte[] document(String objectName, Body body) {
        return object(
                json -> {
                    json.writeStringField("id", head.id());
                    json.writeStringField("object", objectName);
                    json.writeNumberField("created", head.createdSeconds());
                    json.writeStringField("model", head.model());
                    json.writeStringField("system_fingerprint", head.systemFingerprint());
                    body.write(json);
                });
    }

    static byte[] object(Body body) {
        var bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            body.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return bytes.toByteArray();
    }

    static void writeUsage(JsonGenerator json, UsageTotals usage) throws IOException {
        json.writeObjectFieldStart("usage");
        json.writeNumberField("prompt_tokens", usage.promptTokens());
        json.writeNumberField("completion_tokens", usage.completionTokens());
        json.writeNumberField("total_tokens", usage.promptTokens() + usage.completionTokens());
        json.writeObjectFieldStart("prompt_tokens_details");
        json.writeNumberField("cached_tokens", usage.cachedTokens());
        json.writeEndObject();
        json.writeEndObject();
    }

    /// `usage: null` in every chunk but the last, if the last one has it.
    void writeNoUsage(JsonGenerator json) throws IOException {
        if (output.includeUsage()) {
            json.writeNullField("usage");
        }
    }

    void writeEnd(JsonGenerator json, @Nullable String finishReason, @Nullable Object stopReason)
            throws IOException {
        json.writeStringField("finish_reason", finishReason);
        json.writeFieldName("stop_reason");
        switch (stopReason) {
            case null -> json.writeNull();
            case Integer token -> json.writeNumber(token);
            default -> json.writeString(stopReason.toString());
        }
    }

    void writeTokenIds(JsonGenerator json, List<SampledToken> tokens) throws IOException {
        if (output.returnTokenIds()) {
            json.writeArrayFieldStart("token_ids");
            for (SampledToken token : tokens) {
                json.writeNumber(token.id());
            }
            json.writeEndArray();
        }
    }

    void writePromptIds(JsonGenerator json, int[] tokens) throws IOException {
        if (output.returnTokenIds()) {
            json.writeFieldName("prompt_token_ids");
            json.writeArray(tokens, 0, tokens.length);
        }
    }

    /// What a token looks like alone; U+FFFD where it holds only a part of a character.
    String tokenText(int token) {
        return tokenizer.decode(new int[] {token}, false);
    }

    byte[] tokenBytes(int token) {
        byte[] bytes = tokenizer.bytes(token);
        return bytes.length > 0 ? bytes : tokenText(token).getBytes(StandardCharsets.UTF_8);
    }

    static TokenLogprobs logprobsOf(SampledToken token) {
        return Objects.requireNonNull(token.logprobs(), "checked when the token came");
    }

    static float finite(float logprob) {
        return Math.max(logprob, LOGPROB_LEAST);
    }
}
