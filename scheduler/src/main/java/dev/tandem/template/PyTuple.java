package dev.tandem.template;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// A Python tuple; `fieldNames` is empty but for named tuples.
record PyTuple(List<Object> items, List<String> fieldNames) {
    static PyTuple of(@Nullable Object... items) {
        return new PyTuple(java.util.Arrays.asList(items), List.of());
    }

    static PyTuple of(List<Object> items) {
        return new PyTuple(items, List.of());
    }
}
