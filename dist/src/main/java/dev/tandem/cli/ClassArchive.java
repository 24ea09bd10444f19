package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Ahead-of-time caches of the JVM (JEP 483, 514, 515: loaded classes and method profiles), which make a second start
/// quicker: one per role in `$TANDEM_HOME/cache`. The build records them by a start of its own (`record-start`): the
/// first child of a role records into a file of its own, and when that child has ended well the file is renamed into
/// place; so a half-written archive is never seen,
/// whatever ends or starts at the same time. The name carries a fingerprint of the JVM, its flags and
/// the jars: after an update the old archive is just not found. Everything here is only for
/// speed: where the folder can't be written there is no archive, and no error.
///
/// Not thread-safe; the supervisor's thread owns it.
final class ClassArchive {
    private static final Pattern UNFINISHED = Pattern.compile(".*\\.(\\d{1,18})\\.unfinished");

    private final @Nullable Path folder;
    private final List<String> classPath;
    private final boolean records;
    private final Map<String, Path> recording = new HashMap<>();

    /// @param home the distribution, or null when there is none: no archives then
    /// @param classPath as in `java.class.path`; archives need jars, so a folder in it means none
    /// @param records whether missing archives are recorded: takes seconds at the end of each process
    ClassArchive(@Nullable Path home, String classPath, boolean records) {
        this.records = records;
        this.classPath = List.of(classPath.split(File.pathSeparator, -1));
        boolean jars = this.classPath.stream().allMatch(entry -> entry.endsWith(".jar"));
        this.folder = home != null && jars ? writable(home.resolve("cache")) : null;
        if (folder != null) {
            deleteAbandoned(folder);
        }
    }

    private static @Nullable Path writable(Path folder) {
        try {
            Files.createDirectories(folder);
            return Files.isWritable(folder) ? folder : null;
        } catch (IOException e) {
            return null;
        }
    }

    /// JVM flags for a child that is about to start: use the role's archive, or record it.
    ///
    /// @param flags the child's other JVM flags
    List<String> flagsFor(String role, List<String> flags) {
        if (folder == null) {
            return List.of();
        }
        Path archive = folder.resolve(role + "-" + fingerprint(flags) + ".aot");
        if (Files.isReadable(archive)) {
            return quietly("-XX:AOTCache=" + archive);
        }
        if (!records || recording.containsKey(role)) {
            return List.of();
        }
        recording.put(role, archive);
        return quietly("-XX:AOTCacheOutput=" + unfinished(archive));
    }

    /// The JVM logs an error for every module option that its own built-in archive was made without, and
    /// then works all the same.
    private static List<String> quietly(String flag) {
        return List.of(
                flag,
                "-Xlog:disable",
                "-Xlog:all=error:stderr",
                "-Xlog:cds*=off:stderr",
                "-Xlog:aot*=off:stderr");
    }

    /// Puts what was recorded into place. To be called when all children have ended.
    ///
    /// @param endedWell whether they ended by themselves, so that the recordings are whole
    void finish(boolean endedWell) {
        for (Map.Entry<String, Path> entry : recording.entrySet()) {
            Path archive = entry.getValue();
            Path unfinished = unfinished(archive);
            try {
                if (endedWell && Files.exists(unfinished)) {
                    Files.move(
                            unfinished,
                            archive,
                            StandardCopyOption.ATOMIC_MOVE,
                            StandardCopyOption.REPLACE_EXISTING);
                    deleteOld(entry.getKey(), archive);
                } else {
                    Files.deleteIfExists(unfinished);
                }
            } catch (IOException e) {
                continue; // no archive: only speed is lost
            }
        }
        recording.clear();
    }

    private static void deleteOld(String role, Path current) throws IOException {
        try (Stream<Path> files = Files.list(current.resolveSibling(""))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (name.startsWith(role + "-") && name.endsWith(".aot") && !file.equals(current)) {
                    Files.deleteIfExists(file); // JVMs that have it mapped keep it
                }
            }
        }
    }

    /// Deletes recordings whose supervisor is no longer there.
    private static void deleteAbandoned(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Matcher matcher = UNFINISHED.matcher(file.getFileName().toString());
                if (matcher.matches()
                        && ProcessHandle.of(Long.parseLong(matcher.group(1))).isEmpty()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            return; // they only take space
        }
    }

    private static Path unfinished(Path archive) {
        return archive.resolveSibling(
                archive.getFileName() + "." + ProcessHandle.current().pid() + ".unfinished");
    }

    /// Changes with the JVM, its flags, and the name, size or time of any jar.
    private String fingerprint(List<String> flags) {
        var parts = new ArrayList<String>(flags);
        parts.add(System.getProperty("java.home", ""));
        parts.add(Runtime.version().toString());
        for (String entry : classPath) {
            parts.add(entry);
            try {
                var attributes = Files.readAttributes(Path.of(entry), BasicFileAttributes.class);
                parts.add(attributes.size() + "@" + attributes.lastModifiedTime().toMillis());
            } catch (IOException e) {
                parts.add("absent");
            }
        }
        long hash = 0xcbf29ce484222325L; // FNV-1a
        for (char c : String.join("\n", parts).toCharArray()) {
            hash = (hash ^ c) * 0x100000001b3L;
        }
        return Long.toHexString(hash);
    }
}
