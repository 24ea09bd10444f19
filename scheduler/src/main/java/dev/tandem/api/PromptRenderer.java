package dev.tandem.api;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.core.ErrorCategory;

/// Turns a chat into the model's prompt. Called from many threads at once.
@FunctionalInterface
public interface PromptRenderer {
    /// @param chatRequest a checked chat request: `messages` as the client sent them (`content` a string, text parts, or
    ///     null; arguments of tool calls objects or strings that hold JSON), `tools`, `documents`,
    ///     `chat_template_kwargs` and `add_generation_prompt` (always present). Must not be changed
    /// @throws ApiException the request can't be rendered; a `TemplateException` is answered as the client's error, too
    String render(ObjectNode chatRequest) throws ApiException;

    /// For a model that has no chat template: every chat is refused with a clear error.
    static PromptRenderer withoutTemplate() {
        return chatRequest -> {
            throw new ApiException(
                    ErrorCategory.USER,
                    "chat_template_missing",
                    "messages",
                    "This model has no chat template; use /v1/completions.");
        };
    }
}
