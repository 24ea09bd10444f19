package dev.tandem.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.admission.TenantLimits;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.sim.cluster.OptionKeys;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Settings that are a list of options with names: in the configuration file a list of sections, elsewhere the same as
/// JSON. What an entry leaves out has its default.
final class NamedEntries {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Of [TenantLimits]: only allowed beside a burst, so it is set after all others.
    private static final String LAST_KEY = "tokens-per-second";

    /// `serve` hands the list on as one argument, of which Linux takes 128 KiB.
    private static final int CHARS_MAX = 120_000;

    private NamedEntries() {}

    /// What is wrong, and where.
    static final class EntryException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        private final String pointer;

        /// @param pointer JSON pointer within the list
        EntryException(String pointer, String message) {
            super(message);
            this.pointer = pointer;
        }

        String pointer() {
            return pointer;
        }
    }

    static SettingType<List<TenantLimits>> tenants(int entriesMax) {
        return new SettingType<>(
                "JSON",
                text ->
                        entries(
                                text,
                                entriesMax,
                                TenantLimits.defaults(),
                                tenant -> List.of(tenant.name())));
    }

    static SettingType<List<WorkloadClass>> classes(int entriesMax) {
        return new SettingType<>(
                "JSON",
                text ->
                        entries(
                                text,
                                entriesMax,
                                WorkloadClass.defaults(),
                                workload -> {
                                    var names = new ArrayList<>(workload.routes());
                                    names.add(workload.name());
                                    return names;
                                }));
    }

    /// @param names under which an entry is found, none of which may belong to two
    private static <R extends Record> List<R> entries(
            String text, int entriesMax, R defaults, Function<R, List<String>> names) {
        if (text.length() > CHARS_MAX) {
            throw new EntryException(
                    "", "must be at most %d characters as JSON".formatted(CHARS_MAX));
        }
        JsonNode list = read(text);
        if (!list.isArray()) {
            throw new EntryException("", "must be a list of entries with a name each");
        }
        if (list.size() > entriesMax) {
            throw new EntryException(
                    "", "must have at most %d entries, has %d".formatted(entriesMax, list.size()));
        }
        var entries = new ArrayList<R>();
        var known = new HashSet<String>();
        for (int i = 0; i < list.size(); i++) {
            R entry = entry(list.get(i), "/" + i, defaults);
            for (String name : names.apply(entry)) {
                if (!known.add(name)) {
                    throw new EntryException("/" + i, "has \"" + name + "\" twice");
                }
            }
            entries.add(entry);
        }
        return List.copyOf(entries);
    }

    private static JsonNode read(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new EntryException("", "is not valid JSON: " + e.getOriginalMessage());
        }
    }

    private static <R extends Record> R entry(JsonNode node, String pointer, R defaults) {
        if (!(node instanceof ObjectNode object) || !object.path("name").isValueNode()) {
            throw new EntryException(pointer, "has an entry without a name");
        }
        R entry = with(defaults, "name", object.path("name"), pointer);
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!field.getKey().equals("name") && !field.getKey().equals(LAST_KEY)) {
                entry = with(entry, field.getKey(), field.getValue(), pointer);
            }
        }
        JsonNode last = object.get(LAST_KEY);
        return last == null ? entry : with(entry, LAST_KEY, last, pointer);
    }

    private static <R extends Record> R with(R entry, String key, JsonNode value, String pointer) {
        String where = pointer + "/" + key;
        try {
            return OptionKeys.with(entry, key, text(value));
        } catch (IllegalArgumentException e) {
            throw new EntryException(where, "has a wrong entry: " + e.getMessage());
        }
    }

    private static String text(JsonNode value) {
        if (value.isObject() || value.isNull()) {
            throw new IllegalArgumentException("a value must be a word, a number or a list");
        }
        if (!value.isArray()) {
            return value.asText();
        }
        var parts = new ArrayList<String>();
        value.forEach(part -> parts.add(text(part)));
        return String.join(",", parts);
    }
}
