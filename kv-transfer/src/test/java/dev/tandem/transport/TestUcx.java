package dev.tandem.transport;

import dev.tandem.transport.ucx.UcxRuntime;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

import java.io.IOException;

/// UCX for tests: one runtime a process. Tests are skipped where UCX can't be used.
public final class TestUcx {
    private static @Nullable UcxRuntime runtime;

    private TestUcx() {}

    public static synchronized UcxRuntime runtime() throws IOException {
        if (runtime == null) {
            runtime = UcxRuntime.open();
        }
        return runtime;
    }

    public static void assumeUsable() {
        try {
            runtime();
        } catch (IOException e) {
            Assumptions.abort("skipped: " + e.getMessage());
        }
    }
}
