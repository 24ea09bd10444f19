package dev.tandem.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.core.ErrorCategory;

import org.jspecify.annotations.Nullable;

/// Strictly typed reading of a JSON object's fields. A wrong type or value is an [ApiException] that names the field.
/// An absent field and a null are the same. Fields that nobody asks for are ignored.
///
/// @param path what stands before a field's name in errors: empty, or such as `stream_options.`
record Fields(ObjectNode object, String path) {
    private static final int EXCERPT_CHARS_MAX = 60;

    /// @return null when the field is absent or null
    @Nullable JsonNode node(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String name) {
        return node(name) != null;
    }

    String param(String name) {
        return path + name;
    }

    int integer(String name, int fallback, int least, int most) {
        return Math.toIntExact(longInteger(name, fallback, least, most));
    }

    long longInteger(String name, long fallback, long least, long most) {
        JsonNode value = node(name);
        return value == null ? fallback : longInteger(value, param(name), least, most);
    }

    static long longInteger(JsonNode value, String param, long least, long most) {
        if (!value.isIntegralNumber()) {
            throw ApiException.invalidType(
                    param, "'%s' must be an integer, got %s.".formatted(param, excerpt(value)));
        }
        if (!value.canConvertToLong() || value.asLong() < least || value.asLong() > most) {
            throw outside(param, value, "an integer " + range(least, most));
        }
        return value.asLong();
    }

    /// @param exclusive whether `least` itself is refused
    float number(String name, float fallback, float least, float most, boolean exclusive) {
        JsonNode value = node(name);
        if (value == null) {
            return fallback;
        }
        float number = number(value, param(name));
        if (number < least || number > most || (exclusive && number == least)) {
            String from = exclusive ? "above " : "at least ";
            String to = most == Float.MAX_VALUE ? "" : " and at most " + shortest(most);
            throw outside(param(name), value, "a number " + from + shortest(least) + to);
        }
        return number;
    }

    static float number(JsonNode value, String param) {
        if (!value.isNumber()) {
            throw ApiException.invalidType(
                    param, "'%s' must be a number, got %s.".formatted(param, excerpt(value)));
        }
        return value.floatValue();
    }

    boolean bool(String name, boolean fallback) {
        JsonNode value = node(name);
        if (value == null) {
            return fallback;
        }
        if (!value.isBoolean()) {
            throw wrongType(name, value, "true or false");
        }
        return value.booleanValue();
    }

    @Nullable String string(String name) {
        JsonNode value = node(name);
        if (value == null) {
            return null;
        }
        if (!value.isTextual()) {
            throw wrongType(name, value, "a string");
        }
        return value.textValue();
    }

    @Nullable JsonNode array(String name) {
        JsonNode value = node(name);
        if (value != null && !value.isArray()) {
            throw wrongType(name, value, "an array");
        }
        return value;
    }

    @Nullable Fields object(String name) {
        JsonNode value = node(name);
        if (value == null) {
            return null;
        }
        return new Fields(requireObject(value, param(name)), param(name) + ".");
    }

    static ObjectNode requireObject(JsonNode value, String param) {
        if (value instanceof ObjectNode child) {
            return child;
        }
        throw ApiException.invalidType(
                param, "'%s' must be an object, got %s.".formatted(param, excerpt(value)));
    }

    ApiException missing(String name) {
        return new ApiException(
                ErrorCategory.USER,
                "missing_required_parameter",
                param(name),
                "Missing required parameter: '%s'.".formatted(param(name)));
    }

    ApiException wrongType(String name, JsonNode value, String wanted) {
        return ApiException.invalidType(
                param(name),
                "'%s' must be %s, got %s.".formatted(param(name), wanted, excerpt(value)));
    }

    /// Text without its other half of a surrogate pair is no text: no tokenizer can take it.
    static String requireWellFormed(String text, String param) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            boolean pair =
                    Character.isHighSurrogate(unit)
                            && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1));
            if (pair) {
                i++;
            } else if (Character.isSurrogate(unit)) {
                throw ApiException.invalidValue(
                        param, "'%s' contains an unpaired UTF-16 surrogate.".formatted(param));
            }
        }
        return text;
    }

    /// The value as JSON, cut short: an error must not send a whole body back.
    static String excerpt(JsonNode value) {
        if (value.isContainerNode()) {
            return value.isArray() ? "an array" : "an object";
        }
        String text = value.toString();
        if (text.length() <= EXCERPT_CHARS_MAX) {
            return text;
        }
        int end = EXCERPT_CHARS_MAX;
        if (Character.isHighSurrogate(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end) + "...";
    }

    private static ApiException outside(String param, JsonNode value, String wanted) {
        return ApiException.invalidValue(
                param, "'%s' must be %s, got %s.".formatted(param, wanted, excerpt(value)));
    }

    private static String range(long least, long most) {
        return most == Integer.MAX_VALUE || most == Long.MAX_VALUE
                ? "of at least " + least
                : "from " + least + " to " + most;
    }

    private static String shortest(float value) {
        return value == Math.rint(value)
                ? Integer.toString(Math.round(value))
                : Float.toString(value);
    }
}
