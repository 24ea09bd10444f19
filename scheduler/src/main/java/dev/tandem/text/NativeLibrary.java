package dev.tandem.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Properties;

/// Unpacks and loads the native half of DJL's tokenizer binding.
///
/// DJL's own loader is passed by: it asks the CUDA runtime for devices first and may fetch a library from the net, while
/// the one that is needed lies in its jar. A folder of this user's own keeps it between starts, because code is loaded
/// from there; where the home folder can't be written, the file is temporary.
final class NativeLibrary {
    private static final Logger log = LoggerFactory.getLogger(NativeLibrary.class);

    private static boolean loaded;

    private NativeLibrary() {}

    /// Loads the library unless it is.
    ///
    /// @throws IllegalStateException there is none for this machine, or it can't be unpacked or loaded; the message says
    ///     why
    static synchronized TokenizersLibrary load() {
        if (!loaded) {
            String platform = platform();
            String name = System.mapLibraryName("tokenizers");
            try {
                System.load(unpacked(platform, name).toString());
            } catch (IOException | LinkageError e) {
                throw new IllegalStateException(
                        "the native tokenizer library can't be loaded on " + platform + ": " + e,
                        e);
            }
            loaded = true;
        }
        return TokenizersLibrary.LIB;
    }

    /// In DJL's spelling, such as `linux-x86_64`.
    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        return (system.startsWith("mac") ? "osx" : system)
                + "-"
                + (machine.equals("amd64") ? "x86_64" : machine);
    }

    private static Path unpacked(String platform, String name) throws IOException {
        URL packed = resource("/native/lib/" + platform + "/cpu/" + name);
        Path folder = cacheFolder();
        try {
            return unpack(
                    packed,
                    Files.createDirectories(folder)
                            .resolve(version() + "-" + platform + "-" + name));
        } catch (IOException e) {
            log.debug("{} can't keep the native tokenizer library", folder, e);
            Path temporary = Files.createTempDirectory("tandem-native"); // its owner's only
            temporary.toFile().deleteOnExit(); // in reverse order: the file first
            Path file = unpack(packed, temporary.resolve(name));
            file.toFile().deleteOnExit();
            return file;
        }
    }

    /// Processes may start at the same time: each writes a file of its own and moves it into place.
    private static Path unpack(URL packed, Path file) throws IOException {
        long bytes = packed.openConnection().getContentLengthLong();
        if (!Files.exists(file) || Files.size(file) != bytes) {
            Path part = Files.createTempFile(file.getParent(), "unpacking", ".part");
            try (InputStream in = packed.openStream()) {
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
        }
        return file.toAbsolutePath();
    }

    private static Path cacheFolder() {
        String given = System.getenv("XDG_CACHE_HOME");
        Path cache =
                given == null || given.isBlank()
                        ? Path.of(System.getProperty("user.home"), ".cache")
                        : Path.of(given);
        return cache.resolve("tandem").resolve("native");
    }

    private static String version() throws IOException {
        var properties = new Properties();
        try (InputStream in = resource("/native/lib/tokenizers.properties").openStream()) {
            properties.load(in);
        }
        return properties.getProperty("version", "unknown");
    }

    private static URL resource(String name) throws IOException {
        URL resource = TokenizersLibrary.class.getResource(name);
        if (resource == null) {
            throw new IOException("there is no " + name + " on the class path");
        }
        return resource;
    }
}
