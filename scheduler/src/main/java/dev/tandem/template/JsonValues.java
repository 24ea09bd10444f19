package dev.tandem.template;

import com.fasterxml.jackson.databind.JsonNode;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// JSON as template values, as Python's `json.loads` gives them: keys in their order, integers of any size exact.
final class JsonValues {
    private JsonValues() {}

    static @Nullable Object of(@Nullable JsonNode node) {
        if (node == null || node.isNull() || node.isMissingNode()) {
            return null;
        }
        return switch (node.getNodeType()) {
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER ->
                    node.isIntegralNumber()
                            ? PyNumbers.normal(node.bigIntegerValue())
                            : (Object) node.doubleValue();
            case ARRAY -> {
                List<Object> list = new ArrayList<>(node.size());
                node.forEach(element -> Values.add(list, of(element)));
                yield list;
            }
            case OBJECT -> object(node);
            case BINARY, MISSING, NULL, POJO ->
                    throw new IllegalArgumentException("not a JSON value: " + node);
        };
    }

    static Map<String, Object> object(JsonNode node) {
        Map<String, Object> map = new LinkedHashMap<>();
        node.properties().forEach(entry -> Values.put(map, entry.getKey(), of(entry.getValue())));
        return map;
    }
}
