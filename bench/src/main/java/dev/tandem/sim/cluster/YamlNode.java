package dev.tandem.sim.cluster;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// YAML with the line of every value.
sealed interface YamlNode {
    int DEPTH_MAX = 16;

    /// Counted from 1.
    int line();

    /// @param text as written; empty for null
    record Value(int line, String text) implements YamlNode {}

    record Sequence(int line, List<YamlNode> entries) implements YamlNode {}

    record Mapping(int line, Map<String, YamlNode> entries) implements YamlNode {}

    /// @param file for messages
    static YamlNode parse(String file, String text) {
        try (JsonParser yaml = new YAMLFactory().createParser(text)) {
            if (yaml.nextToken() == null) {
                return new Mapping(1, Map.of());
            }
            YamlNode root = read(file, yaml, 0);
            if (yaml.nextToken() != null) {
                throw new ClusterFileException(file, line(yaml), "more than one document");
            }
            return root;
        } catch (JsonProcessingException e) {
            long line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            String reason = e.getOriginalMessage().lines().findFirst().orElse("");
            throw new ClusterFileException(file, line, "no valid YAML: " + reason);
        } catch (IOException e) {
            throw new ClusterFileException(file, 0, "can't be read: " + e);
        }
    }

    private static int line(JsonParser yaml) {
        return yaml.currentTokenLocation().getLineNr();
    }

    private static YamlNode read(String file, JsonParser yaml, int depth) throws IOException {
        int line = line(yaml);
        if (depth > DEPTH_MAX) {
            throw new ClusterFileException(file, line, "nested too deep");
        }
        if (yaml.currentToken() == JsonToken.START_ARRAY) {
            List<YamlNode> entries = new ArrayList<>();
            while (yaml.nextToken() != JsonToken.END_ARRAY) {
                entries.add(read(file, yaml, depth + 1));
            }
            return new Sequence(line, entries);
        }
        if (yaml.currentToken() == JsonToken.START_OBJECT) {
            Map<String, YamlNode> entries = new LinkedHashMap<>();
            while (yaml.nextToken() != JsonToken.END_OBJECT) {
                String name = yaml.currentName();
                int nameLine = line(yaml);
                yaml.nextToken();
                if (entries.putIfAbsent(name, read(file, yaml, depth + 1)) != null) {
                    throw new ClusterFileException(file, nameLine, name + " is given twice");
                }
            }
            return new Mapping(line, entries);
        }
        boolean none = yaml.currentToken() == JsonToken.VALUE_NULL;
        return new Value(line, none ? "" : yaml.getText());
    }
}
