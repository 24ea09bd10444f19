package dev.tandem.sim.cluster;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Changes options by the names that configuration files use: the component `stepTokensMax` of a record of options is the key
/// `step-tokens-max`; options within options are joined by dots (`routing.hedge.budget-share`). So a new option has its key
/// without a line here.
///
/// Values: numbers, `true|false`, words of an enum in lower case with hyphens, lists and sets by commas; an entry of a map of
/// options or of lists is one more level of the key.
public final class OptionKeys {
    private OptionKeys() {}

    /// @return a copy of `options` with one value changed
    /// @throws IllegalArgumentException there is no such key, or the value does not fit; one line says which
    public static <R extends Record> R with(R options, String key, String text) {
        return with(options, key, key, text);
    }

    private static <R extends Record> R with(R options, String key, String whole, String text) {
        int dot = key.indexOf('.');
        String head = dot < 0 ? key : key.substring(0, dot);
        String rest = dot < 0 ? "" : key.substring(dot + 1);
        RecordComponent[] components = options.getClass().getRecordComponents();
        Object[] values = new Object[components.length];
        boolean found = false;
        for (int i = 0; i < components.length; i++) {
            values[i] = read(components[i], options);
            if (hyphenated(components[i].getName()).equals(head)) {
                values[i] = changed(components[i], values[i], rest, whole, text);
                found = true;
            }
        }
        if (!found) {
            throw new IllegalArgumentException(
                    "unknown key %s; there are %s"
                            .formatted(whole, String.join(", ", names(components))));
        }
        return create(options, components, values);
    }

    private static Object changed(
            RecordComponent component, Object old, String rest, String whole, String text) {
        if (old instanceof Record options && !rest.isEmpty()) {
            return with(options, rest, whole, text);
        }
        if (old instanceof Map<?, ?> map && !rest.isEmpty()) {
            return changedEntry(component, map, rest, whole, text);
        }
        if (!rest.isEmpty() || old instanceof Record || old instanceof Map<?, ?>) {
            throw new IllegalArgumentException(
                    "unknown key %s: %s %s"
                            .formatted(
                                    whole,
                                    hyphenated(component.getName()),
                                    rest.isEmpty() ? "has keys of its own" : "has no keys"));
        }
        return parse(component.getGenericType(), component.getType(), whole, text);
    }

    private static Object changedEntry(
            RecordComponent component, Map<?, ?> map, String rest, String whole, String text) {
        if (((ParameterizedType) component.getGenericType()).getActualTypeArguments()[1]
                instanceof ParameterizedType list) {
            Map<Object, Object> copy = new HashMap<>(map); // names of lists, such as a zone's
            copy.put(rest, parse(list, (Class<?>) list.getRawType(), whole, text));
            return copy;
        }
        int dot = rest.indexOf('.');
        if (dot < 0) {
            throw new IllegalArgumentException("unknown key " + whole + ": no key after the name");
        }
        String name = rest.substring(0, dot);
        Object entry = map.get(name);
        if (entry == null) {
            entry = named(argument(component.getGenericType(), 1), name);
        }
        Map<Object, Object> copy = new HashMap<>(map);
        copy.put(name, with((Record) entry, rest.substring(dot + 1), whole, text));
        return copy;
    }

    /// The defaults of a type of options, with its name.
    private static Record named(Class<?> type, String name) {
        try {
            Record defaults = (Record) type.getMethod("defaults").invoke(null);
            return with(defaults, "name", name);
        } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(type + " has no defaults()", e);
        }
    }

    private static Object parse(Type generic, Class<?> type, String key, String text) {
        try {
            if (type == int.class) {
                return Integer.parseInt(text);
            }
            if (type == long.class) {
                return Long.parseLong(text);
            }
            if (type == double.class || type == Double.class) {
                return Double.parseDouble(text);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + " is not a number: \"" + text + "\"", e);
        }
        if (type == boolean.class) {
            if (!text.equals("true") && !text.equals("false")) {
                throw new IllegalArgumentException(
                        "%s must be true or false, is \"%s\"".formatted(key, text));
            }
            return text.equals("true");
        }
        if (type == String.class) {
            return text;
        }
        if (type.isEnum()) {
            return word(type, key, text);
        }
        if (type == List.class || type == Set.class) {
            Class<?> element = argument(generic, 0);
            List<Object> list = new ArrayList<>();
            for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
                list.add(parse(element, element, key, part.strip()));
            }
            return type == List.class ? list : new LinkedHashSet<>(list);
        }
        throw new IllegalArgumentException(key + " can't be set here");
    }

    private static Object word(Class<?> type, String key, String text) {
        List<String> words = new ArrayList<>();
        for (Object constant : type.getEnumConstants()) {
            String word = ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
            if (word.equals(text)) {
                return constant;
            }
            words.add(word);
        }
        throw new IllegalArgumentException(
                "%s must be one of %s, is \"%s\"".formatted(key, String.join(", ", words), text));
    }

    private static Class<?> argument(Type generic, int index) {
        return (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[index];
    }

    private static Object read(RecordComponent component, Record options) {
        try {
            return component.getAccessor().invoke(options);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("can't read " + component, e);
        }
    }

    @SuppressWarnings("unchecked") // the same class
    private static <R extends Record> R create(
            R options, RecordComponent[] components, Object[] values) {
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return (R) options.getClass().getConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException wrong) {
                throw wrong;
            }
            throw new IllegalStateException("can't make " + options.getClass(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("can't make " + options.getClass(), e);
        }
    }

    private static List<String> names(RecordComponent[] components) {
        return Arrays.stream(components).map(c -> hyphenated(c.getName())).toList();
    }

    static String hyphenated(String name) {
        var text = new StringBuilder();
        for (char c : name.toCharArray()) {
            if (Character.isUpperCase(c)) {
                text.append('-').append(Character.toLowerCase(c));
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    /// The value of one key, as [#with] reads it.
    ///
    /// @throws IllegalArgumentException there is no such key, or it has keys of its own
    public static String text(Record options, String key) {
        int dot = key.indexOf('.');
        String head = dot < 0 ? key : key.substring(0, dot);
        for (RecordComponent component : options.getClass().getRecordComponents()) {
            if (hyphenated(component.getName()).equals(head)) {
                Object value = read(component, options);
                if (value instanceof Record nested && dot >= 0) {
                    return text(nested, key.substring(dot + 1));
                }
                if (dot < 0 && !(value instanceof Record) && !(value instanceof Map<?, ?>)) {
                    return text(value);
                }
            }
        }
        throw new IllegalArgumentException("unknown key " + key);
    }

    private static String text(Object value) {
        return switch (value) {
            case Enum<?> word -> word.name().toLowerCase(Locale.ROOT).replace('_', '-');
            case List<?> list -> String.join(",", list.stream().map(OptionKeys::text).toList());
            case Set<?> set ->
                    String.join(",", set.stream().map(OptionKeys::text).sorted().toList());
            default -> value.toString();
        };
    }

    /// Every key of `options` with its value, in the order of their declaration: for reports and for telling whether two
    /// runs had the same options.
    public static Map<String, String> flat(Record options) {
        Map<String, String> values = new java.util.LinkedHashMap<>();
        flatten("", options, values);
        return values;
    }

    private static void flatten(String prefix, Record options, Map<String, String> values) {
        for (RecordComponent component : options.getClass().getRecordComponents()) {
            put(prefix + hyphenated(component.getName()), read(component, options), values);
        }
    }

    private static void put(String key, @Nullable Object value, Map<String, String> values) {
        if (value instanceof Record nested) {
            flatten(key + ".", nested, values);
        } else if (value instanceof Map<?, ?> map) {
            new java.util.TreeMap<>(map)
                    .forEach((name, entry) -> put(key + "." + name, entry, values));
        } else if (value instanceof Set<?> set) {
            values.put(key, String.join(",", set.stream().map(String::valueOf).sorted().toList()));
        } else {
            values.put(key, String.valueOf(value));
        }
    }
}
