package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Jinja's filters on single values; those on sequences are in [SequenceFilters]. `tojson` is the one of Hugging Face
/// transformers. A name that is not here fails when the filter is reached, not before.
final class Filters {
    /// Applies one filter.
    interface Filter {
        @Nullable Object apply(Evaluator evaluator, @Nullable Object value, Arguments arguments);
    }

    private static final int PRECISION_MAX = 400;
    private static final Map<String, Filter> FILTERS = new HashMap<>(SequenceFilters.FILTERS);

    static {
        for (String method :
                List.of("capitalize", "center", "lower", "upper", "trim", "replace", "title")) {
            FILTERS.put(
                    method,
                    (evaluator, value, arguments) -> text(evaluator, method, value, arguments));
        }
        FILTERS.put("abs", (evaluator, value, arguments) -> abs(value, arguments));
        FILTERS.put("attr", Filters::attribute);
        FILTERS.put("d", Filters::orDefault);
        FILTERS.put("default", Filters::orDefault);
        FILTERS.put("e", Filters::escape);
        FILTERS.put("escape", Filters::escape);
        FILTERS.put("float", Filters::toReal);
        FILTERS.put(
                "forceescape", (e, value, arguments) -> new Markup(Markup.escape(str(e, value))));
        FILTERS.put("format", Filters::format);
        FILTERS.put("indent", Filters::indent);
        FILTERS.put("int", Filters::toInteger);
        FILTERS.put("round", Filters::round);
        FILTERS.put("safe", (e, value, arguments) -> new Markup(str(e, value)));
        FILTERS.put("string", (e, value, arguments) -> softText(e, value));
        FILTERS.put("tojson", Filters::toJson);
        FILTERS.put("truncate", Filters::truncate);
        FILTERS.put("wordcount", (e, value, arguments) -> wordCount(str(e, value)));
    }

    private Filters() {}

    static boolean exists(String name) {
        return FILTERS.containsKey(name);
    }

    static @Nullable Object apply(
            Evaluator evaluator, String name, @Nullable Object value, Arguments arguments) {
        Filter filter = FILTERS.get(name);
        if (filter == null) {
            throw PyError.runtime("No filter named '" + name + "' found.");
        }
        return filter.apply(evaluator, value, arguments);
    }

    private static String str(Evaluator evaluator, @Nullable Object value) {
        return PyRepr.str(evaluator.budget(), value);
    }

    /// `soft_str`: safe text stays safe.
    private static Object softText(Evaluator evaluator, @Nullable Object value) {
        return value instanceof Markup ? value : str(evaluator, value);
    }

    /// The filters that are a string method of the same name, or nearly.
    private static @Nullable Object text(
            Evaluator evaluator, String name, @Nullable Object value, Arguments arguments) {
        Object text = softText(evaluator, value);
        String method = name;
        Arguments passed = arguments;
        switch (name) {
            case "trim" -> {
                passed = new Arguments(List.of(), Map.of());
                Arguments.Bound bound = arguments.bind(name, 0, "chars");
                if (bound.hasValue(0)) {
                    passed = new Arguments(List.of(bound.text(0)), Map.of());
                }
                method = "strip";
            }
            case "center" ->
                    passed =
                            new Arguments(
                                    List.of(arguments.bind(name, 0, "width").integer(0, 80)),
                                    Map.of());
            case "replace" -> {
                Arguments.Bound bound = arguments.bind(name, 2, "old", "new", "count");
                text = str(evaluator, value);
                long count = bound.hasValue(2) ? bound.integer(2, -1) : -1;
                passed =
                        new Arguments(
                                List.of(
                                        str(evaluator, bound.get(0)),
                                        str(evaluator, bound.get(1)),
                                        count),
                                Map.of());
            }
            case "title" -> {
                arguments.bind(name, 0);
                return titleWords(str(evaluator, value));
            }
            default -> arguments.bind(name, 0);
        }
        return new Attributes.BoundMethod(text, method).call(evaluator, passed);
    }

    /// Unlike `str.title`, only a space, a hyphen or an opening bracket begins a word.
    private static String titleWords(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean begin = true;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            String one = Character.toString(c);
            out.append(begin ? PyText.upper(one) : PyText.lower(one));
            begin = PyText.isSpace(c) || "-({[<".indexOf(c) >= 0;
            i += Character.charCount(c);
        }
        return out.toString();
    }

    private static Object abs(@Nullable Object value, Arguments arguments) {
        arguments.bind("abs", 0);
        PyOps.refuseUndefined(value);
        if (value == null || !PyNumbers.isNumber(value)) {
            throw PyError.runtime("bad operand type for abs(): '" + Values.typeName(value) + "'");
        }
        return PyNumbers.absolute(value);
    }

    private static @Nullable Object attribute(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        String name = arguments.bind("attr", 1, "name").text(0);
        // A dict's elements are no attributes.
        Object object = value instanceof Map ? Map.of() : value;
        return Attributes.attribute(evaluator.budget(), object, name);
    }

    private static @Nullable Object orDefault(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("default", 0, "default_value", "boolean");
        boolean replaced =
                value instanceof Undefined || (bound.flag(1, false) && !Values.truth(value));
        return !replaced ? value : bound.has(0) ? bound.get(0) : "";
    }

    private static Object escape(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        arguments.bind("escape", 0);
        return value instanceof Markup ? value : new Markup(Markup.escape(str(evaluator, value)));
    }

    private static Object format(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        if (!arguments.named().isEmpty() && !arguments.positional().isEmpty()) {
            throw PyError.runtime("can't handle positional and keyword arguments at the same time");
        }
        Object values =
                arguments.named().isEmpty()
                        ? PyTuple.of(arguments.positional())
                        : new LinkedHashMap<Object, Object>(arguments.named());
        return PercentFormat.format(evaluator.budget(), softText(evaluator, value), values);
    }

    private static @Nullable Object toInteger(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("int", 0, "default", "base");
        PyOps.refuseUndefined(value);
        Object otherwise = bound.has(0) ? bound.get(0) : (Object) 0L;
        String text = Values.textOrNull(value);
        if (text != null) {
            Object integer = PyNumbers.parseInteger(text, bound.size(1, 10));
            if (integer != null) {
                return integer;
            }
            Double real = PyNumbers.parseReal(text);
            return real == null || real.isNaN() || real.isInfinite()
                    ? otherwise
                    : PyNumbers.truncate(real);
        }
        if (value instanceof Double real) {
            return real.isNaN() || real.isInfinite() ? otherwise : PyNumbers.truncate(real);
        }
        return PyNumbers.isInteger(value) && value != null
                ? PyNumbers.normal(PyNumbers.big(value))
                : otherwise;
    }

    private static @Nullable Object toReal(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("float", 0, "default");
        PyOps.refuseUndefined(value);
        String text = Values.textOrNull(value);
        Double real = null;
        if (text != null) {
            real = PyNumbers.parseReal(text);
        } else if (value != null && PyNumbers.isNumber(value)) {
            real = PyNumbers.real(value);
        }
        return real != null ? real : bound.has(0) ? bound.get(0) : (Object) 0.0;
    }

    private static Object round(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("round", 0, "precision", "method");
        PyOps.refuseUndefined(value);
        int precision = bound.size(0, 0);
        if (value == null || !PyNumbers.isNumber(value)) {
            throw PyError.runtime(
                    "type " + Values.typeName(value) + " doesn't define __round__ method");
        }
        if (Math.abs((long) precision) > PRECISION_MAX) {
            throw PyError.limit("rounding to more than " + PRECISION_MAX + " digits");
        }
        return switch (bound.text(1, "common")) {
            case "common" -> roundToEven(value, precision);
            case "ceil" ->
                    Math.ceil(PyNumbers.real(value) * Math.pow(10, precision))
                            / Math.pow(10, precision);
            case "floor" ->
                    Math.floor(PyNumbers.real(value) * Math.pow(10, precision))
                            / Math.pow(10, precision);
            default -> throw PyError.runtime("method must be common, ceil or floor");
        };
    }

    private static Object roundToEven(Object value, int precision) {
        if (!(value instanceof Double real)) {
            BigDecimal rounded =
                    new BigDecimal(PyNumbers.big(value))
                            .setScale(precision, RoundingMode.HALF_EVEN);
            return PyNumbers.normal(rounded.toBigInteger());
        }
        if (real.isNaN() || real.isInfinite() || real == 0) {
            return real;
        }
        double rounded =
                new BigDecimal(real).setScale(precision, RoundingMode.HALF_EVEN).doubleValue();
        return Math.copySign(rounded, real);
    }

    private static Object indent(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("indent", 0, "width", "first", "blank");
        Budget budget = evaluator.budget();
        String text = Values.textOrNull(value);
        if (text == null) {
            PyOps.refuseUndefined(value);
            throw PyError.operands("+=", value, "");
        }
        String given = Values.textOrNull(bound.get(0));
        String indention =
                given != null ? given : budget.text().repeat(" ", bound.size(0, 4)).toString();
        boolean blank = bound.flag(2, false);
        TextBuilder out = budget.text();
        boolean first = true;
        for (String line : PyText.lines(text + "\n", false)) {
            out.append(first ? "" : "\n");
            boolean indented = first ? bound.flag(1, false) : blank || !line.isEmpty();
            out.append(indented ? indention : "").append(line);
            first = false;
        }
        return value instanceof Markup ? new Markup(out.toString()) : out.toString();
    }

    /// @see PyJson
    private static String toJson(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound =
                arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        String indent = null;
        if (bound.hasValue(1)) {
            String given = Values.textOrNull(bound.get(1));
            indent =
                    given != null
                            ? given
                            : evaluator.budget().text().repeat(" ", bound.size(1, 0)).toString();
        }
        String itemSeparator = indent == null ? ", " : ",";
        String keySeparator = ": ";
        if (bound.hasValue(2)) {
            List<Object> separators = PyOps.toList(evaluator.budget(), bound.get(2));
            if (separators.size() != 2) {
                throw PyError.runtime("tojson: separators must be two strings");
            }
            itemSeparator = str(evaluator, separators.get(0));
            keySeparator = str(evaluator, separators.get(1));
        }
        PyJson.Options options =
                new PyJson.Options(
                        bound.flag(0, false),
                        indent,
                        itemSeparator,
                        keySeparator,
                        bound.flag(3, false));
        return PyJson.write(evaluator.budget(), value, options);
    }

    private static Object truncate(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound =
                arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
        String text = str(evaluator, value);
        String end = bound.text(2, "...");
        int length = bound.size(0, 255);
        if (length < PyText.length(end)) {
            throw PyError.runtime("expected length >= " + PyText.length(end) + ", got " + length);
        }
        if (PyText.length(text) <= (long) length + bound.size(3, 5)) {
            return text;
        }
        String cut = PyText.slice(text, 0, length - PyText.length(end));
        int lastSpace = cut.lastIndexOf(' ');
        return (bound.flag(1, false) || lastSpace < 0 ? cut : cut.substring(0, lastSpace)) + end;
    }

    private static long wordCount(String text) {
        long count = 0;
        boolean within = false;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            boolean word = c == '_' || Character.isLetterOrDigit(c) || PyText.isNumeric(c);
            count += word && !within ? 1 : 0;
            within = word;
        }
        return count;
    }
}
