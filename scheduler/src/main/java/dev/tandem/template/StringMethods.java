package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/// The methods of Python's `str`.
final class StringMethods {
    static final Set<String> NAMES =
            Set.of(
                    "capitalize",
                    "casefold",
                    "center",
                    "count",
                    "endswith",
                    "expandtabs",
                    "find",
                    "format",
                    "index",
                    "isalnum",
                    "isalpha",
                    "isascii",
                    "isdecimal",
                    "isdigit",
                    "isidentifier",
                    "islower",
                    "isnumeric",
                    "isprintable",
                    "isspace",
                    "istitle",
                    "isupper",
                    "join",
                    "ljust",
                    "lower",
                    "lstrip",
                    "partition",
                    "removeprefix",
                    "removesuffix",
                    "replace",
                    "rfind",
                    "rindex",
                    "rjust",
                    "rpartition",
                    "rsplit",
                    "rstrip",
                    "split",
                    "splitlines",
                    "startswith",
                    "strip",
                    "swapcase",
                    "title",
                    "upper",
                    "zfill");

    private StringMethods() {}

    /// A method of safe text: its text arguments are escaped, its results are safe.
    static @Nullable Object callMarkup(
            Budget budget, Markup self, String name, Arguments arguments) {
        boolean inserts =
                Set.of("replace", "join", "format", "center", "ljust", "rjust").contains(name);
        Arguments passed = inserts ? escaped(budget, arguments) : arguments;
        if (name.equals("replace")
                && !arguments.positional().isEmpty()) { // what is looked for stays as it is
            passed.positional().set(0, arguments.positional().getFirst());
        }
        Object result = call(budget, self.text(), name, passed);
        return switch (result) {
            case String s -> new Markup(s);
            case List<?> l -> marked(Values.list(l));
            case PyTuple t -> PyTuple.of(marked(t.items()));
            case null, default -> result;
        };
    }

    private static List<Object> marked(List<Object> items) {
        return items.stream().<Object>map(item -> new Markup((String) item)).toList();
    }

    private static Arguments escaped(Budget budget, Arguments arguments) {
        List<Object> positional = new ArrayList<>();
        for (Object argument : arguments.positional()) {
            Values.add(positional, escaped(budget, argument));
        }
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.named().forEach((key, value) -> Values.put(named, key, escaped(budget, value)));
        return new Arguments(positional, named);
    }

    private static @Nullable Object escaped(Budget budget, @Nullable Object value) {
        return switch (value) {
            case String s -> Markup.escape(s);
            case Markup m -> m.text();
            case List<?> l -> {
                List<Object> items = new ArrayList<>();
                Values.list(l).forEach(item -> Values.add(items, escaped(budget, item)));
                yield items;
            }
            case null, default -> value;
        };
    }

    static @Nullable Object call(Budget budget, String self, String name, Arguments arguments) {
        return switch (name) {
            case "split", "rsplit" -> split(budget, self, name, arguments);
            case "splitlines" -> {
                Arguments.Bound bound = arguments.bind(name, 0, "keepends");
                budget.steps(self.length() / 16);
                yield new ArrayList<Object>(PyText.lines(self, bound.flag(0, false)));
            }
            case "format" -> StrFormat.format(budget, self, arguments);
            case "join" -> join(budget, self, arguments);
            case "replace" -> {
                Arguments.Bound bound = arguments.bindPositional(name, 2, "old", "new", "count");
                yield PyText.replace(
                        budget, self, bound.text(0), bound.text(1), bound.integer(2, -1));
            }
            case "strip", "lstrip", "rstrip" -> {
                Arguments.Bound bound = arguments.bindPositional(name, 0, "chars");
                String chars = bound.hasValue(0) ? bound.text(0) : null;
                yield PyText.strip(self, chars, !name.equals("rstrip"), !name.equals("lstrip"));
            }
            case "startswith", "endswith" -> affix(self, name, arguments);
            case "find", "rfind", "index", "rindex", "count" -> find(budget, self, name, arguments);
            case "center", "ljust", "rjust", "zfill" -> pad(budget, self, name, arguments);
            case "partition", "rpartition" -> partition(budget, self, name, arguments);
            case "removeprefix" -> {
                String prefix = arguments.bindPositional(name, 1, "prefix").text(0);
                yield self.startsWith(prefix) ? self.substring(prefix.length()) : self;
            }
            case "removesuffix" -> {
                String suffix = arguments.bindPositional(name, 1, "suffix").text(0);
                boolean ends = !suffix.isEmpty() && self.endsWith(suffix);
                yield ends ? self.substring(0, self.length() - suffix.length()) : self;
            }
            case "expandtabs" ->
                    expandTabs(budget, self, arguments.bind(name, 0, "tabsize").size(0, 8));
            default -> {
                arguments.bindPositional(name, 0);
                budget.reserve(self.length());
                yield name.startsWith("is") ? (Object) is(self, name) : recase(self, name);
            }
        };
    }

    private static String recase(String self, String name) {
        return switch (name) {
            case "capitalize" -> PyText.capitalize(self);
            case "casefold" -> PyText.lower(self).replace("\u00df", "ss");
            case "lower" -> PyText.lower(self);
            case "swapcase" -> PyText.swapCase(self);
            case "title" -> PyText.title(self);
            case "upper" -> PyText.upper(self);
            default -> throw new IllegalStateException("no method " + name);
        };
    }

    private static boolean is(String self, String name) {
        return switch (name) {
            case "isalnum" -> all(self, c -> Character.isLetterOrDigit(c) || PyText.isNumeric(c));
            case "isalpha" -> all(self, Character::isLetter);
            case "isascii" -> PyText.allMatch(self, c -> c < 0x80);
            case "isdecimal" -> all(self, Character::isDigit);
            case "isdigit" -> all(self, PyText::isDigit);
            case "isidentifier" -> PyText.isIdentifier(self);
            case "islower" -> PyText.isLower(self);
            case "isnumeric" -> all(self, PyText::isNumeric);
            case "isprintable" -> PyText.allMatch(self, PyRepr::isPrintable);
            case "isspace" -> all(self, PyText::isSpace);
            case "istitle" -> PyText.isTitle(self);
            case "isupper" -> PyText.isUpper(self);
            default -> throw new IllegalStateException("no method " + name);
        };
    }

    private static boolean all(String self, IntPredicate predicate) {
        return !self.isEmpty() && PyText.allMatch(self, predicate);
    }

    private static Object split(Budget budget, String self, String name, Arguments arguments) {
        Arguments.Bound bound = arguments.bind(name, 0, "sep", "maxsplit");
        String separator = bound.hasValue(0) ? bound.text(0) : null;
        if (separator != null && separator.isEmpty()) {
            throw PyError.runtime("empty separator");
        }
        if (separator != null) {
            budget.scan(self, separator);
        }
        budget.reserve(self.length());
        long splitsMax = bound.integer(1, -1);
        List<String> parts =
                name.equals("split")
                        ? PyText.split(self, separator, splitsMax)
                        : PyText.splitFromEnd(self, separator, splitsMax);
        budget.steps(parts.size());
        return new ArrayList<Object>(parts);
    }

    private static String join(Budget budget, String self, Arguments arguments) {
        TextBuilder out = budget.text();
        int index = 0;
        for (Object item :
                PyOps.toList(budget, arguments.bindPositional("join", 1, "iterable").get(0))) {
            String text = Values.textOrNull(item);
            if (text == null) {
                throw PyError.runtime(
                        "sequence item %d: expected str instance, %s found"
                                .formatted(index, Values.typeName(item)));
            }
            out.append(index++ == 0 ? "" : self).append(text);
        }
        return out.toString();
    }

    /// `startswith` and `endswith`: one affix or a tuple of them, within optional bounds.
    private static boolean affix(String self, String name, Arguments arguments) {
        Arguments.Bound bound = arguments.bindPositional(name, 1, "affix", "start", "end");
        String text = within(self, bound, 1);
        Object affix = bound.get(0);
        List<Object> affixes =
                affix instanceof PyTuple tuple
                        ? tuple.items()
                        : java.util.Collections.singletonList(affix);
        for (Object one : affixes) {
            String candidate = Values.textOrNull(one);
            if (candidate == null) {
                throw PyError.runtime(
                        "%s first arg must be str or a tuple of str, not %s"
                                .formatted(name, Values.typeName(affix)));
            }
            if (text != null
                    && (name.equals("startswith")
                            ? text.startsWith(candidate)
                            : text.endsWith(candidate))) {
                return true;
            }
        }
        return false;
    }

    /// @return null where the bounds leave no place, not even for an empty string
    private static @Nullable String within(String self, Arguments.Bound bound, int start) {
        if (!bound.hasValue(start) && !bound.hasValue(start + 1)) {
            return self;
        }
        int length = PyText.length(self);
        long from = bound.hasValue(start) ? fromEnd(bound.integer(start, 0), length) : 0;
        long to = bound.hasValue(start + 1) ? fromEnd(bound.integer(start + 1, 0), length) : length;
        return from > length || from > to
                ? null
                : PyText.slice(self, (int) from, (int) Math.min(to, length));
    }

    private static long fromEnd(long index, int length) {
        return index < 0 ? Math.max(index + length, 0) : index;
    }

    private static long find(Budget budget, String self, String name, Arguments arguments) {
        Arguments.Bound bound = arguments.bindPositional(name, 1, "sub", "start", "end");
        String needle = bound.text(0);
        String text = within(self, bound, 1);
        budget.scan(self, needle);
        if (name.equals("count")) {
            return text == null ? 0 : PyText.count(text, needle);
        }
        int at =
                text == null
                        ? -1
                        : name.startsWith("r") ? text.lastIndexOf(needle) : text.indexOf(needle);
        if (text == null || at < 0) {
            if (name.endsWith("index")) {
                throw PyError.runtime("substring not found");
            }
            return -1;
        }
        long skipped = bound.hasValue(1) ? fromEnd(bound.integer(1, 0), PyText.length(self)) : 0;
        return skipped + text.codePointCount(0, at);
    }

    private static String pad(Budget budget, String self, String name, Arguments arguments) {
        Arguments.Bound bound = arguments.bindPositional(name, 1, "width", "fillchar");
        String fill = name.equals("zfill") ? "0" : bound.text(1, " ");
        if (PyText.length(fill) != 1) {
            throw PyError.runtime("The fill character must be exactly one character long");
        }
        int width = bound.size(0, 0);
        int missing = Math.max(width - PyText.length(self), 0);
        int left =
                switch (name) {
                    case "ljust" -> 0;
                    case "center" -> missing / 2 + (missing & width & 1);
                    default -> missing;
                };
        boolean signed = name.equals("zfill") && (self.startsWith("-") || self.startsWith("+"));
        return budget.text()
                .append(signed ? self.substring(0, 1) : "")
                .repeat(fill, left)
                .append(signed ? self.substring(1) : self)
                .repeat(fill, missing - left)
                .toString();
    }

    private static Object partition(Budget budget, String self, String name, Arguments arguments) {
        String separator = arguments.bindPositional(name, 1, "sep").text(0);
        if (separator.isEmpty()) {
            throw PyError.runtime("empty separator");
        }
        budget.scan(self, separator);
        budget.reserve(self.length());
        boolean last = name.equals("rpartition");
        int at = last ? self.lastIndexOf(separator) : self.indexOf(separator);
        if (at < 0) {
            return last ? PyTuple.of("", "", self) : PyTuple.of(self, "", "");
        }
        return PyTuple.of(
                self.substring(0, at), separator, self.substring(at + separator.length()));
    }

    private static String expandTabs(Budget budget, String self, int size) {
        TextBuilder out = budget.text();
        int column = 0;
        for (int i = 0; i < self.length(); i++) {
            char c = self.charAt(i);
            if (c == '\t') {
                int width = size <= 0 ? 0 : size - column % size;
                out.repeat(" ", width);
                column += width;
            } else {
                out.append(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return out.toString();
    }
}
