package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.function.Consumer;

/// One running child: its process, and two threads that forward its output line by line. Its standard
/// input stays open and silent as long as this process lives, see [dev.tandem.process.ProcessLife].
final class ChildProcess {
    private static final int LINE_CHARS_MAX = 16_384;
    private static final int OUTPUT_MILLIS_MAX = 1_000;

    private final Process process;
    private final Thread output;
    private final Thread errors;
    private volatile @Nullable String lastErrorLine;

    /// Starts a child.
    ///
    /// @param hidden names of environment variables that it does not get
    /// @param onOutput takes lines of its standard output, on a thread of this child
    /// @param onError takes lines of its standard error, likewise
    /// @throws IOException the program can't be started
    ChildProcess(
            ChildSpec spec, Set<String> hidden, Consumer<String> onOutput, Consumer<String> onError)
            throws IOException {
        var builder = new ProcessBuilder(spec.command());
        builder.environment().keySet().removeAll(hidden);
        process = builder.start();
        output = forward(spec.name() + "-stdout", process.getInputStream(), onOutput);
        errors =
                forward(
                        spec.name() + "-stderr",
                        process.getErrorStream(),
                        line -> {
                            lastErrorLine = line;
                            onError.accept(line);
                        });
    }

    private static Thread forward(String name, InputStream stream, Consumer<String> sink) {
        return Thread.ofPlatform().name(name).daemon().start(() -> lines(stream, sink));
    }

    /// Longer lines than [#LINE_CHARS_MAX] are cut into several.
    private static void lines(InputStream stream, Consumer<String> sink) {
        var line = new StringBuilder();
        try (Reader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
            char[] buffer = new char[4096];
            for (int n = reader.read(buffer); n >= 0; n = reader.read(buffer)) {
                for (int i = 0; i < n; i++) {
                    if (buffer[i] == '\n') {
                        sink.accept(line.toString());
                        line.setLength(0);
                    } else {
                        line.append(buffer[i]);
                        if (line.length() == LINE_CHARS_MAX) {
                            sink.accept(line.toString());
                            line.setLength(0);
                        }
                    }
                }
            }
        } catch (IOException e) {
            line.append(" [output lost: ").append(e.getMessage()).append(']');
        }
        if (!line.isEmpty()) {
            sink.accept(line.toString());
        }
    }

    /// Calls back with the exit code, on another thread, once.
    void onExit(Consumer<Integer> callback) {
        var unused = process.onExit().thenAccept(ended -> callback.accept(ended.exitValue()));
    }

    long pid() {
        return process.pid();
    }

    /// Sends SIGTERM. (Not by [Process#destroy], which would close the child's streams as well: its last
    /// words would be lost, and it would think that its parent is gone.)
    void terminate() {
        boolean unused = process.toHandle().destroy();
    }

    /// Sends SIGKILL.
    void kill() {
        boolean unused = process.toHandle().destroyForcibly();
    }

    /// The last line of its standard error once it has ended, or null.
    @Nullable String lastErrorLine() throws InterruptedException {
        errors.join(OUTPUT_MILLIS_MAX);
        output.join(OUTPUT_MILLIS_MAX);
        return lastErrorLine;
    }
}
