package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.UnaryOperator;

/// Jinja's filters on sequences and mappings. Those that are generators in Python are lazy here too.
final class SequenceFilters {
    static final Map<String, Filters.Filter> FILTERS = new HashMap<>();

    static {
        FILTERS.put("batch", SequenceFilters::batch);
        FILTERS.put("count", (e, value, arguments) -> length(value, arguments));
        FILTERS.put("dictsort", SequenceFilters::dictSort);
        FILTERS.put("first", SequenceFilters::first);
        FILTERS.put("groupby", SequenceFilters::groupBy);
        FILTERS.put("items", SequenceFilters::items);
        FILTERS.put("join", SequenceFilters::join);
        FILTERS.put("last", SequenceFilters::last);
        FILTERS.put("length", (e, value, arguments) -> length(value, arguments));
        FILTERS.put(
                "list", (e, value, arguments) -> new ArrayList<>(PyOps.toList(e.budget(), value)));
        FILTERS.put("map", SequenceFilters::map);
        FILTERS.put("max", (e, value, arguments) -> extreme(e, value, arguments, 1));
        FILTERS.put("min", (e, value, arguments) -> extreme(e, value, arguments, -1));
        FILTERS.put("reject", (e, value, arguments) -> select(e, value, arguments, false, false));
        FILTERS.put(
                "rejectattr", (e, value, arguments) -> select(e, value, arguments, false, true));
        FILTERS.put("reverse", SequenceFilters::reverse);
        FILTERS.put("select", (e, value, arguments) -> select(e, value, arguments, true, false));
        FILTERS.put("selectattr", (e, value, arguments) -> select(e, value, arguments, true, true));
        FILTERS.put("slice", SequenceFilters::slice);
        FILTERS.put("sort", SequenceFilters::sort);
        FILTERS.put("sum", SequenceFilters::sum);
        FILTERS.put("unique", SequenceFilters::unique);
    }

    private SequenceFilters() {}

    /// A generator: elements are found when they are asked for. An element may be None.
    private abstract static class Lazy implements Iterator<Object> {
        private @Nullable Object found;
        private boolean hasFound;

        /// @return [Scope#MISSING] at the end
        abstract @Nullable Object advance();

        @Override
        public boolean hasNext() {
            if (!hasFound) {
                found = advance();
                hasFound = true;
            }
            return !Scope.isMissing(found);
        }

        @Override
        @SuppressWarnings("NullAway")
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            hasFound = false;
            return found;
        }
    }

    /// Reads an attribute path such as `function.name` or `0.id` from an item; null is the item itself.
    private static UnaryOperator<@Nullable Object> getter(
            Evaluator evaluator, @Nullable Object attribute, @Nullable Object otherwise) {
        List<Object> path = new ArrayList<>();
        String text = Values.textOrNull(attribute);
        if (text != null) {
            for (String part : text.split("\\.", -1)) {
                boolean number =
                        !part.isEmpty()
                                && part.length() < 10
                                && PyText.allMatch(part, Character::isDigit);
                path.add(number ? (Object) Long.parseLong(part) : part);
            }
        } else if (attribute != null) {
            path.add(attribute);
        }
        return item -> {
            Object value = item;
            for (Object part : path) {
                value = Attributes.element(evaluator.budget(), value, part);
                if (otherwise != null && value instanceof Undefined) {
                    value = otherwise;
                }
            }
            return value;
        };
    }

    private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
        String text = caseSensitive ? null : Values.textOrNull(value);
        return text == null ? value : PyText.lower(text);
    }

    private static Object length(@Nullable Object value, Arguments arguments) {
        arguments.bind("length", 0);
        return PyOps.length(value);
    }

    private static @Nullable Object first(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        arguments.bind("first", 0);
        Iterator<Object> items = PyOps.iterate(evaluator.budget(), value);
        return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
    }

    private static @Nullable Object last(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        arguments.bind("last", 0);
        if (value instanceof PyGenerator) {
            throw PyError.runtime("'" + Values.typeName(value) + "' object is not reversible");
        }
        List<Object> items = PyOps.toList(evaluator.budget(), value);
        return items.isEmpty()
                ? new Undefined("No last item, sequence was empty.")
                : items.getLast();
    }

    private static Object reverse(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        arguments.bind("reverse", 0);
        String text = Values.textOrNull(value);
        if (text != null) {
            evaluator.budget().reserve(text.length());
            StringBuilder reversed = new StringBuilder(text).reverse(); // keeps surrogate pairs
            return value instanceof Markup ? new Markup(reversed.toString()) : reversed.toString();
        }
        List<Object> items = PyOps.toList(evaluator.budget(), value).reversed();
        return switch (value) {
            case PyGenerator g -> new ArrayList<>(items);
            case PyTuple t -> new PyGenerator("reversed", items.iterator());
            case PyRange r -> new PyGenerator("range_iterator", items.iterator());
            case List<?> l -> new PyGenerator("list_reverseiterator", items.iterator());
            case null, default -> new PyGenerator("dict_reversekeyiterator", items.iterator());
        };
    }

    private static String join(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("join", 0, "d", "attribute");
        Budget budget = evaluator.budget();
        String separator = bound.has(0) ? PyRepr.str(budget, bound.get(0)) : "";
        UnaryOperator<@Nullable Object> getter = getter(evaluator, bound.get(1), null);
        TextBuilder out = budget.text();
        Iterator<Object> items = PyOps.iterate(budget, value);
        for (boolean first = true; items.hasNext(); first = false) {
            out.append(first ? "" : separator)
                    .append(PyRepr.str(budget, getter.apply(items.next())));
        }
        return out.toString();
    }

    private static Object items(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        arguments.bind("items", 0);
        return switch (value) {
            case Undefined u -> PyGenerator.of(List.of().iterator());
            case Map<?, ?> m ->
                    PyGenerator.of(
                            new DictView(DictView.Kind.ITEMS, Values.map(m)).elements().iterator());
            case null, default -> throw PyError.runtime("Can only get item pairs from a mapping.");
        };
    }

    private static PyGenerator map(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        UnaryOperator<@Nullable Object> function;
        if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
            Arguments.Bound bound = arguments.bind("map", 0, "attribute", "default");
            function = getter(evaluator, bound.get(0), bound.get(1));
        } else {
            if (arguments.positional().isEmpty()) {
                throw PyError.runtime("map requires a filter argument");
            }
            String name = PyRepr.str(evaluator.budget(), arguments.positional().getFirst());
            Arguments rest = arguments.skip(1);
            function = item -> Filters.apply(evaluator, name, item, rest);
        }
        Iterator<Object> source = elementsIfAny(evaluator, value);
        return PyGenerator.of(
                new Lazy() {
                    @Override
                    @Nullable Object advance() {
                        return source.hasNext() ? function.apply(source.next()) : Scope.MISSING;
                    }
                });
    }

    /// `select`, `reject`, `selectattr` and `rejectattr`; without a test an item's truth counts.
    private static PyGenerator select(
            Evaluator evaluator,
            @Nullable Object value,
            Arguments arguments,
            boolean wanted,
            boolean byAttribute) {
        if (byAttribute && arguments.positional().isEmpty()) {
            throw PyError.runtime("Missing parameter for attribute name");
        }
        UnaryOperator<@Nullable Object> getter =
                getter(evaluator, byAttribute ? arguments.positional().getFirst() : null, null);
        Arguments test = arguments.skip(byAttribute ? 1 : 0);
        String name =
                test.positional().isEmpty()
                        ? null
                        : PyRepr.str(evaluator.budget(), test.positional().getFirst());
        Arguments rest = test.skip(1);
        Iterator<Object> source = elementsIfAny(evaluator, value);
        return PyGenerator.of(
                new Lazy() {
                    @Override
                    @Nullable Object advance() {
                        while (source.hasNext()) {
                            Object item = source.next();
                            Object tested = getter.apply(item);
                            boolean passes =
                                    name == null
                                            ? Values.truth(tested)
                                            : Tests.test(evaluator, name, tested, rest);
                            if (passes == wanted) {
                                return item;
                            }
                        }
                        return Scope.MISSING;
                    }
                });
    }

    private static Iterator<Object> elementsIfAny(Evaluator evaluator, @Nullable Object value) {
        return Values.truth(value)
                ? PyOps.iterate(evaluator.budget(), value)
                : Collections.emptyIterator();
    }

    private static PyGenerator batch(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("batch", 1, "linecount", "fill_with");
        int size = bound.size(0, 1);
        Iterator<Object> source = PyOps.iterate(evaluator.budget(), value);
        return PyGenerator.of(
                new Lazy() {
                    @Override
                    @Nullable Object advance() {
                        List<Object> batch = new ArrayList<>();
                        while (source.hasNext() && (batch.size() < size || batch.isEmpty())) {
                            batch.add(source.next());
                        }
                        boolean short_ = !batch.isEmpty() && batch.size() < size;
                        if (short_ && bound.hasValue(1)) {
                            evaluator.budget().steps(size - batch.size());
                            batch.addAll(Collections.nCopies(size - batch.size(), bound.get(1)));
                        }
                        return batch.isEmpty() ? Scope.MISSING : batch;
                    }
                });
    }

    private static PyGenerator slice(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("slice", 1, "slices", "fill_with");
        List<Object> items = PyOps.toList(evaluator.budget(), value);
        int slices = bound.size(0, 1);
        if (slices < 1) {
            throw PyError.runtime("integer division or modulo by zero");
        }
        evaluator.budget().steps(slices);
        int each = items.size() / slices;
        int longer = items.size() % slices;
        List<Object> columns = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < slices; i++) {
            int end = start + each + (i < longer ? 1 : 0);
            List<Object> column = new ArrayList<>(items.subList(start, end));
            if (bound.hasValue(1) && i >= longer) {
                Values.add(column, bound.get(1));
            }
            columns.add(column);
            start = end;
        }
        return PyGenerator.of(columns.iterator());
    }

    /// Sorts by a key that is worked out once per item; stable, also when reversed.
    private static List<Object> sorted(
            Evaluator evaluator,
            List<Object> items,
            UnaryOperator<@Nullable Object> key,
            boolean reverse) {
        List<PyTuple> keyed = new ArrayList<>(items.size());
        for (Object item : items) {
            keyed.add(PyTuple.of(key.apply(item), item));
        }
        Comparator<Object> order = PyOps.ordering(evaluator.budget());
        Comparator<PyTuple> byKey = (a, b) -> order.compare(a.items().get(0), b.items().get(0));
        try {
            keyed.sort(reverse ? byKey.reversed() : byKey);
        } catch (IllegalArgumentException notAnOrder) { // NaN among the keys
            throw PyError.runtime("the items can't be sorted: their order contradicts itself");
        }
        List<Object> sorted = new ArrayList<>(items.size());
        keyed.forEach(pair -> sorted.add(pair.items().get(1)));
        return sorted;
    }

    private static Object sort(Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        boolean caseSensitive = bound.flag(1, false);
        String paths = Values.textOrNull(bound.get(2));
        List<UnaryOperator<@Nullable Object>> getters = new ArrayList<>();
        if (paths != null) {
            for (String path : paths.split(",", -1)) {
                getters.add(getter(evaluator, path, null));
            }
        } else {
            getters.add(getter(evaluator, bound.get(2), null));
        }
        UnaryOperator<@Nullable Object> key =
                item -> {
                    List<Object> keys = new ArrayList<>(getters.size());
                    getters.forEach(
                            getter -> Values.add(keys, folded(getter.apply(item), caseSensitive)));
                    return keys;
                };
        return sorted(
                evaluator, PyOps.toList(evaluator.budget(), value), key, bound.flag(0, false));
    }

    private static Object dictSort(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        int position =
                switch (bound.text(1, "key")) {
                    case "key" -> 0;
                    case "value" -> 1;
                    default ->
                            throw PyError.runtime(
                                    "You can only sort by either \"key\" or \"value\"");
                };
        if (!(value instanceof Map<?, ?> map)) {
            PyOps.refuseUndefined(value);
            throw PyError.runtime(
                    "'" + Values.typeName(value) + "' object has no attribute 'items'");
        }
        boolean caseSensitive = bound.flag(0, false);
        List<Object> items = new DictView(DictView.Kind.ITEMS, Values.map(map)).elements();
        UnaryOperator<@Nullable Object> key =
                item ->
                        item == null
                                ? null
                                : folded(((PyTuple) item).items().get(position), caseSensitive);
        return sorted(evaluator, items, key, bound.flag(2, false));
    }

    private static Object groupBy(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound =
                arguments.bind("groupby", 1, "attribute", "default", "case_sensitive");
        boolean caseSensitive = bound.flag(2, false);
        UnaryOperator<@Nullable Object> getter = getter(evaluator, bound.get(0), bound.get(1));
        UnaryOperator<@Nullable Object> key = item -> folded(getter.apply(item), caseSensitive);
        List<Object> groups = new ArrayList<>();
        List<Object> members = new ArrayList<>();
        Object currentKey = Scope.MISSING;
        for (Object item : sorted(evaluator, PyOps.toList(evaluator.budget(), value), key, false)) {
            Object itemKey = key.apply(item);
            if (members.isEmpty() || !PyOps.equal(evaluator.budget(), currentKey, itemKey)) {
                members = new ArrayList<>();
                List<Object> group = new ArrayList<>();
                Values.add(group, getter.apply(item));
                group.add(members);
                groups.add(new PyTuple(group, List.of("grouper", "list")));
                currentKey = itemKey;
            }
            members.add(item);
        }
        return groups;
    }

    private static @Nullable Object extreme(
            Evaluator evaluator, @Nullable Object value, Arguments arguments, int direction) {
        Arguments.Bound bound =
                arguments.bind(direction > 0 ? "max" : "min", 0, "case_sensitive", "attribute");
        boolean caseSensitive = bound.flag(0, false);
        UnaryOperator<@Nullable Object> getter = getter(evaluator, bound.get(1), null);
        Comparator<Object> order = PyOps.ordering(evaluator.budget());
        Iterator<Object> items = PyOps.iterate(evaluator.budget(), value);
        if (!items.hasNext()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.next();
        Object bestKey = folded(getter.apply(best), caseSensitive);
        while (items.hasNext()) {
            Object item = items.next();
            Object key = folded(getter.apply(item), caseSensitive);
            if (compare(order, key, bestKey) * direction > 0) {
                best = item;
                bestKey = key;
            }
        }
        return best;
    }

    @SuppressWarnings("NullAway") // None is compared too, and refused there
    private static int compare(
            Comparator<Object> order, @Nullable Object left, @Nullable Object right) {
        return order.compare(left, right);
    }

    private static @Nullable Object sum(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("sum", 0, "attribute", "start");
        UnaryOperator<@Nullable Object> getter = getter(evaluator, bound.get(0), null);
        Object sum = bound.has(1) ? bound.get(1) : (Object) 0L;
        if (Values.isText(sum)) {
            throw PyError.runtime("sum() can't sum strings [use ''.join(seq) instead]");
        }
        Iterator<Object> items = PyOps.iterate(evaluator.budget(), value);
        while (items.hasNext()) {
            sum = PyOps.add(evaluator.budget(), sum, getter.apply(items.next()));
        }
        return sum;
    }

    private static PyGenerator unique(
            Evaluator evaluator, @Nullable Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("unique", 0, "case_sensitive", "attribute");
        boolean caseSensitive = bound.flag(0, false);
        UnaryOperator<@Nullable Object> getter = getter(evaluator, bound.get(1), null);
        Iterator<Object> source = PyOps.iterate(evaluator.budget(), value);
        Map<Object, Object> seen = new LinkedHashMap<>();
        return PyGenerator.of(
                new Lazy() {
                    @Override
                    @Nullable Object advance() {
                        while (source.hasNext()) {
                            Object item = source.next();
                            Object key = folded(getter.apply(item), caseSensitive);
                            if (!Values.hasKey(seen, key)) {
                                Values.put(seen, key, true);
                                return item;
                            }
                        }
                        return Scope.MISSING;
                    }
                });
    }
}
