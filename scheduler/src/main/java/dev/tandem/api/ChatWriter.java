package dev.tandem.api;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tandem.api.ChoiceStream.Delta;
import dev.tandem.api.ChoiceStream.SampledToken;
import dev.tandem.core.TokenLogprobs;
import dev.tandem.text.Tokenizer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/// Answers of `/v1/chat/completions`: `chat.completion` and `chat.completion.chunk`.
final class ChatWriter extends AnswerWriter {
    private static final String CHUNK = "chat.completion.chunk";

    ChatWriter(Head head, OutputOptions output, Tokenizer tokenizer) {
        super(head, output, tokenizer);
    }

    @Override
    byte[] whole(List<EndedChoice> choices, UsageTotals usage) {
        return document(
                "chat.completion",
                json -> {
                    json.writeArrayFieldStart("choices");
                    for (EndedChoice choice : choices) {
                        writeChoice(json, choice);
                    }
                    json.writeEndArray();
                    writeUsage(json, usage);
                    writePromptIds(json, choices.getFirst().promptTokens());
                });
    }

    private void writeChoice(JsonGenerator json, EndedChoice choice) throws IOException {
        json.writeStartObject();
        json.writeNumberField("index", choice.index());
        json.writeObjectFieldStart("message");
        json.writeStringField("role", "assistant");
        json.writeStringField("content", choice.all().text());
        json.writeNullField("refusal");
        json.writeEndObject();
        writeLogprobs(json, choice.all().tokens());
        writeEnd(json, choice.finishReason(), choice.stopReason());
        writeTokenIds(json, choice.all().tokens());
        json.writeEndObject();
    }

    @Override
    byte[] opening(int index, int[] promptTokens) {
        return document(
                CHUNK,
                json -> {
                    json.writeArrayFieldStart("choices");
                    json.writeStartObject();
                    json.writeNumberField("index", index);
                    json.writeObjectFieldStart("delta");
                    json.writeStringField("role", "assistant");
                    json.writeStringField("content", "");
                    json.writeEndObject();
                    json.writeNullField("logprobs");
                    json.writeNullField("finish_reason");
                    json.writeEndObject();
                    json.writeEndArray();
                    writePromptIds(json, promptTokens);
                    writeNoUsage(json);
                });
    }

    @Override
    byte[] delta(int index, Delta delta) {
        return document(
                CHUNK,
                json -> {
                    json.writeArrayFieldStart("choices");
                    json.writeStartObject();
                    json.writeNumberField("index", index);
                    json.writeObjectFieldStart("delta");
                    json.writeStringField("content", delta.text());
                    json.writeEndObject();
                    writeLogprobs(json, delta.tokens());
                    json.writeNullField("finish_reason");
                    writeTokenIds(json, delta.tokens());
                    json.writeEndObject();
                    json.writeEndArray();
                    writeNoUsage(json);
                });
    }

    @Override
    byte[] ending(int index, String finishReason, @Nullable Object stopReason) {
        return document(
                CHUNK,
                json -> {
                    json.writeArrayFieldStart("choices");
                    json.writeStartObject();
                    json.writeNumberField("index", index);
                    json.writeObjectFieldStart("delta");
                    json.writeEndObject();
                    json.writeNullField("logprobs");
                    writeEnd(json, finishReason, stopReason);
                    writeTokenIds(json, List.of());
                    json.writeEndObject();
                    json.writeEndArray();
                    writeNoUsage(json);
                });
    }

    @Override
    byte[] usage(UsageTotals usage) {
        return document(
                CHUNK,
                json -> {
                    json.writeArrayFieldStart("choices");
                    json.writeEndArray();
                    writeUsage(json, usage);
                });
    }

    private void writeLogprobs(JsonGenerator json, List<SampledToken> tokens) throws IOException {
        if (!output.logprobs()) {
            json.writeNullField("logprobs");
            return;
        }
        json.writeObjectFieldStart("logprobs");
        json.writeArrayFieldStart("content");
        for (SampledToken token : tokens) {
            TokenLogprobs logprobs = logprobsOf(token);
            json.writeStartObject();
            writeToken(json, token.id(), logprobs.logprob());
            json.writeArrayFieldStart("top_logprobs");
            int alternatives = Math.min(output.topLogprobs(), logprobs.topTokens().length);
            for (int i = 0; i < alternatives; i++) {
                json.writeStartObject();
                writeToken(json, logprobs.topTokens()[i], logprobs.topLogprobs()[i]);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNullField("refusal");
        json.writeEndObject();
    }

    private void writeToken(JsonGenerator json, int token, float logprob) throws IOException {
        json.writeStringField("token", tokenText(token));
        json.writeNumberField("logprob", finite(logprob));
        json.writeArrayFieldStart("bytes");
        for (byte each : tokenBytes(token)) {
            json.writeNumber(each & 0xff);
        }
        json.writeEndArray();
    }
}
