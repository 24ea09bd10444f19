package dev.tandem.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.jspecify.annotations.Nullable;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Turns the messages of a chat request into the prompt of one model. Safe to use from any thread.
///
/// Requests come in forms of the OpenAI API that many templates can't take. As in vLLM, the arguments of tool calls
/// that come as JSON text are parsed into objects, content in parts becomes one string (texts joined by line feeds)
/// unless the template walks parts itself, and missing content becomes an empty string. Unlike vLLM, a template that
/// compares content with None gets None.
public final class ChatRenderer {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ChatTemplate template;
    private final String bosToken;
    private final String eosToken;
    private final Supplier<LocalDateTime> clock;

    /// What a request says about its prompt; fields are JSON as they came, null where absent.
    ///
    /// @param messages an array of objects, each with a `role`
    /// @param tools an array of tool definitions
    /// @param documents an array of documents to answer from
    /// @param templateArguments the request's `chat_template_kwargs`: further variables, which win over all others
    /// @param addGenerationPrompt whether the prompt ends with the opening of the assistant's turn
    public record Chat(
            JsonNode messages,
            @Nullable JsonNode tools,
            @Nullable JsonNode documents,
            @Nullable JsonNode templateArguments,
            boolean addGenerationPrompt) {}

    /// @param bosToken text, empty if the model has none; likewise eosToken
    public ChatRenderer(ChatTemplate template, String bosToken, String eosToken) {
        this(template, bosToken, eosToken, LocalDateTime::now);
    }

    /// @param clock what `strftime_now` formats
    public ChatRenderer(
            ChatTemplate template,
            String bosToken,
            String eosToken,
            Supplier<LocalDateTime> clock) {
        this.template = template;
        this.bosToken = bosToken;
        this.eosToken = eosToken;
        this.clock = clock;
    }

    /// @throws TemplateException when the template refuses the chat, or fails on it
    /// @throws IllegalArgumentException when the chat is not formed as the API says; the message is for the client
    public String render(Chat chat) {
        Map<String, Object> variables = new LinkedHashMap<>();
        Values.put(variables, "messages", messages(chat.messages()));
        Values.put(variables, "tools", listOrNone("tools", chat.tools()));
        Values.put(variables, "documents", listOrNone("documents", chat.documents()));
        variables.put("add_generation_prompt", chat.addGenerationPrompt());
        variables.put("bos_token", bosToken);
        variables.put("eos_token", eosToken);
        JsonNode more = chat.templateArguments();
        if (more != null && !more.isNull()) {
            require(more.isObject(), "chat_template_kwargs must be an object");
            variables.putAll(JsonValues.object(more));
        }
        return template.render(variables, clock);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }

    /// An empty list counts as none, as clients send it to mean that.
    private static @Nullable Object listOrNone(String name, @Nullable JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }
        require(node.isArray(), name + " must be an array");
        return node.isEmpty() ? null : JsonValues.of(node);
    }

    private List<Object> messages(JsonNode messages) {
        require(
                messages.isArray() && !messages.isEmpty(),
                "messages must be an array of at least one message");
        List<Object> list = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            list.add(message(messages.get(i), "messages[" + i + "]"));
        }
        return list;
    }

    private Map<String, Object> message(JsonNode message, String where) {
        require(message.isObject(), where + " must be an object");
        require(message.path("role").isTextual(), where + ".role must be a string");
        Map<String, Object> copy = JsonValues.object(message);
        Values.put(copy, "content", content(message.path("content"), where + ".content"));
        JsonNode calls = message.path("tool_calls");
        if (calls.isNull() || (calls.isArray() && calls.isEmpty())) {
            copy.remove("tool_calls");
        } else if (!calls.isMissingNode()) {
            require(calls.isArray(), where + ".tool_calls must be an array");
            copy.put("tool_calls", toolCalls(calls, where + ".tool_calls"));
        }
        return copy;
    }

    private @Nullable Object content(JsonNode content, String where) {
        if (content.isTextual()) {
            return content.textValue();
        }
        if (content.isNull() || content.isMissingNode()) {
            return template.contentUse().testedForNone() ? null : "";
        }
        require(content.isArray(), where + " must be a string, an array of parts or null");
        if (template.contentUse().iterated()) {
            return JsonValues.of(content);
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode part : content) {
            JsonNode text = part.isTextual() ? part : part.path("text");
            require(text.isTextual(), where + ": this model takes parts of type text only");
            texts.add(text.textValue());
        }
        return String.join("\n", texts);
    }

    private static List<Object> toolCalls(JsonNode calls, String where) {
        List<Object> list = new ArrayList<>(calls.size());
        for (int i = 0; i < calls.size(); i++) {
            JsonNode call = calls.get(i);
            require(call.isObject(), where + "[" + i + "] must be an object");
            Map<String, Object> copy = JsonValues.object(call);
            JsonNode function = call.path("function");
            if (function.isObject()) {
                Map<String, Object> functionCopy = JsonValues.object(function);
                JsonNode arguments = function.path("arguments");
                String at = where + "[" + i + "].function.arguments";
                if (arguments.isTextual()) {
                    functionCopy.put("arguments", parsed(arguments.textValue(), at));
                } else if (arguments.isNull()) {
                    functionCopy.put("arguments", Map.of());
                }
                copy.put("function", functionCopy);
            }
            list.add(copy);
        }
        return list;
    }

    private static Map<String, Object> parsed(String arguments, String where) {
        if (arguments.isBlank()) {
            return Map.of();
        }
        try {
            JsonNode node = JSON.readTree(arguments);
            require(node.isObject(), where + " must hold a JSON object");
            return JsonValues.object(node);
        } catch (JsonProcessingException malformed) {
            throw new IllegalArgumentException(
                    where + " is not valid JSON: " + malformed.getOriginalMessage());
        }
    }
}
