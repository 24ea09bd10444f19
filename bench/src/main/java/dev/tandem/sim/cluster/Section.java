package dev.tandem.sim.cluster;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names and values of one mapping of a file, taken out one by one; what nobody takes is unknown.
final class Section {
    private static final Pattern BYTES = Pattern.compile("(\\d{1,15})\\s*(|KiB|MiB|GiB|TiB)");
    private static final List<String> UNITS = List.of("", "KiB", "MiB", "GiB", "TiB");

    private final String file;
    private final int line;
    private final Map<String, YamlNode> entries;
    private final Set<String> known = new HashSet<>();
    private final List<String> names = new ArrayList<>();

    private Section(String file, int line, Map<String, YamlNode> entries) {
        this.file = file;
        this.line = line;
        this.entries = entries;
    }

    static Section of(String file, YamlNode node, String what) {
        if (node instanceof YamlNode.Mapping mapping) {
            return new Section(file, mapping.line(), mapping.entries());
        }
        if (node instanceof YamlNode.Value value && value.text().isEmpty()) {
            return new Section(file, value.line(), Map.of());
        }
        throw new ClusterFileException(file, node.line(), what + " must hold names and values");
    }

    int line() {
        return line;
    }

    private @Nullable YamlNode take(String name) {
        if (known.add(name)) {
            names.add(name);
        }
        return entries.get(name);
    }

    boolean has(String name) {
        return entries.containsKey(name);
    }

    int lineOf(String name) {
        YamlNode node = entries.get(name);
        return node == null ? line : node.line();
    }

    String text(String name, String absent) {
        YamlNode node = take(name);
        if (node == null) {
            return absent;
        }
        if (node instanceof YamlNode.Value value && !value.text().isEmpty()) {
            return value.text();
        }
        throw wrong(node.line(), name + " must be one value");
    }

    int whole(String name, int least, int most, int absent) {
        String text = text(name, "");
        if (text.isEmpty()) {
            return absent;
        }
        try {
            int value = Integer.parseInt(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below, with the rule.
        }
        throw wrong(
                lineOf(name),
                "%s must be a whole number from %d to %d, is \"%s\""
                        .formatted(name, least, most, text));
    }

    double positive(String name, double absent) {
        String text = text(name, "");
        if (text.isEmpty()) {
            return absent;
        }
        try {
            double value = Double.parseDouble(text);
            if (value > 0 && Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below, with the rule.
        }
        throw wrong(lineOf(name), "%s must be more than 0, is \"%s\"".formatted(name, text));
    }

    long bytes(String name, long absent) {
        String text = text(name, "");
        if (text.isEmpty()) {
            return absent;
        }
        Matcher matcher = BYTES.matcher(text);
        if (!matcher.matches()) {
            throw wrong(lineOf(name), name + " must be bytes such as 40GiB, is \"" + text + "\"");
        }
        return Long.parseLong(matcher.group(1)) << (10 * UNITS.indexOf(matcher.group(2)));
    }

    @Nullable Section section(String name) {
        YamlNode node = take(name);
        return node == null ? null : of(file, node, name);
    }

    List<Section> sections(String name) {
        YamlNode node = take(name);
        if (node == null) {
            return List.of();
        }
        if (!(node instanceof YamlNode.Sequence sequence)) {
            throw wrong(node.line(), name + " must be a list");
        }
        var sections = new ArrayList<Section>();
        for (YamlNode entry : sequence.entries()) {
            sections.add(of(file, entry, "an entry of " + name));
        }
        return sections;
    }

    @Nullable YamlNode node(String name) {
        return take(name);
    }

    /// @throws ClusterFileException there is a name that nobody took
    void requireAllKnown() {
        entries.forEach(
                (name, node) -> {
                    if (!known.contains(name)) {
                        throw wrong(
                                node.line(),
                                "unknown key %s; there are %s"
                                        .formatted(name, String.join(", ", names)));
                    }
                });
    }

    ClusterFileException wrong(int at, String reason) {
        return new ClusterFileException(file, at, reason);
    }
}
