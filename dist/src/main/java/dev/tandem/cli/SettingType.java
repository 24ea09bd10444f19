package dev.tandem.cli;

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How the text of a setting becomes a value. A parser throws IllegalArgumentException with a message
/// that reads on after the setting's name: `must be ..., is "x"`.
///
/// @param label what stands for the value in help and documentation: `N`, `BYTES`, `cpu|cuda`
record SettingType<T>(String label, Parser<T> parser) {
    private static final Pattern BYTES = Pattern.compile("(\\d{1,18})\\s*(|B|KiB|MiB|GiB|TiB)");
    private static final int PORT_MAX = 65_535;

    /// From text to value.
    @FunctionalInterface
    interface Parser<T> {
        T parse(String text);
    }

    /// Host and port of a server; the host without the brackets of IPv6.
    record HostPort(String host, int port) {}

    T parse(String text) {
        return parser.parse(text);
    }

    /// Any text that is not blank.
    static SettingType<String> text(String label) {
        return new SettingType<>(
                label,
                text -> {
                    if (text.isBlank()) {
                        throw wrong("must not be blank", text);
                    }
                    return text;
                });
    }

    static SettingType<Integer> wholeNumber(int least, int most) {
        return new SettingType<>("N", text -> (int) whole(text, least, most));
    }

    static SettingType<Long> longNumber(long least, long most) {
        return new SettingType<>("N", text -> whole(text, least, most));
    }

    static SettingType<Integer> port(int least) {
        return new SettingType<>("PORT", text -> (int) whole(text, least, PORT_MAX));
    }

    /// A decimal number, not below zero and finite.
    static SettingType<Double> decimal() {
        return new SettingType<>("X", SettingType::parseDecimal);
    }

    /// `true` or `false`. The flag alone means true.
    static SettingType<Boolean> truth() {
        return new SettingType<>(
                "true|false",
                text ->
                        switch (text) {
                            case "true" -> true;
                            case "false" -> false;
                            default -> throw wrong("must be true or false", text);
                        });
    }

    /// A number of bytes, plain or with KiB, MiB, GiB or TiB.
    static SettingType<Long> bytes(long least, long most) {
        return new SettingType<>("BYTES", text -> parseBytes(text, least, most));
    }

    static SettingType<String> oneOf(String... words) {
        return new SettingType<>(
                String.join("|", words),
                text -> {
                    if (!List.of(words).contains(text)) {
                        throw wrong("must be one of " + String.join(", ", words), text);
                    }
                    return text;
                });
    }

    /// One or more of `words`, by commas, none twice; the order is kept.
    static SettingType<List<String>> listOf(String... words) {
        return new SettingType<>("LIST", text -> parseList(text, List.of(words)));
    }

    /// As [#listOf], or the word `none` for the empty list.
    static SettingType<List<String>> listOrNone(String... words) {
        return new SettingType<>(
                "LIST", text -> text.equals("none") ? List.of() : parseList(text, List.of(words)));
    }

    /// So many numbers above 0, by commas.
    static SettingType<List<Double>> numbers(int count) {
        return new SettingType<>("LIST", text -> parseNumbers(text, count));
    }

    /// By name the names that follow it, first first: `a:b+c,b:a`.
    static SettingType<Map<String, List<String>>> preferences() {
        return new SettingType<>("MAP", SettingType::parsePreferences);
    }

    static SettingType<Path> directory() {
        return new SettingType<>(
                "DIR",
                text -> {
                    Path path = parsePath(text);
                    if (!Files.isDirectory(path)) {
                        throw wrong("must be an existing folder", text);
                    }
                    return path;
                });
    }

    /// A folder that may not be there yet.
    static SettingType<Path> directoryToWrite() {
        return new SettingType<>("DIR", SettingType::parsePath);
    }

    static SettingType<Path> fileToRead() {
        return new SettingType<>(
                "FILE",
                text -> {
                    Path path = parsePath(text);
                    if (!Files.isReadable(path) || Files.isDirectory(path)) {
                        throw wrong("must be a file that can be read", text);
                    }
                    return path;
                });
    }

    static SettingType<Path> fileToWrite() {
        return new SettingType<>("FILE", SettingType::parsePath);
    }

    /// A folder that may not exist yet.
    static SettingType<Path> folderToWrite() {
        return new SettingType<>(
                "DIR",
                text -> {
                    Path path = parsePath(text);
                    if (Files.exists(path) && !Files.isDirectory(path)) {
                        throw wrong("must be a folder or not exist yet", text);
                    }
                    return path;
                });
    }

    static SettingType<HostPort> hostPort() {
        return new SettingType<>("HOST:PORT", SettingType::parseHostPort);
    }

    private static Path parsePath(String text) {
        try {
            return Path.of(text).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw wrong("must be a path (" + e.getReason() + ")", text);
        }
    }

    private static long whole(String text, long least, long most) {
        String rule = "must be a whole number from %d to %d".formatted(least, most);
        try {
            long value = Long.parseLong(text);
            if (value < least || value > most) {
                throw wrong(rule, text);
            }
            return value;
        } catch (NumberFormatException e) {
            throw wrong(rule, text);
        }
    }

    private static double parseDecimal(String text) {
        String rule = "must be a number of at least 0";
        try {
            double value = new BigDecimal(text).doubleValue();
            if (value < 0 || Double.isInfinite(value)) {
                throw wrong(rule, text);
            }
            return value;
        } catch (NumberFormatException e) {
            throw wrong(rule, text);
        }
    }

    private static long parseBytes(String text, long least, long most) {
        Matcher matcher = BYTES.matcher(text);
        if (!matcher.matches()) {
            throw wrong("must be a number of bytes such as 268435456, 256MiB or 4GiB", text);
        }
        int shift =
                switch (matcher.group(2)) {
                    case "KiB" -> 10;
                    case "MiB" -> 20;
                    case "GiB" -> 30;
                    case "TiB" -> 40;
                    default -> 0;
                };
        long number = Long.parseLong(matcher.group(1));
        long value = number << shift;
        if (value >> shift != number || value < least || value > most) {
            throw wrong("must be from %s to %s".formatted(inBytes(least), inBytes(most)), text);
        }
        return value;
    }

    /// The shortest exact form, as [#bytes] reads it.
    static String inBytes(long bytes) {
        String[] units = {"TiB", "GiB", "MiB", "KiB"};
        for (int i = 0; i < units.length; i++) {
            long unit = 1L << (10 * (units.length - i));
            if (bytes >= unit && bytes % unit == 0) {
                return bytes / unit + units[i];
            }
        }
        return Long.toString(bytes);
    }

    private static List<String> parseList(String text, List<String> words) {
        var list = new ArrayList<String>();
        for (String part : text.split(",", -1)) {
            String word = part.strip().toLowerCase(Locale.ROOT);
            if (!words.contains(word) || list.contains(word)) {
                throw wrong(
                        "must be a list by commas of different ones of " + String.join(", ", words),
                        text);
            }
            list.add(word);
        }
        return List.copyOf(list);
    }

    private static List<Double> parseNumbers(String text, int count) {
        String rule = "must be %d numbers above 0 by commas".formatted(count);
        var numbers = new ArrayList<Double>();
        for (String part : text.split(",", -1)) {
            double number = parseDecimal(part.strip());
            if (number == 0) {
                throw wrong(rule, text);
            }
            numbers.add(number);
        }
        if (numbers.size() != count) {
            throw wrong(rule, text);
        }
        return List.copyOf(numbers);
    }

    private static Map<String, List<String>> parsePreferences(String text) {
        String rule = "must be names with those that follow them, such as a:b+c,b:a";
        var preferences = new LinkedHashMap<String, List<String>>();
        for (String part : text.split(",", -1)) {
            String[] sides = part.strip().split(":", -1);
            if (sides.length != 2 || sides[0].isBlank()) {
                throw wrong(rule, text);
            }
            List<String> followers = List.of(sides[1].split("\\+", -1));
            if (followers.stream().anyMatch(String::isBlank)
                    || preferences.putIfAbsent(sides[0], followers) != null) {
                throw wrong(rule, text);
            }
        }
        return Collections.unmodifiableMap(preferences);
    }

    private static HostPort parseHostPort(String text) {
        String rule = "must be HOST:PORT, such as 10.0.0.5:8001 or [::1]:8001";
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw wrong(rule, text);
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.contains(":")) {
            throw wrong(rule, text);
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw wrong(rule, text);
        }
        if (port < 1 || port > PORT_MAX || host.isBlank()) {
            throw wrong(rule, text);
        }
        return new HostPort(host, port);
    }

    private static IllegalArgumentException wrong(String rule, String text) {
        return new IllegalArgumentException(rule + ", is \"" + text + "\"");
    }
}
