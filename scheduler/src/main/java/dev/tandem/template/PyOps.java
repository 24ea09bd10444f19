package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/// Python's operators on values: equality, order, membership, `+`, `*` and their like, iteration and length.
final class PyOps {
    private PyOps() {}

    @SuppressWarnings("ReferenceEquality") // Python, too, asks first whether it is one object
    static boolean equal(Budget budget, @Nullable Object left, @Nullable Object right) {
        budget.step();
        if (left == right) {
            return !(left instanceof Double d && d.isNaN());
        }
        if (left == null || right == null) {
            return false;
        }
        if (PyNumbers.isNumber(left) && PyNumbers.isNumber(right)) {
            return PyNumbers.compare(left, right) == 0;
        }
        String text = Values.textOrNull(left);
        if (text != null) {
            return text.equals(Values.textOrNull(right));
        }
        return switch (left) {
            case List<?> a when right instanceof List<?> b ->
                    equalAll(budget, Values.list(a), Values.list(b));
            case PyTuple a when right instanceof PyTuple b ->
                    equalAll(budget, a.items(), b.items());
            case Map<?, ?> a when right instanceof Map<?, ?> b ->
                    equalMaps(budget, Values.map(a), Values.map(b));
            case PyRange a when right instanceof PyRange b ->
                    equalAll(budget, toList(budget, a), toList(budget, b));
            case Undefined a when right instanceof Undefined -> true;
            default -> false;
        };
    }

    private static boolean equalAll(Budget budget, List<Object> left, List<Object> right) {
        if (left.size() != right.size()) {
            return false;
        }
        for (int i = 0; i < left.size(); i++) {
            if (!equal(budget, left.get(i), right.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean equalMaps(
            Budget budget, Map<Object, Object> left, Map<Object, Object> right) {
        if (left.size() != right.size()) {
            return false;
        }
        for (Map.Entry<Object, Object> entry : left.entrySet()) {
            Object key = entry.getKey();
            if (!Values.hasKey(right, key)
                    || !equal(budget, entry.getValue(), Values.valueOf(right, key))) {
                return false;
            }
        }
        return true;
    }

    /// @return negative, zero or positive; 2 where neither is less (NaN)
    static int compare(
            Budget budget, String operator, @Nullable Object left, @Nullable Object right) {
        budget.step();
        if (left instanceof Undefined u) {
            throw u.failure();
        }
        if (right instanceof Undefined u) {
            throw u.failure();
        }
        if (left != null
                && right != null
                && PyNumbers.isNumber(left)
                && PyNumbers.isNumber(right)) {
            return PyNumbers.compare(left, right);
        }
        String a = Values.textOrNull(left);
        String b = Values.textOrNull(right);
        if (a != null && b != null) {
            return compareText(a, b);
        }
        boolean lists = left instanceof List && right instanceof List;
        if (lists || (left instanceof PyTuple && right instanceof PyTuple)) {
            return compareAll(budget, operator, toList(budget, left), toList(budget, right));
        }
        throw PyError.runtime(
                "'%s' not supported between instances of '%s' and '%s'"
                        .formatted(operator, Values.typeName(left), Values.typeName(right)));
    }

    private static int compareText(String left, String right) {
        int common = Math.min(left.length(), right.length());
        for (int i = 0; i < common; i++) {
            if (left.charAt(i)
                    != right.charAt(i)) { // by code point: surrogates sort after all other units
                return Integer.compare(unitRank(left.charAt(i)), unitRank(right.charAt(i)));
            }
        }
        return Integer.compare(left.length(), right.length());
    }

    private static int unitRank(char unit) {
        return Character.isSurrogate(unit) ? unit + 0x10000 : unit;
    }

    private static int compareAll(
            Budget budget, String operator, List<Object> left, List<Object> right) {
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            if (!equal(budget, left.get(i), right.get(i))) {
                return compare(budget, operator, left.get(i), right.get(i));
            }
        }
        return Integer.compare(left.size(), right.size());
    }

    /// The order of `sorted`: Python asks only for "less than".
    static Comparator<Object> ordering(Budget budget) {
        return (left, right) -> {
            int order = compare(budget, "<", left, right);
            return order == 2 ? 0 : order;
        };
    }

    static boolean contains(Budget budget, @Nullable Object container, @Nullable Object element) {
        String text = Values.textOrNull(container);
        if (text != null) {
            String part = Values.textOrNull(element);
            if (part == null) {
                throw PyError.runtime(
                        "'in <string>' requires string as left operand, not "
                                + Values.typeName(element));
            }
            budget.scan(text, part);
            return text.contains(part);
        }
        if (container instanceof Map<?, ?> map) {
            return Values.hasKey(Values.map(map), element);
        }
        if (!isIterable(container)) {
            throw PyError.runtime(
                    "argument of type '" + Values.typeName(container) + "' is not iterable");
        }
        Iterator<Object> elements = iterate(budget, container);
        while (elements.hasNext()) {
            if (equal(budget, elements.next(), element)) {
                return true;
            }
        }
        return false;
    }

    static Object add(Budget budget, @Nullable Object left, @Nullable Object right) {
        refuseUndefined(left, right);
        if (left != null
                && right != null
                && PyNumbers.isNumber(left)
                && PyNumbers.isNumber(right)) {
            return PyNumbers.add(left, right);
        }
        String a = Values.textOrNull(left);
        String b = Values.textOrNull(right);
        if (a != null && b != null) {
            if (left instanceof String && right instanceof String) {
                budget.reserve((long) a.length() + b.length());
                return a.concat(b);
            }
            String first = left instanceof Markup ? a : Markup.escape(a);
            String second = right instanceof Markup ? b : Markup.escape(b);
            return new Markup(budget.text().append(first).append(second).toString());
        }
        if (left instanceof List<?> x && right instanceof List<?> y) {
            return joined(budget, Values.list(x), Values.list(y));
        }
        if (left instanceof PyTuple x && right instanceof PyTuple y) {
            return PyTuple.of(joined(budget, x.items(), y.items()));
        }
        if (a != null) {
            throw PyError.runtime(
                    "can only concatenate str (not \"" + Values.typeName(right) + "\") to str");
        }
        throw PyError.operands("+", left, right);
    }

    private static List<Object> joined(Budget budget, List<Object> left, List<Object> right) {
        budget.steps((long) left.size() + right.size());
        List<Object> sum = new ArrayList<>(left.size() + right.size());
        sum.addAll(left);
        sum.addAll(right);
        return sum;
    }

    static Object multiply(Budget budget, @Nullable Object left, @Nullable Object right) {
        refuseUndefined(left, right);
        if (left != null
                && right != null
                && PyNumbers.isNumber(left)
                && PyNumbers.isNumber(right)) {
            return PyNumbers.multiply(left, right);
        }
        if (PyNumbers.isInteger(left)) {
            return repeat(budget, right, left, left, right);
        }
        if (PyNumbers.isInteger(right)) {
            return repeat(budget, left, right, left, right);
        }
        throw PyError.operands("*", left, right);
    }

    private static Object repeat(
            Budget budget,
            @Nullable Object value,
            @Nullable Object times,
            @Nullable Object left,
            @Nullable Object right) {
        long count = Math.max(Values.index(times), 0);
        if (count > Integer.MAX_VALUE) {
            throw PyError.limit("a repetition of " + count + " times");
        }
        return switch (value) {
            case String s -> budget.text().repeat(s, count).toString();
            case Markup m -> new Markup(budget.text().repeat(m.text(), count).toString());
            case List<?> l -> repeatList(budget, Values.list(l), count);
            case PyTuple t -> PyTuple.of(repeatList(budget, t.items(), count));
            case null, default -> throw PyError.operands("*", left, right);
        };
    }

    private static List<Object> repeatList(Budget budget, List<Object> items, long count) {
        budget.steps(count * items.size());
        List<Object> repeated = new ArrayList<>();
        for (long i = 0; i < count && !items.isEmpty(); i++) {
            repeated.addAll(items);
        }
        return repeated;
    }

    static void refuseUndefined(@Nullable Object... operands) {
        for (Object operand : operands) {
            if (operand instanceof Undefined u) {
                throw u.failure();
            }
        }
    }

    static boolean isIterable(@Nullable Object value) {
        return switch (value) {
            case String s -> true;
            case Markup m -> true;
            case List<?> l -> true;
            case PyTuple t -> true;
            case Map<?, ?> m -> true;
            case PyRange r -> true;
            case DictView v -> true;
            case PyGenerator g -> true;
            case Undefined u -> true;
            case null, default -> false;
        };
    }

    /// Walks any iterable; each element is a step of the budget.
    static Iterator<Object> iterate(Budget budget, @Nullable Object value) {
        Iterator<Object> source =
                switch (value) {
                    case String s -> codePoints(s);
                    case Markup m -> codePoints(m.text());
                    case List<?> l -> Values.list(l).iterator();
                    case PyTuple t -> t.items().iterator();
                    case Map<?, ?> m -> Values.map(m).keySet().iterator();
                    case PyRange r -> rangeIterator(r);
                    case DictView v -> v.elements().iterator();
                    case PyGenerator g -> g.iterator();
                    case Undefined u -> List.of().iterator();
                    case null, default -> throw PyError.notIterable(value);
                };
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return source.hasNext();
            }

            @Override
            public Object next() {
                budget.step();
                return source.next();
            }
        };
    }

    private static Iterator<Object> codePoints(String text) {
        return text.codePoints().<Object>mapToObj(Character::toString).iterator();
    }

    private static Iterator<Object> rangeIterator(PyRange range) {
        return java.util.stream.LongStream.range(0, range.length())
                .<Object>mapToObj(range::get)
                .iterator();
    }

    static List<Object> toList(Budget budget, @Nullable Object value) {
        List<Object> elements = Values.elementsOrNull(value);
        if (elements != null) {
            return elements;
        }
        List<Object> list = new ArrayList<>();
        iterate(budget, value).forEachRemaining(list::add);
        return list;
    }

    static boolean hasLength(@Nullable Object value) {
        return isIterable(value) && !(value instanceof PyGenerator);
    }

    static long length(@Nullable Object value) {
        return switch (value) {
            case String s -> PyText.length(s);
            case Markup m -> PyText.length(m.text());
            case List<?> l -> l.size();
            case PyTuple t -> t.items().size();
            case Map<?, ?> m -> m.size();
            case PyRange r -> r.length();
            case DictView v -> v.map().size();
            case Undefined u -> 0;
            case LoopContext l -> l.length();
            case null, default ->
                    throw PyError.runtime(
                            "object of type '" + Values.typeName(value) + "' has no len()");
        };
    }
}
