package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The values of a template and what Python says about their type and truth. A value is null (Python's None), Boolean,
/// Long, BigInteger (only beyond a long), Double, String, [Markup], List, [PyTuple], Map in insertion order,
/// [PyRange], [DictView], [PyGenerator], [Namespace], [Undefined] or a [PyCallable].
final class Values {
    private Values() {}

    /// A private, unmodifiable copy of a variable given by the caller.
    static @Nullable Object copyOf(@Nullable Object value, int depthLeft) {
        if (depthLeft == 0) {
            throw PyError.limit("lists and objects nested too deeply");
        }
        return switch (value) {
            case null -> null;
            case String s -> s;
            case Boolean b -> b;
            case Long l -> l;
            case Integer i -> (long) i;
            case Double d -> d;
            case Float f -> (double) f;
            case BigInteger b -> PyNumbers.normal(b);
            case List<?> list -> {
                List<Object> copy = new ArrayList<>(list.size());
                for (Object element : list) {
                    add(copy, copyOf(element, depthLeft - 1));
                }
                yield Collections.unmodifiableList(copy);
            }
            case Map<?, ?> map -> {
                Map<Object, Object> copy = LinkedHashMap.newLinkedHashMap(map.size());
                map.forEach((key, element) -> put(copy, key, copyOf(element, depthLeft - 1)));
                yield Collections.unmodifiableMap(copy);
            }
            default ->
                    throw new IllegalArgumentException(
                            "not a template value: " + value.getClass().getName());
        };
    }

    /// Adds a value that may be Python's None; the collections' element type can't say so.
    @SuppressWarnings("NullAway")
    static void add(List<Object> list, @Nullable Object value) {
        list.add(value);
    }

    @SuppressWarnings("NullAway")
    static <K> void put(Map<K, Object> map, @Nullable K key, @Nullable Object value) {
        map.put(key, value);
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(List<?> list) {
        return (List<Object>) list;
    }

    @SuppressWarnings("unchecked")
    static Map<Object, Object> map(Map<?, ?> map) {
        return (Map<Object, Object>) map;
    }

    static String typeName(@Nullable Object value) {
        return switch (value) {
            case null -> "NoneType";
            case String s -> "str";
            case Markup m -> "Markup";
            case Boolean b -> "bool";
            case Long l -> "int";
            case BigInteger b -> "int";
            case Double d -> "float";
            case List<?> l -> "list";
            case PyTuple t -> t.fieldNames().isEmpty() ? "tuple" : "_GroupTuple";
            case Map<?, ?> m -> "dict";
            case PyRange r -> "range";
            case DictView v -> v.kind().typeName;
            case PyGenerator g -> g.typeName();
            case Namespace n -> "Namespace";
            case Undefined u -> "Undefined";
            case LoopContext l -> "LoopContext";
            case Macro m -> "Macro";
            case PyCallable c -> "builtin_function_or_method";
            default -> value.getClass().getSimpleName();
        };
    }

    /// How Jinja names an object in its messages about missing attributes.
    static String objectName(@Nullable Object value) {
        return value == null ? "None" : typeName(value) + " object";
    }

    static boolean truth(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean b -> b;
            case String s -> !s.isEmpty();
            case Markup m -> !m.text().isEmpty();
            case Long l -> l != 0;
            case Double d -> d != 0;
            case List<?> l -> !l.isEmpty();
            case PyTuple t -> !t.items().isEmpty();
            case Map<?, ?> m -> !m.isEmpty();
            case PyRange r -> r.length() > 0;
            case DictView v -> !v.map().isEmpty();
            case Undefined u -> false;
            default -> true;
        };
    }

    static boolean isText(@Nullable Object value) {
        return value instanceof String || value instanceof Markup;
    }

    static @Nullable String textOrNull(@Nullable Object value) {
        return switch (value) {
            case String s -> s;
            case Markup m -> m.text();
            case null, default -> null;
        };
    }

    /// An integer as Python's `operator.index` takes it: a number too large for a long is refused.
    static long index(@Nullable Object value) {
        return switch (value) {
            case Long l -> l;
            case Boolean b -> b ? 1 : 0;
            case BigInteger b ->
                    throw PyError.runtime("Python int too large to convert to C ssize_t");
            case Undefined u -> throw u.failure();
            case null, default -> throw PyError.notAnInteger(value);
        };
    }

    /// @return the element of a list or tuple, null for anything else
    static @Nullable List<Object> elementsOrNull(@Nullable Object value) {
        return switch (value) {
            case List<?> l -> list(l);
            case PyTuple t -> t.items();
            case null, default -> null;
        };
    }

    /// Whether a value can be a key. Of tuples only flat ones: hashing what a template nested could take for ever.
    static boolean isKey(@Nullable Object value) {
        return value instanceof PyTuple tuple
                ? tuple.items().stream().allMatch(Values::isPlainKey)
                : isPlainKey(value);
    }

    private static boolean isPlainKey(@Nullable Object value) {
        return value == null
                || isText(value)
                || PyNumbers.isNumber(value)
                || value instanceof Undefined;
    }

    /// Finds a key by Python's equality of keys, in which 1, 1.0 and True are one key.
    ///
    /// @return the key as the map holds it, or null when it is absent (also where the key is None: see the map)
    static @Nullable Object keyIn(Map<Object, Object> map, @Nullable Object key) {
        if (key instanceof Markup markup) {
            return keyIn(map, markup.text());
        }
        if (!isKey(key)) {
            throw PyError.runtime("unhashable type: '" + typeName(key) + "'");
        }
        if (key == null || map.containsKey(key)) {
            return key;
        }
        if (PyNumbers.isNumber(key)) {
            for (Object other : map.keySet()) {
                if (PyNumbers.isNumber(other) && PyNumbers.compare(key, other) == 0) {
                    return other;
                }
            }
        }
        return null;
    }

    static boolean hasKey(Map<Object, Object> map, @Nullable Object key) {
        Object found = keyIn(map, key);
        return found != null ? map.containsKey(found) : key == null && map.containsKey(null);
    }

    static @Nullable Object valueOf(Map<Object, Object> map, @Nullable Object key) {
        return map.get(keyIn(map, key));
    }
}
