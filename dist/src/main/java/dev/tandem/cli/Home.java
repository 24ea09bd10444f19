package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/// The installed distribution: `lib/`, `models/`, `jvm/`, and `cache/`, which the first run makes.
final class Home {
    private Home() {}

    /// The folder that the launcher names in `TANDEM_HOME`; null when started in another way.
    static @Nullable Path folder() {
        String home = System.getenv("TANDEM_HOME");
        return home == null || home.isEmpty() ? null : Path.of(home).toAbsolutePath();
    }
}
