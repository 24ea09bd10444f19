package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The functions that every template can call: Jinja's own and those that Hugging Face transformers adds for chats
/// (`raise_exception`, `strftime_now`). A variable of the same name hides them.
final class Globals {
    private static final Map<String, PyCallable> FUNCTIONS =
            Map.of(
                    "range", (evaluator, arguments) -> range(arguments),
                    "dict", (evaluator, arguments) -> dict(evaluator, arguments),
                    "namespace", (evaluator, arguments) -> namespace(evaluator, arguments),
                    "joiner", (evaluator, arguments) -> joiner(arguments),
                    "cycler", (evaluator, arguments) -> cycler(arguments),
                    "raise_exception", Globals::raise,
                    "strftime_now", Globals::strftimeNow);

    private Globals() {}

    static @Nullable PyCallable find(String name) {
        return FUNCTIONS.get(name);
    }

    private static Object raise(Evaluator evaluator, Arguments arguments) {
        Object message = arguments.bind("raise_exception", 1, "message").get(0);
        throw new TemplateException(
                TemplateException.Kind.RAISE_EXCEPTION, PyRepr.str(evaluator.budget(), message));
    }

    private static Object strftimeNow(Evaluator evaluator, Arguments arguments) {
        String format = arguments.bind("strftime_now", 1, "format").text(0);
        return Strftime.format(evaluator.budget(), format, evaluator.now());
    }

    private static Object range(Arguments arguments) {
        Arguments.Bound bound = arguments.bindPositional("range", 1, "start", "stop", "step");
        return bound.has(1)
                ? PyRange.of(bound.integer(0, 0), bound.integer(1, 0), bound.integer(2, 1))
                : PyRange.of(0, bound.integer(0, 0), 1);
    }

    private static Map<Object, Object> dict(Evaluator evaluator, Arguments arguments) {
        Map<Object, Object> dict = new LinkedHashMap<>();
        if (arguments.positional().size() > 1) {
            throw PyError.runtime(
                    "dict expected at most 1 argument, got " + arguments.positional().size());
        }
        for (Object source : arguments.positional()) {
            if (source instanceof Map<?, ?> map) {
                dict.putAll(Values.map(map));
            } else {
                Iterator<Object> pairs = PyOps.iterate(evaluator.budget(), source);
                while (pairs.hasNext()) {
                    List<Object> pair = PyOps.toList(evaluator.budget(), pairs.next());
                    if (pair.size() != 2) {
                        throw PyError.runtime(
                                "dictionary update sequence element has length " + pair.size());
                    }
                    Object same = Values.keyIn(dict, pair.get(0));
                    Values.put(dict, same == null ? pair.get(0) : same, pair.get(1));
                }
            }
        }
        dict.putAll(arguments.named());
        return dict;
    }

    private static Object namespace(Evaluator evaluator, Arguments arguments) {
        Namespace namespace = new Namespace();
        dict(evaluator, arguments)
                .forEach(
                        (key, value) ->
                                Values.put(namespace.attributes(), String.valueOf(key), value));
        return namespace;
    }

    /// A function that gives nothing at first and the separator from then on.
    private static Object joiner(Arguments arguments) {
        Arguments.Bound bound = arguments.bind("joiner", 0, "sep");
        String separator = bound.text(0, ", ");
        boolean[] used = new boolean[1];
        return (PyCallable)
                (evaluator, none) -> {
                    String text = used[0] ? separator : "";
                    used[0] = true;
                    return text;
                };
    }

    private static Object cycler(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw PyError.runtime("at least one item has to be provided");
        }
        return new Cycler(arguments.positional());
    }

    /// `cycler(...)`: its `next()` walks round the items.
    static final class Cycler {
        private final List<Object> items;
        private int position;

        private Cycler(List<Object> items) {
            this.items = items;
        }

        /// @return [Scope#MISSING] when there is no such attribute
        @Nullable Object attribute(String name) {
            return switch (name) {
                case "current" -> items.get(position);
                case "next" -> (PyCallable) (evaluator, none) -> next();
                case "reset" ->
                        (PyCallable)
                                (evaluator, none) -> {
                                    position = 0;
                                    return null;
                                };
                default -> Scope.MISSING;
            };
        }

        private @Nullable Object next() {
            Object item = items.get(position);
            position = (position + 1) % items.size();
            return item;
        }
    }
}
