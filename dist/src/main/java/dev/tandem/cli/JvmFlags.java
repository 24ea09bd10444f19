package dev.tandem.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The flags of the JVM that runs a command. They stand in files (`jvm/*.jvm`, one flag a line) that
/// the launcher gives to `java` as argument files and that `serve` reads here, so a process gets the
/// same JVM in both ways.
final class JvmFlags {
    private JvmFlags() {}

    /// Flags of a command's JVM; only for the commands that `serve` starts as processes.
    static List<String> of(Command command) {
        var flags = new ArrayList<>(read("common"));
        flags.addAll(read(command == Command.COORDINATOR ? "coordinator" : "worker"));
        return flags;
    }

    private static List<String> read(String file) {
        String name = "jvm/" + file + ".jvm";
        try (InputStream in = JvmFlags.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing from the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }
}
