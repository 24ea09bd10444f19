package dev.tandem.template;

import java.util.LinkedHashMap;
import java.util.Map;

/// `namespace(...)`: the one mutable value of a template, by which a loop hands results outwards.
record Namespace(Map<String, Object> attributes) {
    Namespace() {
        this(new LinkedHashMap<>());
    }
}
