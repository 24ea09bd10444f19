package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// The committed documentation is what the program would write.
class ConfigurationPageTest {
    private static final Path PROJECT = Path.of(System.getProperty("tandem.project", ".."));

    @Test
    void pageIsUpToDate() throws IOException {
        assertSame("docs/configuration.md", ConfigurationPage.markdown(), "--markdown");
    }

    @Test
    void exampleFileIsUpToDate() throws IOException {
        assertSame("dist/src/main/config/tandem.yaml", ConfigurationPage.yaml(), "--yaml");
    }

    private static void assertSame(String file, String generated, String flag) throws IOException {
        Path path = PROJECT.resolve(file);
        assertThat(Files.exists(path) ? Files.readString(path) : "")
                .as("%s is out of date; write it anew: ./tandem help %s > %s", file, flag, file)
                .isEqualTo(generated);
    }

    @Test
    void exampleFileIsReadAsItIsAndWithEveryDefaultTakenIn(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("tandem.yaml");
        Files.writeString(file, ConfigurationPage.yaml());
        assertThat(ConfigFile.read(file).texts()).isEmpty();

        var open = new StringBuilder();
        ConfigurationPage.yaml()
                .lines()
                .map(line -> line.replaceFirst("^ {2}# ([a-z.-]+: )", "  $1"))
                .forEach(line -> open.append(line).append('\n'));
        Files.writeString(file, open);
        Map<String, String> texts = ConfigFile.read(file).texts();
        for (Setting<?> setting : Settings.all()) {
            String text = setting.defaultText();
            if (text != null) {
                assertThat(texts).containsEntry(setting.key(), text);
            }
        }
    }
}
