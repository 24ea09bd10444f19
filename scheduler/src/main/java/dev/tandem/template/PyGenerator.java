package dev.tandem.template;

import java.util.Iterator;

/// A lazy sequence that can be walked once, such as the result of `map` or `select`: it has no length and no elements
/// by index, as in Python.
///
/// @param typeName what Python calls it, such as `generator`
record PyGenerator(String typeName, Iterator<Object> iterator) {
    static PyGenerator of(Iterator<Object> iterator) {
        return new PyGenerator("generator", iterator);
    }
}
