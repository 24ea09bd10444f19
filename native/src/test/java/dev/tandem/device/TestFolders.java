package dev.tandem.device;

import org.junit.jupiter.api.Assumptions;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;

/// Where tests find model folders.
public final class TestFolders {
    private TestFolders() {}

    /// A folder among the test resources.
    public static Path resource(String name) {
        URL url = TestFolders.class.getClassLoader().getResource(name);
        if (url == null) {
            throw new IllegalStateException("test resource " + name + " is missing");
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A folder of the data that lies outside the project; the test is skipped where it is absent.
    static Path data(String name) {
        Path folder = Path.of(System.getProperty("tandem.data", "../shared")).resolve(name);
        Assumptions.assumeTrue(
                Files.isDirectory(folder),
                () -> "the larger models are not here: no folder " + folder + " (-Dtandem.data)");
        return folder;
    }
}
