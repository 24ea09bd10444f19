package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.List;
import java.util.Map;

/// `str()` and `repr()` of values as Python prints them.
final class PyRepr {
    private static final int MIN_PLAIN_EXPONENT = -4;
    private static final int MAX_PLAIN_EXPONENT = 16;

    private PyRepr() {}

    static String str(Budget budget, @Nullable Object value) {
        return switch (value) {
            case String s -> s;
            case Markup m -> m.text();
            case Undefined u -> "";
            case null, default -> repr(budget, value);
        };
    }

    static String repr(Budget budget, @Nullable Object value) {
        TextBuilder out = budget.text();
        write(budget, out, value);
        return out.toString();
    }

    private static void write(Budget budget, TextBuilder out, @Nullable Object value) {
        budget.step();
        switch (value) {
            case null -> out.append("None");
            case Boolean b -> out.append(b ? "True" : "False");
            case Long l -> out.append(Long.toString(l));
            case BigInteger b -> out.append(b.toString());
            case Double d -> out.append(real(d));
            case String s -> quote(out, s);
            case Markup m -> {
                out.append("Markup(");
                quote(out, m.text());
                out.append(")");
            }
            case List<?> l -> writeAll(budget, out, "[", Values.list(l), "]");
            case PyTuple t ->
                    writeAll(budget, out, "(", t.items(), t.items().size() == 1 ? ",)" : ")");
            case Map<?, ?> m -> writeMap(budget, out, Values.map(m));
            case PyRange r -> {
                out.append("range(" + r.start() + ", " + r.stop());
                out.append(r.step() == 1 ? ")" : ", " + r.step() + ")");
            }
            case DictView v -> {
                out.append(v.kind().typeName).append("(");
                writeAll(budget, out, "[", v.elements(), "]");
                out.append(")");
            }
            case Namespace n -> {
                out.append("<Namespace ");
                writeMap(budget, out, Values.map(n.attributes()));
                out.append(">");
            }
            case Undefined u -> out.append("Undefined");
            case PyGenerator g -> out.append("<" + g.typeName() + " object>");
            default -> out.append("<" + Values.typeName(value) + ">");
        }
    }

    private static void writeAll(
            Budget budget, TextBuilder out, String open, List<Object> items, String close) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            write(budget, out, item);
            separator = ", ";
        }
        out.append(close);
    }

    private static void writeMap(Budget budget, TextBuilder out, Map<Object, Object> map) {
        out.append("{");
        String separator = "";
        for (Map.Entry<Object, Object> entry : map.entrySet()) {
            out.append(separator);
            write(budget, out, entry.getKey());
            out.append(": ");
            write(budget, out, entry.getValue());
            separator = ", ";
        }
        out.append("}");
    }

    /// Single quotes, unless the text holds some and no double ones.
    private static void quote(TextBuilder out, String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append("\\").append(quote);
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        String format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
                        out.append(format.formatted(c));
                    }
                }
            }
        }
        out.append(quote);
    }

    static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /// `float.__repr__`: the fewest digits that read back as the same number, with an exponent outside 1e-4 to 1e16.
    static String real(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value > 0 ? "0.0" : "-0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(value))).stripTrailingZeros();
        // Java prints at least two digits, so the smallest numbers may have a shorter form.
        BigDecimal oneDigit = shortest.round(new MathContext(1));
        if (oneDigit.doubleValue() == Math.abs(value)) {
            shortest = oneDigit.stripTrailingZeros();
        }
        String digits = shortest.unscaledValue().toString();
        int exponent = digits.length() - 1 - shortest.scale();
        String sign = value < 0 ? "-" : "";
        if (exponent < MIN_PLAIN_EXPONENT || exponent >= MAX_PLAIN_EXPONENT) {
            String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
            return "%s%s%se%s%02d"
                    .formatted(
                            sign,
                            digits.charAt(0),
                            fraction,
                            exponent < 0 ? "-" : "+",
                            Math.abs(exponent));
        }
        String plain = shortest.toPlainString();
        return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }
}
