package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;

/// The names visible at one place. Assigning binds in the innermost scope only, so what a loop's body sets is gone
/// after the iteration; reading looks outwards, along the places where the template stands, not along the calls.
final class Scope {
    /// Told apart from Python's None.
    static final Object MISSING = new Object();

    private final @Nullable Scope outer;
    private final Map<String, Object> names = new HashMap<>();

    Scope(@Nullable Scope outer) {
        this.outer = outer;
    }

    /// Whether a value is [#MISSING], which no template value equals.
    @SuppressWarnings("ReferenceEquality")
    static boolean isMissing(@Nullable Object value) {
        return value == MISSING;
    }

    void set(String name, @Nullable Object value) {
        Values.put(names, name, value);
    }

    /// @return [#MISSING] when no scope has the name
    @Nullable Object find(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            Object value = scope.names.get(name);
            if (value != null || scope.names.containsKey(name)) {
                return value;
            }
        }
        return MISSING;
    }
}
