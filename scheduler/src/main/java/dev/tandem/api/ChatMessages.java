package dev.tandem.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.util.Set;

/// Checks the parts of a chat request that the template reads, so that a template only meets what its author expects.
final class ChatMessages {
    private static final Set<String> ROLES =
            Set.of("system", "developer", "user", "assistant", "tool", "function");

    private final JsonBodies json;

    ChatMessages(JsonBodies json) {
        this.json = json;
    }

    /// @return the request for [PromptRenderer]: `body` itself, or a copy with `add_generation_prompt` filled in
    ObjectNode check(Fields body) {
        JsonNode messages = body.array("messages");
        if (messages == null) {
            throw body.missing("messages");
        }
        if (messages.isEmpty()) {
            throw ApiException.invalidValue("messages", "'messages' must not be empty.");
        }
        for (int i = 0; i < messages.size(); i++) {
            String param = "messages[" + i + "]";
            checkMessage(new Fields(Fields.requireObject(messages.get(i), param), param + "."));
        }
        checkTools(body);
        body.object("chat_template_kwargs");
        body.array("documents");
        if (body.bool("continue_final_message", false)) {
            throw SamplingParser.notSupported("continue_final_message");
        }
        boolean generationPrompt = body.bool("add_generation_prompt", true);
        ObjectNode request = body.object().objectNode();
        request.setAll(body.object());
        request.put("add_generation_prompt", generationPrompt);
        return request;
    }

    private void checkMessage(Fields message) {
        String role = message.string("role");
        if (role == null) {
            throw message.missing("role");
        }
        if (!ROLES.contains(role)) {
            throw ApiException.invalidValue(
                    message.param("role"),
                    "'%s' must be one of system, developer, user, assistant, tool, function."
                            .formatted(message.param("role")));
        }
        message.string("name");
        message.string("tool_call_id");
        checkContent(message, role);
        checkToolCalls(message);
    }

    private static void checkContent(Fields message, String role) {
        JsonNode content = message.node("content");
        if (content == null) {
            if (!role.equals("assistant")) {
                throw message.missing("content");
            }
        } else if (content.isArray()) {
            for (int i = 0; i < content.size(); i++) {
                checkPart(content.get(i), message.param("content") + "[" + i + "]");
            }
        } else if (!content.isTextual()) {
            throw message.wrongType("content", content, "a string or an array of parts");
        }
    }

    private static void checkPart(JsonNode node, String param) {
        var part = new Fields(Fields.requireObject(node, param), param + ".");
        String type = part.string("type");
        if (type == null) {
            throw part.missing("type");
        }
        if (!type.equals("text")) {
            throw ApiException.unsupported(
                    part.param("type"),
                    "'%s': only parts of type 'text' are supported.".formatted(part.param("type")));
        }
        if (part.string("text") == null) {
            throw part.missing("text");
        }
    }

    private void checkToolCalls(Fields message) {
        JsonNode calls = message.array("tool_calls");
        for (int i = 0; calls != null && i < calls.size(); i++) {
            String param = message.param("tool_calls[" + i + "]");
            var call = new Fields(Fields.requireObject(calls.get(i), param), param + ".");
            Fields function = call.object("function");
            if (function == null) {
                throw call.missing("function");
            }
            if (function.string("name") == null) {
                throw function.missing("name");
            }
            checkArguments(function);
        }
    }

    /// OpenAI sends arguments as a string that holds JSON; templates want the object in it.
    private void checkArguments(Fields function) {
        JsonNode arguments = function.node("arguments");
        if (arguments == null || arguments.isObject()) {
            return;
        }
        if (!arguments.isTextual()) {
            throw function.wrongType("arguments", arguments, "a string or an object");
        }
        String param = function.param("arguments");
        String text = arguments.textValue();
        if (!text.isEmpty() && !json.read(text, "'" + param + "'").isObject()) {
            throw ApiException.invalidValue(
                    param, "'%s' must hold a JSON object.".formatted(param));
        }
    }

    private static void checkTools(Fields body) {
        JsonNode tools = body.array("tools");
        for (int i = 0; tools != null && i < tools.size(); i++) {
            String param = "tools[" + i + "]";
            var tool = new Fields(Fields.requireObject(tools.get(i), param), param + ".");
            Fields function = tool.object("function");
            if (function == null) {
                throw tool.missing("function");
            }
            if (function.string("name") == null) {
                throw function.missing("name");
            }
        }
        JsonNode choice = body.node("tool_choice");
        if (choice != null && !choice.asText().equals("none") && !choice.asText().equals("auto")) {
            throw ApiException.unsupported(
                    "tool_choice",
                    "tool_choice %s is not supported; only \"none\" and \"auto\" are."
                            .formatted(Fields.excerpt(choice)));
        }
    }
}
