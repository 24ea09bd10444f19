package dev.tandem.template;

import org.jspecify.annotations.Nullable;

/// `str.format`, with the sandbox's rules for the attributes that a field may reach.
final class StrFormat {
    private static final int NESTING_MAX = 2;

    private final Budget budget;
    private final Arguments arguments;
    private int nextIndex;

    private StrFormat(Budget budget, Arguments arguments) {
        this.budget = budget;
        this.arguments = arguments;
    }

    static String format(Budget budget, String format, Arguments arguments) {
        return new StrFormat(budget, arguments).format(format, NESTING_MAX);
    }

    private String format(String format, int nestingLeft) {
        if (nestingLeft == 0 && format.indexOf('{') >= 0) {
            throw PyError.runtime("Max string recursion exceeded");
        }
        TextBuilder out = budget.text();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
            if (c != '{' && c != '}') {
                out.append(c);
            } else if (doubled) {
                out.append(c);
                i++;
            } else if (c == '}') {
                throw PyError.runtime("Single '}' encountered in format string");
            } else {
                int end = fieldEnd(format, i + 1);
                out.append(field(format.substring(i + 1, end), nestingLeft));
                i = end;
            }
        }
        return out.toString();
    }

    private static int fieldEnd(String format, int from) {
        int depth = 1;
        for (int i = from; i < format.length(); i++) {
            depth += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        throw PyError.runtime("expected '}' before end of string");
    }

    /// `name[.attribute|[element]]*[!conversion][:spec]`.
    private String field(String field, int nestingLeft) {
        budget.step();
        int colon = field.indexOf(':');
        String path = colon < 0 ? field : field.substring(0, colon);
        int bang = path.indexOf('!');
        String conversion = bang < 0 ? "" : path.substring(bang + 1);
        Object value = resolve(bang < 0 ? path : path.substring(0, bang));
        value =
                switch (conversion) {
                    case "" -> value;
                    case "s" -> PyRepr.str(budget, value);
                    case "r" -> PyRepr.repr(budget, value);
                    default ->
                            throw PyError.runtime(
                                    "Unknown conversion specifier '" + conversion + "'");
                };
        // After the value: both may count up the index of an unnamed field.
        String spec = colon < 0 ? "" : format(field.substring(colon + 1), nestingLeft - 1);
        return FormatSpec.parse(spec).apply(budget, value);
    }

    private @Nullable Object resolve(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        Object value = argument(path.substring(0, end));
        while (end < path.length()) {
            if (path.charAt(end) == '.') {
                int start = ++end;
                while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
                    end++;
                }
                value = Attributes.attribute(budget, value, path.substring(start, end));
            } else {
                int close = path.indexOf(']', end);
                if (path.charAt(end) != '[' || close < 0) {
                    throw PyError.runtime("Missing ']' in format string");
                }
                String key = path.substring(end + 1, close);
                boolean number = !key.isEmpty() && PyText.allMatch(key, c -> c >= '0' && c <= '9');
                Object index =
                        number ? (Object) (long) FormatSpec.number(key, Integer.MAX_VALUE) : key;
                value = Attributes.element(budget, value, index);
                end = close + 1;
            }
        }
        return value;
    }

    private @Nullable Object argument(String name) {
        boolean number = PyText.allMatch(name, c -> c >= '0' && c <= '9');
        if (!number) {
            if (!arguments.named().containsKey(name)) {
                throw PyError.runtime("'" + name + "'");
            }
            return arguments.named().get(name);
        }
        int index = name.isEmpty() ? nextIndex++ : FormatSpec.number(name, Integer.MAX_VALUE);
        if (index >= arguments.positional().size()) {
            throw PyError.runtime(
                    "Replacement index " + index + " out of range for positional args tuple");
        }
        return arguments.positional().get(index);
    }
}
