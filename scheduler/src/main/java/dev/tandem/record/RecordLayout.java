package dev.tandem.record;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// How the values of a record class lie in a recording: component after component, nested records inside. Found by
/// reflection, so that a new option or a new fact of a replica is recorded without a line here; [#describe] tells names
/// and types, which a recording's header keeps, so that another version's recording is refused and never misread.
///
/// Components may be numbers, booleans, text, enums, records, sealed interfaces of records, and lists, sets and maps of
/// these; those marked as nullable may be missing. Reading runs the record's own checks.
final class RecordLayout<R extends Record> {
    private final Class<R> type;
    private final Constructor<R> constructor;
    private final List<Component> components = new ArrayList<>();

    private record Component(String name, Method accessor, Codec codec) {}

    /// Writes and reads the values of one type.
    private interface Codec {
        String name();

        void write(FrameWriter out, Object value);

        @Nullable Object read(FrameReader in) throws RecordingException;

        /// Adds a line for every type that needs one.
        default void describe(Set<String> lines) {}
    }

    private RecordLayout(Class<R> type) {
        this.type = type;
        RecordComponent[] parts = type.getRecordComponents();
        Class<?>[] parameters = new Class<?>[parts.length];
        for (int i = 0; i < parts.length; i++) {
            parameters[i] = parts[i].getType();
            Method accessor = parts[i].getAccessor();
            accessor.trySetAccessible();
            Codec codec = codec(parts[i].getAnnotatedType());
            components.add(new Component(parts[i].getName(), accessor, codec));
        }
        try {
            this.constructor = type.getDeclaredConstructor(parameters);
        } catch (NoSuchMethodException e) {
            throw new AssertionError("every record has its canonical constructor", e);
        }
        constructor.trySetAccessible();
    }

    static <R extends Record> RecordLayout<R> of(Class<R> type) {
        return new RecordLayout<>(type);
    }

    /// One line for this class and each class inside: its components with their types, an enum's names.
    void describe(Set<String> lines) {
        StringBuilder line = new StringBuilder(nameOf(type)).append('(');
        for (Component component : components) {
            line.append(component == components.getFirst() ? "" : ", ");
            line.append(component.name()).append(": ").append(component.codec().name());
        }
        lines.add(line.append(')').toString());
        for (Component component : components) {
            component.codec().describe(lines);
        }
    }

    void write(FrameWriter out, R value) {
        for (Component component : components) {
            try {
                component.codec().write(out, component.accessor().invoke(value));
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(type + " has a readable " + component.name(), e);
            }
        }
    }

    /// @throws RecordingException the bytes are not such a record, or the record refuses its values
    R read(FrameReader in) throws RecordingException {
        Object[] values = new Object[components.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = components.get(i).codec().read(in);
        }
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            Throwable cause = Objects.requireNonNull(e.getCause());
            throw in.wrong(nameOf(type) + " refuses its values: " + cause.getMessage(), cause);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(type + " can be made", e);
        }
    }

    // ---- codecs ----

    private static Codec codec(AnnotatedType type) {
        Codec codec = codecOf(type);
        return type.isAnnotationPresent(Nullable.class) ? new Optional(codec) : codec;
    }

    private static Codec codecOf(AnnotatedType annotated) {
        Type type = annotated.getType();
        if (type instanceof ParameterizedType parameterized
                && annotated instanceof AnnotatedParameterizedType arguments) {
            AnnotatedType[] of = arguments.getAnnotatedActualTypeArguments();
            Type raw = parameterized.getRawType();
            if (raw == List.class) {
                return new Many(codec(of[0]), false);
            } else if (raw == Set.class) {
                return new Many(codec(of[0]), true);
            } else if (raw == Map.class) {
                return new Mapping(codec(of[0]), codec(of[1]));
            }
        } else if (type instanceof Class<?> plain) {
            return codecOf(plain);
        }
        throw new IllegalArgumentException("recordings can't hold a " + type.getTypeName());
    }

    private static Codec codecOf(Class<?> type) {
        for (Plain plain : Plain.values()) {
            if (plain.primitive == type || plain.boxed == type) {
                return plain;
            }
        }
        if (type.isEnum()) {
            return new OneOf(type);
        } else if (type.isRecord()) {
            return new Nested(of(type.asSubclass(Record.class)));
        } else if (type.isSealed()) {
            return new Variant(type);
        }
        throw new IllegalArgumentException("recordings can't hold a " + type.getName());
    }

    private enum Plain implements Codec {
        BOOLEAN(boolean.class, Boolean.class) {
            @Override
            public void write(FrameWriter out, Object value) {
                out.putBoolean((Boolean) value);
            }

            @Override
            public Object read(FrameReader in) throws RecordingException {
                return in.getBoolean();
            }
        },
        INT(int.class, Integer.class) {
            @Override
            public void write(FrameWriter out, Object value) {
                out.putZigzag((Integer) value);
            }

            @Override
            public Object read(FrameReader in) throws RecordingException {
                return in.getZigzagInt();
            }
        },
        LONG(long.class, Long.class) {
            @Override
            public void write(FrameWriter out, Object value) {
                out.putZigzag((Long) value);
            }

            @Override
            public Object read(FrameReader in) throws RecordingException {
                return in.getZigzag();
            }
        },
        FLOAT(float.class, Float.class) {
            @Override
            public void write(FrameWriter out, Object value) {
                out.putInt(Float.floatToRawIntBits((Float) value));
            }

            @Override
            public Object read(FrameReader in) throws RecordingException {
                return Float.intBitsToFloat(in.getInt());
            }
        },
        DOUBLE(double.class, Double.class) {
            @Override
            public void write(FrameWriter out, Object value) {
                out.putLong(Double.doubleToRawLongBits((Double) value));
            }

            @Override
            public Object read(FrameReader in) throws RecordingException {
                return Double.longBitsToDouble(in.getLong());
            }
        },
        TEXT(String.class, String.class) {
            @Override
            public void write(FrameWriter out, Object value) {
                out.putText((String) value);
            }

            @Override
            public Object read(FrameReader in) throws RecordingException {
                return in.getText();
            }
        };

        private final Class<?> primitive;
        private final Class<?> boxed;

        Plain(Class<?> primitive, Class<?> boxed) {
            this.primitive = primitive;
            this.boxed = boxed;
        }
    }

    private record Optional(Codec codec) implements Codec {
        @Override
        public String name() {
            return codec.name() + "?";
        }

        @Override
        public void describe(Set<String> lines) {
            codec.describe(lines);
        }

        @Override
        public void write(FrameWriter out, @Nullable Object value) {
            out.putBoolean(value != null);
            if (value != null) {
                codec.write(out, value);
            }
        }

        @Override
        public @Nullable Object read(FrameReader in) throws RecordingException {
            return in.getBoolean() ? codec.read(in) : null;
        }
    }

    private record OneOf(Class<?> type) implements Codec {
        @Override
        public String name() {
            return nameOf(type);
        }

        @Override
        public void describe(Set<String> lines) {
            lines.add(name() + " " + List.of(type.getEnumConstants()));
        }

        @Override
        public void write(FrameWriter out, Object value) {
            out.putByte(((Enum<?>) value).ordinal());
        }

        @Override
        public Object read(FrameReader in) throws RecordingException {
            int ordinal = in.getByte();
            Object[] constants = type.getEnumConstants();
            if (ordinal >= constants.length) {
                throw in.wrong(name() + " has no number " + ordinal);
            }
            return constants[ordinal];
        }
    }

    private record Nested(RecordLayout<?> layout) implements Codec {
        @Override
        public String name() {
            return nameOf(layout.type);
        }

        @Override
        public void describe(Set<String> lines) {
            layout.describe(lines);
        }

        @Override
        public void write(FrameWriter out, Object value) {
            writeAs(layout, out, value);
        }

        private static <R extends Record> void writeAs(
                RecordLayout<R> layout, FrameWriter out, Object value) {
            layout.write(out, layout.type.cast(value));
        }

        @Override
        public Object read(FrameReader in) throws RecordingException {
            return layout.read(in);
        }
    }

    /// One of a sealed interface's records, by its place in the `permits` list.
    private static final class Variant implements Codec {
        private final Class<?> type;
        private final Class<?>[] kinds;
        private final List<Codec> codecs = new ArrayList<>();

        Variant(Class<?> type) {
            this.type = type;
            this.kinds = type.getPermittedSubclasses();
            for (Class<?> kind : kinds) {
                codecs.add(codecOf(kind));
            }
        }

        @Override
        public String name() {
            return nameOf(type);
        }

        @Override
        public void describe(Set<String> lines) {
            lines.add(name() + " " + codecs.stream().map(Codec::name).toList());
            codecs.forEach(codec -> codec.describe(lines));
        }

        @Override
        public void write(FrameWriter out, Object value) {
            int index = 0;
            while (!kinds[index].isInstance(value)) {
                index++;
            }
            out.putByte(index);
            codecs.get(index).write(out, value);
        }

        @Override
        public @Nullable Object read(FrameReader in) throws RecordingException {
            int index = in.getByte();
            if (index >= kinds.length) {
                throw in.wrong(name() + " has no kind " + index);
            }
            return codecs.get(index).read(in);
        }
    }

    /// A list, or a set: that is written in ascending order where it has one, since its own order may differ between runs.
    private record Many(Codec codec, boolean set) implements Codec {
        @Override
        public String name() {
            return (set ? "set of " : "list of ") + codec.name();
        }

        @Override
        public void describe(Set<String> lines) {
            codec.describe(lines);
        }

        @Override
        public void write(FrameWriter out, Object value) {
            Collection<?> items = (Collection<?>) value;
            out.putVarint(items.size());
            for (Object item : set ? ordered(items) : items) {
                codec.write(out, item);
            }
        }

        @Override
        public Object read(FrameReader in) throws RecordingException {
            int count = in.getCount(1);
            Collection<Object> items = set ? new LinkedHashSet<>() : new ArrayList<>();
            for (int i = 0; i < count; i++) {
                items.add(codec.read(in));
            }
            return items;
        }
    }

    private record Mapping(Codec keys, Codec values) implements Codec {
        @Override
        public String name() {
            return "map of " + keys.name() + " to " + values.name();
        }

        @Override
        public void describe(Set<String> lines) {
            keys.describe(lines);
            values.describe(lines);
        }

        @Override
        public void write(FrameWriter out, Object value) {
            Map<?, ?> map = (Map<?, ?>) value;
            out.putVarint(map.size());
            for (Object key : ordered(map.keySet())) {
                keys.write(out, key);
                values.write(out, Objects.requireNonNull(map.get(key)));
            }
        }

        @Override
        public Object read(FrameReader in) throws RecordingException {
            int count = in.getCount(2);
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < count; i++) {
                Object key = keys.read(in);
                map.put(key, values.read(in));
            }
            return map;
        }
    }

    /// Without the package, with the class around it.
    private static String nameOf(Class<?> type) {
        return type.getName().substring(type.getPackageName().length() + 1).replace('$', '.');
    }

    private static Collection<?> ordered(Collection<?> items) {
        boolean comparable = items.stream().allMatch(Comparable.class::isInstance);
        return comparable ? items.stream().sorted().toList() : items;
    }
}
