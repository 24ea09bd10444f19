package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// `object.name` and `object[index]` as Jinja's immutable sandbox resolves them: names with two underscores and methods
/// that would change a list or a dict are unsafe, and what does not exist is [Undefined].
final class Attributes {
    private static final Set<String> LIST_CHANGING =
            Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");
    private static final Set<String> DICT_CHANGING =
            Set.of("clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> LIST_METHODS = Set.of("copy", "count", "index");
    private static final Set<String> DICT_METHODS =
            Set.of("copy", "get", "items", "keys", "values");

    /// A method together with the value that it belongs to.
    record BoundMethod(@Nullable Object receiver, String name) implements PyCallable {
        @Override
        public @Nullable Object call(Evaluator evaluator, Arguments arguments) {
            Budget budget = evaluator.budget();
            return switch (receiver) {
                case String s -> StringMethods.call(budget, s, name, arguments);
                case Markup m -> StringMethods.callMarkup(budget, m, name, arguments);
                case Map<?, ?> m -> callDict(Values.map(m), name, arguments);
                case List<?> l -> callSequence(budget, l, Values.list(l), name, arguments);
                case PyTuple t -> callSequence(budget, t, t.items(), name, arguments);
                case null, default -> throw new IllegalStateException("no method " + name);
            };
        }
    }

    private Attributes() {}

    /// `object.name`.
    static @Nullable Object attribute(Budget budget, @Nullable Object object, String name) {
        if (object instanceof Undefined undefined) {
            throw undefined.failure();
        }
        Object attribute = ownAttribute(object, name);
        if (!Scope.isMissing(attribute)) {
            return attribute;
        }
        if (object instanceof Map<?, ?> map && Values.hasKey(Values.map(map), name)) {
            return Values.valueOf(Values.map(map), name);
        }
        return missing(budget, object, name);
    }

    /// `object[index]`.
    static @Nullable Object element(
            Budget budget, @Nullable Object object, @Nullable Object index) {
        if (object instanceof Undefined undefined) {
            throw undefined.failure();
        }
        Object element = ownElement(object, index);
        if (!Scope.isMissing(element)) {
            return element;
        }
        String name = Values.textOrNull(index);
        if (name != null) {
            Object attribute = ownAttribute(object, name);
            if (!Scope.isMissing(attribute)) {
                return attribute;
            }
        }
        return missing(budget, object, index);
    }

    private static Undefined missing(
            Budget budget, @Nullable Object object, @Nullable Object index) {
        String owner = Values.objectName(object);
        return new Undefined(
                Values.isText(index)
                        ? "'" + owner + "' has no attribute " + PyRepr.repr(budget, index)
                        : owner + " has no element " + PyRepr.repr(budget, index));
    }

    private static @Nullable Object ownElement(@Nullable Object object, @Nullable Object index) {
        if (object instanceof Map<?, ?> map) {
            boolean found = Values.isKey(index) && Values.hasKey(Values.map(map), index);
            return found ? Values.valueOf(Values.map(map), index) : Scope.MISSING;
        }
        if (!(index instanceof Long || index instanceof Boolean)) {
            return Scope.MISSING;
        }
        String text = Values.textOrNull(object);
        List<Object> elements = Values.elementsOrNull(object);
        boolean indexed = text != null || elements != null || object instanceof PyRange;
        long length = indexed ? PyOps.length(object) : 0;
        long at = Values.index(index);
        at = at < 0 ? at + length : at;
        if (at < 0 || at >= length) {
            return Scope.MISSING;
        }
        if (text != null) {
            String one = PyText.slice(text, (int) at, (int) at + 1);
            return object instanceof Markup ? new Markup(one) : one;
        }
        if (elements != null) {
            return elements.get((int) at);
        }
        return object instanceof PyRange range ? (Object) range.get(at) : Scope.MISSING;
    }

    /// @return [Scope#MISSING] when there is none
    private static @Nullable Object ownAttribute(@Nullable Object object, String name) {
        if (isInternal(name)) {
            return object instanceof Map ? Scope.MISSING : unsafe(object, name);
        }
        boolean isMethod =
                switch (object) {
                    case String s -> StringMethods.NAMES.contains(name);
                    case Markup m -> StringMethods.NAMES.contains(name);
                    case List<?> l -> LIST_METHODS.contains(name);
                    case PyTuple t -> name.equals("count") || name.equals("index");
                    case Map<?, ?> m -> DICT_METHODS.contains(name);
                    case null, default -> false;
                };
        if (isMethod) {
            return new BoundMethod(object, name);
        }
        return switch (object) {
            case List<?> l when LIST_CHANGING.contains(name) -> unsafe(object, name);
            case Map<?, ?> m when DICT_CHANGING.contains(name) -> unsafe(object, name);
            case PyTuple t when t.fieldNames().contains(name) ->
                    t.items().get(t.fieldNames().indexOf(name));
            case Namespace n when n.attributes().containsKey(name) -> n.attributes().get(name);
            case LoopContext l -> l.attribute(name);
            case Macro m -> m.attribute(name);
            case Globals.Cycler c -> c.attribute(name);
            case PyRange r ->
                    switch (name) {
                        case "start" -> r.start();
                        case "stop" -> r.stop();
                        case "step" -> r.step();
                        default -> Scope.MISSING;
                    };
            case null, default -> Scope.MISSING;
        };
    }

    private static boolean isInternal(String name) {
        return name.startsWith("__") && name.endsWith("__") && name.length() > 4;
    }

    private static Undefined unsafe(@Nullable Object object, String name) {
        return new Undefined(
                "access to attribute '"
                        + name
                        + "' of '"
                        + Values.typeName(object)
                        + "' object is unsafe.");
    }

    private static @Nullable Object callDict(
            Map<Object, Object> map, String name, Arguments arguments) {
        if (name.equals("get")) {
            Arguments.Bound bound = arguments.bindPositional("get", 1, "key", "default");
            return Values.hasKey(map, bound.get(0))
                    ? Values.valueOf(map, bound.get(0))
                    : bound.get(1);
        }
        arguments.bindPositional(name, 0);
        return switch (name) {
            case "items" -> new DictView(DictView.Kind.ITEMS, map);
            case "keys" -> new DictView(DictView.Kind.KEYS, map);
            case "values" -> new DictView(DictView.Kind.VALUES, map);
            case "copy" -> map;
            default -> throw new IllegalStateException("no method " + name);
        };
    }

    private static Object callSequence(
            Budget budget, Object sequence, List<Object> items, String name, Arguments arguments) {
        if (name.equals("copy")) {
            arguments.bindPositional(name, 0);
            return sequence;
        }
        Object wanted = arguments.bindPositional(name, 1, "value").get(0);
        long count = 0;
        for (int i = 0; i < items.size(); i++) {
            if (PyOps.equal(budget, items.get(i), wanted)) {
                if (name.equals("index")) {
                    return (long) i;
                }
                count++;
            }
        }
        if (name.equals("index")) {
            throw PyError.runtime(PyRepr.repr(budget, wanted) + " is not in list");
        }
        return count;
    }

    /// `object[start:stop:step]`; null bounds are open.
    static @Nullable Object slice(
            Budget budget,
            @Nullable Object object,
            @Nullable Long start,
            @Nullable Long stop,
            @Nullable Long step) {
        if (object instanceof Undefined undefined) {
            throw undefined.failure();
        }
        long by = step == null ? 1 : step;
        if (by == 0) {
            throw PyError.runtime("slice step cannot be zero");
        }
        String text = Values.textOrNull(object);
        List<Object> elements = Values.elementsOrNull(object);
        if (object instanceof PyRange range) {
            int length = (int) range.length();
            long from = clamp(start, by > 0 ? 0 : length - 1, length, by);
            long to = clamp(stop, by > 0 ? length : -1, length, by);
            return new PyRange(range.get(from), range.get(to), range.step() * by);
        }
        if (text == null && elements == null) {
            throw PyError.runtime("'" + Values.typeName(object) + "' object is not subscriptable");
        }
        int length = text != null ? PyText.length(text) : elements == null ? 0 : elements.size();
        int from = clamp(start, by > 0 ? 0 : length - 1, length, by);
        int to = clamp(stop, by > 0 ? length : -1, length, by);
        if (text != null) {
            String cut = sliceText(budget, text, length, from, to, by);
            return object instanceof Markup ? new Markup(cut) : cut;
        }
        List<Object> cut = new ArrayList<>();
        if (elements != null) {
            for (long i = from; by > 0 ? i < to : i > to; i += by) {
                budget.step();
                cut.add(elements.get((int) i));
            }
        }
        return object instanceof PyTuple ? PyTuple.of(cut) : cut;
    }

    private static String sliceText(
            Budget budget, String text, int length, int from, int to, long by) {
        if (by == 1) {
            budget.reserve(Math.max(to - from, 0));
            return from >= to ? "" : PyText.slice(text, from, to);
        }
        budget.reserve(length);
        int[] codePoints = text.codePoints().toArray();
        TextBuilder cut = budget.text();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            cut.appendCodePoint(codePoints[(int) i]);
        }
        return cut.toString();
    }

    private static int clamp(@Nullable Long bound, int open, int length, long by) {
        if (bound == null) {
            return open;
        }
        long at = bound < 0 ? bound + length : bound;
        int lowest = by > 0 ? 0 : -1;
        int highest = by > 0 ? length : length - 1;
        return (int) Math.max(lowest, Math.min(at, highest));
    }
}
