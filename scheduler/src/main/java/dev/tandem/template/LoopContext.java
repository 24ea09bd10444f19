package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// The `loop` variable. It reads its iterable lazily, as Jinja does, because a filter of the loop may depend on what
/// the body did: only `last`, `nextitem` and the lengths look ahead.
final class LoopContext implements PyCallable {
    /// Renders the same loop over another iterable, for `loop(...)` in a recursive one.
    interface Recursion {
        String render(@Nullable Object iterable, int depth0);
    }

    private static final Object NONE = new Object();

    private final Budget budget;
    private final int depth0;
    private final @Nullable Recursion recursion;
    private final long knownLength;
    private Iterator<Object> rest;
    private @Nullable Object ahead = NONE;
    private @Nullable Object current = NONE;
    private @Nullable Object previous = NONE;
    private @Nullable Object lastChanged = NONE;
    private long index0 = -1;

    LoopContext(
            Budget budget,
            Iterator<Object> elements,
            long knownLength,
            int depth0,
            @Nullable Recursion recursion) {
        this.budget = budget;
        this.rest = elements;
        this.knownLength = knownLength;
        this.depth0 = depth0;
        this.recursion = recursion;
    }

    boolean hasNext() {
        return ahead != NONE || rest.hasNext();
    }

    @Nullable Object next() {
        previous = current;
        current = peek();
        ahead = NONE;
        index0++;
        return current;
    }

    /// @return NONE at the end
    private @Nullable Object peek() {
        if (ahead == NONE && rest.hasNext()) {
            ahead = rest.next();
        }
        return ahead;
    }

    long length() {
        if (knownLength >= 0) {
            return knownLength;
        }
        List<Object> remaining = new ArrayList<>();
        rest.forEachRemaining(remaining::add);
        rest = remaining.iterator();
        return index0 + 1 + (ahead == NONE ? 0 : 1) + remaining.size();
    }

    /// @return [Scope#MISSING] when there is no such attribute
    @Nullable Object attribute(String name) {
        return switch (name) {
            case "index" -> index0 + 1;
            case "index0" -> index0;
            case "first" -> index0 == 0;
            case "last" -> peek() == NONE;
            case "length" -> length();
            case "revindex" -> length() - index0;
            case "revindex0" -> length() - index0 - 1;
            case "depth" -> depth0 + 1L;
            case "depth0" -> (long) depth0;
            case "previtem" ->
                    previous == NONE ? new Undefined("there is no previous item") : previous;
            case "nextitem" -> peek() == NONE ? new Undefined("there is no next item") : peek();
            case "cycle" -> (PyCallable) (evaluator, arguments) -> cycle(arguments);
            case "changed" -> (PyCallable) (evaluator, arguments) -> changed(arguments);
            default -> Scope.MISSING;
        };
    }

    private @Nullable Object cycle(Arguments arguments) {
        List<Object> values = arguments.positional();
        if (values.isEmpty()) {
            throw PyError.runtime("no items for cycling given");
        }
        return values.get((int) (index0 % values.size()));
    }

    private boolean changed(Arguments arguments) {
        PyTuple values = PyTuple.of(arguments.positional());
        if (lastChanged != NONE && PyOps.equal(budget, lastChanged, values)) {
            return false;
        }
        lastChanged = values;
        return true;
    }

    @Override
    public Object call(Evaluator evaluator, Arguments arguments) {
        if (recursion == null) {
            throw PyError.runtime(
                    "The loop must have the 'recursive' marker to be called recursively.");
        }
        return recursion.render(arguments.bind("loop", 1, "iterable").get(0), depth0 + 1);
    }
}
