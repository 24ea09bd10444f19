package dev.tandem.api;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tandem.api.ChoiceStream.Delta;
import dev.tandem.api.ChoiceStream.SampledToken;
import dev.tandem.core.TokenLogprobs;
import dev.tandem.text.Tokenizer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;

/// Answers of `/v1/completions`: `text_completion`, whole and as chunks.
final class CompletionWriter extends AnswerWriter {
    private static final String OBJECT = "text_completion";

    /// Per choice: code points of the tokens reported so far, the next token's `text_offset`.
    private final int[] textOffsets;

    CompletionWriter(Head head, OutputOptions output, Tokenizer tokenizer, int choices) {
        super(head, output, tokenizer);
        this.textOffsets = new int[choices];
    }

    @Override
    byte[] whole(List<EndedChoice> choices, UsageTotals usage) {
        return document(
                OBJECT,
                json -> {
                    json.writeArrayFieldStart("choices");
                    for (EndedChoice choice : choices) {
                        writeChoice(
                                json,
                                choice.index(),
                                choice.all(),
                                choice.finishReason(),
                                choice.stopReason(),
                                choice.promptTokens());
                    }
                    json.writeEndArray();
                    writeUsage(json, usage);
                });
    }

    @Override
    byte @Nullable [] opening(int index, int[] promptTokens) {
        var nothing = new Delta("", List.of());
        return output.returnTokenIds() ? chunk(index, nothing, null, null, promptTokens) : null;
    }

    @Override
    byte[] delta(int index, Delta delta) {
        return chunk(index, delta, null, null, null);
    }

    @Override
    byte[] ending(int index, String finishReason, @Nullable Object stopReason) {
        return chunk(index, new Delta("", List.of()), finishReason, stopReason, null);
    }

    @Override
    byte[] usage(UsageTotals usage) {
        return document(
                OBJECT,
                json -> {
                    json.writeArrayFieldStart("choices");
                    json.writeEndArray();
                    writeUsage(json, usage);
                });
    }

    private byte[] chunk(
            int index,
            Delta delta,
            @Nullable String finishReason,
            @Nullable Object stopReason,
            int @Nullable [] promptTokens) {
        return document(
                OBJECT,
                json -> {
                    json.writeArrayFieldStart("choices");
                    writeChoice(json, index, delta, finishReason, stopReason, promptTokens);
                    json.writeEndArray();
                    writeNoUsage(json);
                });
    }

    private void writeChoice(
            JsonGenerator json,
            int index,
            Delta delta,
            @Nullable String finishReason,
            @Nullable Object stopReason,
            int @Nullable [] promptTokens)
            throws IOException {
        json.writeStartObject();
        json.writeNumberField("index", index);
        json.writeStringField("text", delta.text());
        if (output.logprobs() && !delta.tokens().isEmpty()) {
            writeLogprobs(json, index, delta.tokens());
        } else {
            json.writeNullField("logprobs");
        }
        writeEnd(json, finishReason, stopReason);
        writeTokenIds(json, delta.tokens());
        if (promptTokens != null) {
            writePromptIds(json, promptTokens);
        }
        json.writeEndObject();
    }

    private void writeLogprobs(JsonGenerator json, int index, List<SampledToken> tokens)
            throws IOException {
        json.writeObjectFieldStart("logprobs");
        json.writeArrayFieldStart("text_offset");
        for (SampledToken token : tokens) {
            String text = tokenText(token.id());
            json.writeNumber(textOffsets[index]);
            textOffsets[index] += text.codePointCount(0, text.length());
        }
        json.writeEndArray();
        json.writeArrayFieldStart("token_logprobs");
        for (SampledToken token : tokens) {
            json.writeNumber(finite(logprobsOf(token).logprob()));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("tokens");
        for (SampledToken token : tokens) {
            json.writeString(tokenText(token.id()));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("top_logprobs");
        for (SampledToken token : tokens) {
            writeAlternatives(json, token);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /// The most probable tokens by text, and always the chosen one, so up to one more than was asked for. Tokens may look
    /// the same (parts of characters do); a JSON object can only have the first of them.
    private void writeAlternatives(JsonGenerator json, SampledToken token) throws IOException {
        TokenLogprobs logprobs = logprobsOf(token);
        var written = new HashSet<String>();
        json.writeStartObject();
        String chosen = tokenText(token.id());
        written.add(chosen);
        json.writeNumberField(chosen, finite(logprobs.logprob()));
        int alternatives = Math.min(output.topLogprobs(), logprobs.topTokens().length);
        for (int i = 0; i < alternatives; i++) {
            String text = tokenText(logprobs.topTokens()[i]);
            if (written.add(text)) {
                json.writeNumberField(text, finite(logprobs.topLogprobs()[i]));
            }
        }
        json.writeEndObject();
    }
}
