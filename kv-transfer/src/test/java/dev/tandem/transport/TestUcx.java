package dev.tandem.transport;

import dev.tandem.transport.ucx.UcxRuntime;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/// UCX for tests. They are skipped where it can't be used.
public final class TestUcx {
    /// UCX's transports to use in this process, as `UCX_TLS` has them; empty = UCX chooses.
    static final String WAYS_PROPERTY = "tandem.ucx.tls";

    private static final Map<String, UcxRuntime> RUNTIMES = new HashMap<>();
    private static String ways = System.getProperty(WAYS_PROPERTY, "");

    private TestUcx() {}

    public static synchronized void use(String transports) {
        ways = transports;
    }

    /// One for each choice of transports, left to the end of the process.
    public static synchronized UcxRuntime runtime() throws IOException {
        UcxRuntime known = RUNTIMES.get(ways);
        if (known == null) {
            known = ways.isEmpty() ? UcxRuntime.open() : UcxRuntime.open(Map.of("TLS", ways));
            RUNTIMES.put(ways, known);
        }
        return known;
    }

    public static void assumeUsable() {
        try {
            runtime();
        } catch (IOException e) {
            Assumptions.abort("skipped: " + e.getMessage());
        }
    }
}
