package dev.tandem.transport.ucx;

import org.jspecify.annotations.Nullable;
import org.openucx.jucx.UcxException;
import org.openucx.jucx.ucp.UcpContext;
import org.openucx.jucx.ucp.UcpParams;
import org.openucx.jucx.ucp.UcpWorker;
import org.openucx.jucx.ucp.UcpWorkerParams;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.Map;

/// UCX as this process has it. Any thread.
public final class UcxRuntime implements AutoCloseable {
    private static final String LIBRARY = "libucp.so.0";

    private final UcpContext context;

    private UcxRuntime(UcpContext context) {
        this.context = context;
    }

    /// Looks whether UCX can be used here: the library is there, and it finds a transport.
    ///
    /// @throws IOException it can't, and why
    public static UcxRuntime open() throws IOException {
        return open(Map.of());
    }

    /// @param settings UCX's, without the prefix `UCX_`; they override the environment
    /// @throws IOException UCX can't be used, and why
    public static UcxRuntime open(Map<String, String> settings) throws IOException {
        try {
            SymbolLookup.libraryLookup(
                    LIBRARY, Arena.global()); // jucx, without it, is broken for good
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "%s is not installed (on Debian: apt-get install libucx0)".formatted(LIBRARY),
                    e);
        }
        UcpContext context = null;
        try {
            var parameters =
                    new UcpParams()
                            .requestAmFeature()
                            .requestWakeupFeature()
                            .setMtWorkersShared(true);
            if (System.getenv("UCX_LOG_LEVEL") == null) {
                parameters.setConfig("LOG_LEVEL", "fatal"); // to stdout; errors are reported by us
            }
            settings.forEach(parameters::setConfig);
            context = new UcpContext(parameters);
            var runtime = new UcxRuntime(context);
            runtime.newWorker().close(); // fails when no transport is usable
            return runtime;
        } catch (UcxException | LinkageError e) {
            close(context);
            throw new IOException("UCX can't be used: " + e.getMessage(), e);
        }
    }

    /// A worker for one thread, the caller's to close.
    UcpWorker newWorker() {
        return context.newWorker(
                new UcpWorkerParams().requestWakeupRX().requestWakeupTX().requestWakeupRMA());
    }

    /// Call when all that was opened with it is closed.
    @Override
    public void close() {
        close(context);
    }

    private static void close(@Nullable UcpContext context) {
        if (context != null) {
            context.close();
        }
    }
}
