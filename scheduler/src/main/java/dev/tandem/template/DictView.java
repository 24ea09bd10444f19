package dev.tandem.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What `dict.keys()`, `values()` and `items()` give: iterable, with a length, but without elements by index.
record DictView(Kind kind, Map<Object, Object> map) {
    enum Kind {
        KEYS("dict_keys"),
        VALUES("dict_values"),
        ITEMS("dict_items");

        final String typeName;

        Kind(String typeName) {
            this.typeName = typeName;
        }
    }

    List<Object> elements() {
        return switch (kind) {
            case KEYS -> new ArrayList<>(map.keySet());
            case VALUES -> new ArrayList<>(map.values());
            case ITEMS -> {
                List<Object> items = new ArrayList<>(map.size());
                map.forEach((key, value) -> items.add(PyTuple.of(key, value)));
                yield items;
            }
        };
    }
}
