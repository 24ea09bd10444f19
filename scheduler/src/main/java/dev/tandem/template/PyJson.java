package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// `json.dumps` of a template value with the options that the `tojson` of Hugging Face transformers takes. Unlike
/// Jinja's own `tojson` it escapes nothing for HTML.
final class PyJson {
    /// @param indent what one level is indented by, null to write everything on one line
    record Options(
            boolean ensureAscii,
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sortKeys) {}

    private final Budget budget;
    private final Options options;
    private final TextBuilder out;

    private PyJson(Budget budget, Options options) {
        this.budget = budget;
        this.options = options;
        this.out = budget.text();
    }

    static String write(Budget budget, @Nullable Object value, Options options) {
        PyJson json = new PyJson(budget, options);
        json.write(value, 0);
        return json.out.toString();
    }

    private void write(@Nullable Object value, int depth) {
        budget.step();
        switch (value) {
            case null -> out.append("null");
            case Boolean b -> out.append(b ? "true" : "false");
            case Long l -> out.append(Long.toString(l));
            case BigInteger b -> out.append(b.toString());
            case Double d -> out.append(real(d));
            case String s -> quote(s);
            case Markup m -> quote(m.text());
            case List<?> l -> writeArray(Values.list(l), depth);
            case PyTuple t -> writeArray(t.items(), depth);
            case Map<?, ?> m -> writeObject(Values.map(m), depth);
            default ->
                    throw PyError.runtime(
                            "Object of type "
                                    + Values.typeName(value)
                                    + " is not JSON serializable");
        }
    }

    private static String real(double value) {
        return switch (PyRepr.real(value)) {
            case "nan" -> "NaN";
            case "inf" -> "Infinity";
            case "-inf" -> "-Infinity";
            case String plain -> plain;
        };
    }

    private void writeArray(List<Object> items, int depth) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append("[");
        boolean first = true;
        for (Object item : items) {
            separate(first, depth + 1);
            write(item, depth + 1);
            first = false;
        }
        newLine(depth);
        out.append("]");
    }

    private void writeObject(Map<Object, Object> map, int depth) {
        if (map.isEmpty()) {
            out.append("{}");
            return;
        }
        List<Map.Entry<Object, Object>> entries = new ArrayList<>(map.entrySet());
        if (options.sortKeys()) {
            entries.sort(Comparator.comparing(Map.Entry::getKey, PyOps.ordering(budget)));
        }
        out.append("{");
        boolean first = true;
        for (Map.Entry<Object, Object> entry : entries) {
            separate(first, depth + 1);
            quote(key(entry.getKey()));
            out.append(options.keySeparator());
            write(entry.getValue(), depth + 1);
            first = false;
        }
        newLine(depth);
        out.append("}");
    }

    private static String key(@Nullable Object key) {
        return switch (key) {
            case null -> "null";
            case String s -> s;
            case Boolean b -> b ? "true" : "false";
            case Long l -> Long.toString(l);
            case BigInteger b -> b.toString();
            case Double d -> real(d);
            default ->
                    throw PyError.runtime(
                            "keys must be str, int, float, bool or None, not "
                                    + Values.typeName(key));
        };
    }

    private void separate(boolean first, int depth) {
        if (!first) {
            out.append(options.itemSeparator());
        }
        newLine(depth);
    }

    private void newLine(int depth) {
        String indent = options.indent();
        if (indent != null) {
            out.append("\n").repeat(indent, depth);
        }
    }

    private void quote(String text) {
        out.append("\"");
        int plain = 0; // start of the run that needs no escape
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c != '"' && c != '\\' && (c < 0x7f || !options.ensureAscii())) {
                continue;
            }
            out.append(text.substring(plain, i));
            plain = i + 1;
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\f' -> out.append("\\f");
                case '\b' -> out.append("\\b");
                default -> out.append("\\u%04x".formatted((int) c));
            }
        }
        out.append(text.substring(plain)).append("\"");
    }
}
