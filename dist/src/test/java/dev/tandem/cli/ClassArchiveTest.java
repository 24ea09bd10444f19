package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Class archives: recorded once, found again, never half-written, never needed.
class ClassArchiveTest {
    private static final String RECORD = "-XX:AOTCacheOutput=";
    private static final String USE = "-XX:AOTCache=";
    private static final List<String> FLAGS = List.of("-XX:+UseSerialGC");

    @TempDir Path home;
    private Path jar = Path.of("");

    @BeforeEach
    void makeJar() throws IOException {
        jar = Files.writeString(home.resolve("a.jar"), "jar");
    }

    private ClassArchive archive() {
        return new ClassArchive(home, jar.toString(), true);
    }

    /// The file that the flags name after `prefix`.
    private static Path file(List<String> flags, String prefix) {
        String flag = flags.stream().filter(f -> f.startsWith(prefix)).findFirst().orElseThrow();
        return Path.of(flag.substring(prefix.length()));
    }

    private List<Path> cached() throws IOException {
        try (Stream<Path> files = Files.list(home.resolve("cache"))) {
            return files.toList();
        }
    }

    @Test
    void isRecordedByTheFirstOfARoleAndUsedTheNextTime() throws IOException {
        ClassArchive first = archive();
        Path recorded = file(first.flagsFor("worker", FLAGS), RECORD);
        assertThat(first.flagsFor("worker", FLAGS)).isEmpty();
        Files.writeString(recorded, "classes");
        first.finish(true);
        Path used = file(archive().flagsFor("worker", FLAGS), USE);
        assertThat(used).hasContent("classes");
        assertThat(cached()).containsExactly(used);
    }

    @Test
    void isForgottenWhenAProcessDidNotEndWell() throws IOException {
        ClassArchive first = archive();
        Files.writeString(file(first.flagsFor("worker", FLAGS), RECORD), "hal");
        first.finish(false);
        assertThat(cached()).isEmpty();
        assertThat(file(archive().flagsFor("worker", FLAGS), RECORD)).doesNotExist();
    }

    @Test
    void anotherJarOrFlagMeansAnotherArchiveAndTheOldOneGoes() throws IOException {
        ClassArchive first = archive();
        Files.writeString(file(first.flagsFor("worker", FLAGS), RECORD), "old");
        first.finish(true);
        assertThat(archive().flagsFor("worker", List.of())).anyMatch(f -> f.startsWith(RECORD));
        Files.writeString(jar, "a longer jar");
        ClassArchive second = archive();
        Files.writeString(file(second.flagsFor("worker", FLAGS), RECORD), "new");
        second.finish(true);
        assertThat(cached()).singleElement().satisfies(f -> assertThat(f).hasContent("new"));
    }

    @Test
    void recordingsOfSupervisorsThatAreGoneAreDeleted() throws Exception {
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        Files.createDirectories(home.resolve("cache"));
        Path left = home.resolve("cache/worker-1.aot." + gone.pid() + ".unfinished");
        Files.writeString(left, "classes");
        Path live =
                left.resolveSibling(
                        "worker-1.aot." + ProcessHandle.current().pid() + ".unfinished");
        Files.writeString(live, "classes");
        archive();
        assertThat(left).doesNotExist();
        assertThat(live).exists();
    }

    @Test
    void withoutAPlaceOrWithoutJarsThereIsNone() throws IOException {
        Files.writeString(home.resolve("cache"), "a file where the folder would be");
        assertThat(archive().flagsFor("worker", FLAGS)).isEmpty();
        assertThat(new ClassArchive(null, jar.toString(), true).flagsFor("worker", FLAGS))
                .isEmpty();
        Path other = Files.createDirectory(home.resolve("other"));
        String folders = jar + java.io.File.pathSeparator + other;
        assertThat(new ClassArchive(other, folders, true).flagsFor("worker", FLAGS)).isEmpty();
    }

    @Test
    void onlyTheBuildRecords() throws IOException {
        assertThat(new ClassArchive(home, jar.toString(), false).flagsFor("worker", FLAGS))
                .isEmpty();
    }
}
