package dev.tandem.sim.goodput;

import dev.tandem.core.SchedulerCore;
import dev.tandem.sim.engine.Simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// A number that changes with the classes that decide and simulate, so that old results are not taken for new ones.
final class CodeFingerprint {
    private static final List<String> CORE =
            List.of("core", "batching", "admission", "routing", "kv");
    private static final List<String> SIMULATOR =
            List.of("sim/engine", "sim/cost", "sim/workload", "sim/fault");

    private CodeFingerprint() {}

    static long of() {
        var crc = new CRC32();
        add(crc, SchedulerCore.class, CORE);
        add(crc, Simulation.class, SIMULATOR);
        return crc.getValue();
    }

    private static void add(CRC32 crc, Class<?> anchor, List<String> packages) {
        try {
            var source = anchor.getProtectionDomain().getCodeSource();
            if (source == null) {
                throw new IllegalStateException(anchor + " comes from nowhere");
            }
            Path path = Path.of(source.getLocation().toURI());
            if (Files.isDirectory(path)) {
                add(crc, path, packages);
            } else {
                URI jar = URI.create("jar:" + path.toUri());
                try (FileSystem files = FileSystems.newFileSystem(jar, Map.of())) {
                    add(crc, files.getPath("/"), packages);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void add(CRC32 crc, Path root, List<String> packages) throws IOException {
        for (String name : packages) {
            Path folder = root.resolve("dev/tandem/" + name);
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    try (InputStream in = Files.newInputStream(file)) {
                        crc.update(in.readAllBytes());
                    }
                }
            }
        }
    }
}
