package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The evaluated arguments of a call, filter or test.
record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /// Assigns the arguments to parameters in Python's way.
    ///
    /// @param required how many of `parameters`, from the first, must be given
    Bound bind(String function, int required, String... parameters) {
        if (positional.size() > parameters.length) {
            throw PyError.runtime(
                    "%s() takes at most %d arguments (%d given)"
                            .formatted(function, parameters.length, positional.size()));
        }
        @Nullable Object[] values = new @Nullable Object[parameters.length];
        boolean[] given = new boolean[parameters.length];
        for (int i = 0; i < positional.size(); i++) {
            values[i] = positional.get(i);
            given[i] = true;
        }
        List<String> names = Arrays.asList(parameters);
        for (Map.Entry<String, Object> argument : named.entrySet()) {
            int index = names.indexOf(argument.getKey());
            if (index < 0) {
                throw PyError.runtime(
                        function
                                + "() got an unexpected keyword argument '"
                                + argument.getKey()
                                + "'");
            }
            if (given[index]) {
                throw PyError.runtime(
                        function
                                + "() got multiple values for argument '"
                                + argument.getKey()
                                + "'");
            }
            values[index] = argument.getValue();
            given[index] = true;
        }
        for (int i = 0; i < required; i++) {
            if (!given[i]) {
                throw PyError.runtime(
                        function + "() missing required argument: '" + parameters[i] + "'");
            }
        }
        return new Bound(function, values, given);
    }

    /// As [#bind], for built-in methods that take no keywords.
    Bound bindPositional(String function, int required, String... parameters) {
        if (!named.isEmpty()) {
            throw PyError.runtime(function + "() takes no keyword arguments");
        }
        return bind(function, required, parameters);
    }

    /// The arguments after the first `count` positional ones.
    Arguments skip(int count) {
        return new Arguments(
                positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }

    Arguments with(String name, @Nullable Object value) {
        Map<String, Object> more = new LinkedHashMap<>(named);
        Values.put(more, name, value);
        return new Arguments(positional, more);
    }

    /// Arguments by parameter index.
    static final class Bound {
        private final String function;
        private final @Nullable Object[] values;
        private final boolean[] given;

        private Bound(String function, @Nullable Object[] values, boolean[] given) {
            this.function = function;
            this.values = values;
            this.given = given;
        }

        boolean has(int index) {
            return given[index];
        }

        boolean hasValue(int index) {
            return given[index] && values[index] != null;
        }

        @Nullable Object get(int index) {
            return values[index];
        }

        boolean flag(int index, boolean otherwise) {
            return given[index] ? Values.truth(values[index]) : otherwise;
        }

        long integer(int index, long otherwise) {
            return given[index] ? Values.index(values[index]) : otherwise;
        }

        /// A count or width: what does not fit an `int` is refused.
        int size(int index, int otherwise) {
            if (!given[index]) {
                return otherwise;
            }
            long value = Values.index(values[index]);
            if (value > Integer.MAX_VALUE || value < Integer.MIN_VALUE) {
                throw PyError.runtime(
                        function + "(): the number " + BigInteger.valueOf(value) + " is too large");
            }
            return (int) value;
        }

        String text(int index) {
            String text = Values.textOrNull(values[index]);
            if (text == null) {
                throw PyError.runtime(
                        "%s() argument %d must be str, not %s"
                                .formatted(function, index + 1, Values.typeName(values[index])));
            }
            return text;
        }

        String text(int index, String otherwise) {
            return given[index] ? text(index) : otherwise;
        }
    }
}
