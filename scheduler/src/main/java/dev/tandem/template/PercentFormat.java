package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// Python's `format % values`.
final class PercentFormat {
    private final Budget budget;
    private final String format;
    private final boolean escape;
    private final @Nullable Object values;
    private final List<Object> sequence;
    private int nextValue;
    private int position;

    private PercentFormat(Budget budget, Object format, @Nullable Object values) {
        this.budget = budget;
        this.format = PyRepr.str(budget, format);
        this.escape = format instanceof Markup;
        this.values = values;
        this.sequence =
                values instanceof PyTuple tuple
                        ? tuple.items()
                        : java.util.Collections.singletonList(values);
    }

    /// @param format text
    /// @param values a tuple, a dict for named fields, or the one value
    static Object format(Budget budget, @Nullable Object format, @Nullable Object values) {
        PercentFormat run = new PercentFormat(budget, format == null ? "" : format, values);
        String text = run.run();
        return run.escape ? new Markup(text) : text;
    }

    private String run() {
        TextBuilder out = budget.text();
        while (position < format.length()) {
            char c = format.charAt(position++);
            if (c == '%') {
                out.append(field());
            } else {
                out.append(c);
            }
        }
        boolean all =
                nextValue >= sequence.size()
                        || values instanceof Map
                        || (values instanceof List && nextValue == 0);
        if (!all) {
            throw PyError.runtime("not all arguments converted during string formatting");
        }
        return out.toString();
    }

    private char peek() {
        if (position >= format.length()) {
            throw PyError.runtime("incomplete format");
        }
        return format.charAt(position);
    }

    private String field() {
        budget.step();
        String name = null;
        if (peek() == '(') {
            int close = format.indexOf(')', position);
            if (close < 0) {
                throw PyError.runtime("incomplete format key");
            }
            name = format.substring(position + 1, close);
            position = close + 1;
        }
        StringBuilder flags = new StringBuilder();
        while ("-+ #0".indexOf(peek()) >= 0) {
            flags.append(format.charAt(position++));
        }
        int width = number();
        if (width < 0) {
            flags.append('-');
            width = -width;
        }
        int precision = -1;
        if (peek() == '.') {
            position++;
            precision = Math.max(number(), 0);
        }
        while ("hlL".indexOf(peek()) >= 0) {
            position++;
        }
        char type = format.charAt(position++);
        return type == '%' ? "%" : convert(type, flags.toString(), width, precision, name);
    }

    private int number() {
        if (peek() == '*') {
            position++;
            long value = Values.index(value(null));
            if (Math.abs(value) > Integer.MAX_VALUE) {
                throw PyError.runtime("width too big");
            }
            return (int) value;
        }
        int start = position;
        while (peek() >= '0' && peek() <= '9') {
            position++;
        }
        return start == position
                ? 0
                : FormatSpec.number(format.substring(start, position), Integer.MAX_VALUE);
    }

    private @Nullable Object value(@Nullable String name) {
        if (name != null) {
            if (!(values instanceof Map<?, ?> map)) {
                throw PyError.runtime("format requires a mapping");
            }
            if (!Values.hasKey(Values.map(map), name)) {
                throw PyError.runtime("'" + name + "'");
            }
            return Values.valueOf(Values.map(map), name);
        }
        if (nextValue >= sequence.size()) {
            throw PyError.runtime("not enough arguments for format string");
        }
        return sequence.get(nextValue++);
    }

    private String convert(
            char type, String flags, int width, int precision, @Nullable String name) {
        Object value = value(name);
        char align = flags.indexOf('-') >= 0 ? '<' : flags.indexOf('0') >= 0 ? '=' : '>';
        boolean numeric = "diuoxXeEfFgG".indexOf(type) >= 0;
        String fill = align == '=' && numeric ? "0" : " ";
        char sign = flags.indexOf('+') >= 0 ? '+' : flags.indexOf(' ') >= 0 ? ' ' : '-';
        boolean alternate = flags.indexOf('#') >= 0;
        char side = align == '=' && !numeric ? '>' : align;
        FormatSpec text = new FormatSpec(fill, side, '-', false, width, (char) 0, precision, 's');
        return switch (type) {
            case 's' -> text.apply(budget, escaped(PyRepr.str(budget, value), value));
            case 'r', 'a' -> text.apply(budget, escaped(PyRepr.repr(budget, value), null));
            case 'c' ->
                    Values.isText(value)
                            ? text.apply(budget, value)
                            : new FormatSpec(" ", side, '-', false, width, (char) 0, -1, 'c')
                                    .apply(budget, (Object) Values.index(value));
            case 'd', 'i', 'u', 'o', 'x', 'X' -> {
                if (value == null || !PyNumbers.isNumber(value)) {
                    throw required(type, "a real number is required", value);
                }
                if (value instanceof Double && (type == 'o' || type == 'x' || type == 'X')) {
                    throw required(type, "an integer is required", value);
                }
                Object integer =
                        value instanceof Double d ? PyNumbers.truncate(d) : PyNumbers.big(value);
                char as = type == 'i' || type == 'u' ? 'd' : type;
                yield new FormatSpec(fill, align, sign, alternate, width, (char) 0, -1, as)
                        .apply(budget, integer);
            }
            case 'e', 'E', 'f', 'F', 'g', 'G' -> {
                if (value == null || !PyNumbers.isNumber(value)) {
                    throw PyError.runtime("must be real number, not " + Values.typeName(value));
                }
                yield new FormatSpec(fill, align, sign, alternate, width, (char) 0, precision, type)
                        .apply(budget, PyNumbers.real(value));
            }
            default -> throw PyError.runtime("unsupported format character '" + type + "'");
        };
    }

    private String escaped(String text, @Nullable Object value) {
        return escape && !(value instanceof Markup) ? Markup.escape(text) : text;
    }

    private static TemplateException required(char type, String what, @Nullable Object value) {
        return PyError.runtime(
                "%%%s format: %s, not %s".formatted(type, what, Values.typeName(value)));
    }
}
