package dev.tandem.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A configuration file: YAML whose nested names are the dotted keys of [Settings]. One file may hold
/// the settings of several commands; each takes its own.
///
/// @param name the file's name, for messages
/// @param texts value by dotted key, as it would stand after a flag
record ConfigFile(String name, Map<String, String> texts) {
    private static final long FILE_BYTES_MAX = 1 << 20;

    static final ConfigFile EMPTY = new ConfigFile("", Map.of());

    ConfigFile {
        texts = Map.copyOf(texts);
    }

    /// Reads and checks a file.
    ///
    /// @throws UsageException it can't be read, is no YAML, or has a key that no setting has
    static ConfigFile read(Path path) throws UsageException {
        String name = path.toString();
        JsonNode root;
        var lines = new HashMap<String, Integer>();
        try {
            if (Files.size(path) > FILE_BYTES_MAX) {
                throw new UsageException(name + " is larger than " + FILE_BYTES_MAX + " bytes");
            }
            var mapper =
                    YAMLMapper.builder()
                            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                            .build();
            byte[] bytes = Files.readAllBytes(path);
            root = mapper.readTree(bytes);
            try (JsonParser parser = mapper.createParser(bytes)) {
                readLines(parser, lines);
            }
        } catch (JsonProcessingException e) {
            var place = e.getLocation();
            String line = place == null ? "" : " line " + place.getLineNr();
            throw new UsageException(
                    name + line + " is not valid YAML: " + firstLine(e.getOriginalMessage()));
        } catch (IOException e) {
            throw new UsageException(name + " can't be read: " + e);
        }
        var texts = new HashMap<String, String>();
        if (root != null && !root.isMissingNode() && !root.isNull()) {
            if (!root.isObject()) {
                throw new UsageException(name + ": must hold names and values, such as http.port");
            }
            flatten(name, "", root, texts);
            checkEntries(name, SchedulerSettings.TENANTS, texts, lines);
            checkEntries(name, SchedulerSettings.CLASSES, texts, lines);
        }
        return new ConfigFile(name, texts);
    }

    private static void flatten(
            String name, String prefix, JsonNode object, Map<String, String> texts)
            throws UsageException {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            String key = prefix + field.getKey();
            JsonNode value = field.getValue();
            if (isEntries(key) && !value.isNull()) {
                texts.put(key, value.toString());
                continue;
            }
            if (isEntries(key)) {
                continue; // all entries are commented out
            }
            if (value.isObject() && Settings.isKey(key)) {
                texts.put(key, preferences(name, key, value));
                continue;
            }
            if (value.isObject()) {
                if (!Settings.isKeyPrefix(key + ".")) {
                    throw unknown(name, key);
                }
                flatten(name, key + ".", value, texts);
                continue;
            }
            if (value.isNull() && Settings.isKeyPrefix(key + ".")) {
                continue; // a section whose entries are all commented out
            }
            if (!Settings.isKey(key)) {
                throw unknown(name, key);
            }
            if (texts.putIfAbsent(key, text(name, key, value)) != null) {
                throw new UsageException(name + ": " + key + " is given twice");
            }
        }
    }

    private static String text(String name, String key, JsonNode value) throws UsageException {
        if (value.isArray()) {
            List<String> parts = new ArrayList<>();
            for (JsonNode part : value) {
                parts.add(text(name, key, part));
            }
            return String.join(",", parts);
        }
        if (value.isNull() || !value.isValueNode()) {
            throw new UsageException(name + ": " + key + " has no value");
        }
        return value.asText();
    }

    /// `{a: [b, c]}` as `a:b+c`.
    private static String preferences(String name, String key, JsonNode value)
            throws UsageException {
        List<String> parts = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            String names = text(name, key + "." + entry.getKey(), entry.getValue());
            parts.add(entry.getKey() + ":" + names.replace(',', '+'));
        }
        return String.join(",", parts);
    }

    /// Whether the key's value is a list of entries with names, kept as JSON.
    private static boolean isEntries(String key) {
        return key.equals(SchedulerSettings.TENANTS.key())
                || key.equals(SchedulerSettings.CLASSES.key());
    }

    /// Reads the entries now, since only now is it known on which line they are.
    private static void checkEntries(
            String name, Setting<?> setting, Map<String, String> texts, Map<String, Integer> lines)
            throws UsageException {
        String text = texts.get(setting.key());
        if (text == null) {
            return;
        }
        try {
            setting.type().parse(text);
        } catch (NamedEntries.EntryException e) {
            Integer line = lines.get("/" + setting.key() + e.pointer());
            throw new UsageException(
                    "%s%s: %s %s"
                            .formatted(
                                    name,
                                    line == null ? "" : " line " + line,
                                    setting.key(),
                                    e.getMessage()));
        }
    }

    /// The line of every value, by its JSON pointer.
    private static void readLines(JsonParser parser, Map<String, Integer> lines)
            throws IOException {
        while (parser.nextToken() != null) {
            lines.putIfAbsent(
                    parser.getParsingContext().pathAsPointer().toString(),
                    parser.currentTokenLocation().getLineNr());
        }
    }

    private static UsageException unknown(String name, String key) {
        String nearest = Nearest.of(key, Settings.keys());
        String hint = nearest.isEmpty() ? "" : "; did you mean " + nearest + "?";
        return new UsageException(name + ": unknown key " + key + hint);
    }

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse("");
    }
}
