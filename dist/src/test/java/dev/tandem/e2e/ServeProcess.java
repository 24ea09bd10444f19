package dev.tandem.e2e;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/// `tandem serve` with the default model as real processes on free ports, from the test's class path and with the
/// launcher's JVM flags. Any thread may call.
final class ServeProcess implements AutoCloseable {
    private static final String READY = "tandem ready on ";
    private static final long START_SECONDS_MAX = 120;
    private static final long STOP_SECONDS_MAX = 60;
    private static final int OUTPUT_LINES_MAX = 2_000;
    private static final List<ServeProcess> STARTED =
            Collections.synchronizedList(new ArrayList<>());

    private final Process process;
    private final List<Thread> readers;
    private final List<String> output = Collections.synchronizedList(new ArrayList<>());
    private final CompletableFuture<URI> ready = new CompletableFuture<>();

    /// Prints what the servers of a test class said when one of its tests fails. Use with `@ExtendWith`.
    static final class PrintOnFailure implements BeforeAllCallback, TestWatcher {
        @Override
        public void beforeAll(ExtensionContext context) {
            STARTED.clear();
        }

        @Override
        public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
            for (ServeProcess each : List.copyOf(STARTED)) {
                System.err.printf(
                        "-- %s failed; output of serve (process %d):%n%s%n",
                        context.getDisplayName(), each.process.pid(), each.output());
            }
        }
    }

    private ServeProcess(Process process) {
        this.process = process;
        this.readers =
                List.of(
                        read(process.inputReader(StandardCharsets.UTF_8)),
                        read(process.errorReader(StandardCharsets.UTF_8)));
    }

    /// Starts and waits for the ready line.
    ///
    /// @param flags further flags of `serve`
    static ServeProcess start(String... flags) throws IOException, InterruptedException {
        Path jvm = project().resolve("dist/src/main/resources/dev/tandem/cli/jvm");
        List<String> command = java("@" + jvm.resolve("common.jvm"), "@" + jvm.resolve("tool.jvm"));
        command.addAll(List.of("serve", "--port", "0", "--grpc-port", "0"));
        command.addAll(List.of("--model", TestCluster.defaultModel().toString()));
        command.addAll(List.of("--ttft-millis", "0")); // see TestCluster.patient()
        command.addAll(List.of(flags));
        ServeProcess serve = new ServeProcess(builder(command).start());
        STARTED.add(serve);
        serve.process
                .onExit()
                .thenAccept(
                        ended ->
                                serve.ready.completeExceptionally(
                                        new IOException("ended: code " + ended.exitValue())));
        try {
            serve.ready.get(START_SECONDS_MAX, TimeUnit.SECONDS);
            return serve;
        } catch (ExecutionException | TimeoutException e) {
            serve.killAll();
            throw new AssertionError("serve does not get ready:\n" + serve.output(), e);
        }
    }

    /// The command line of a tool: what the launcher makes of `tandem ARGS`.
    static ProcessBuilder tool(String... args) {
        Path jvm = project().resolve("dist/src/main/resources/dev/tandem/cli/jvm");
        List<String> command = java("@" + jvm.resolve("common.jvm"), "@" + jvm.resolve("tool.jvm"));
        command.addAll(List.of(args));
        return builder(command);
    }

    private static List<String> java(String... jvmFlags) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(jvmFlags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("dev.tandem.cli.Main");
        return command;
    }

    private static ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("TANDEM_"));
        return builder;
    }

    private static Path project() {
        return Path.of(System.getProperty("tandem.project"));
    }

    private Thread read(BufferedReader reader) {
        return Thread.ofPlatform().daemon().start(() -> reader.lines().forEach(this::line));
    }

    private void line(String line) {
        if (output.size() < OUTPUT_LINES_MAX) {
            output.add(line);
        }
        if (line.startsWith(READY)) {
            ready.complete(URI.create(line.substring(READY.length())));
        }
    }

    URI url() {
        return Objects.requireNonNull(ready.getNow(null), "start() waited for it");
    }

    /// All lines of all processes so far.
    String output() {
        synchronized (output) {
            return String.join("\n", output);
        }
    }

    /// The coordinator and the workers, those that live now.
    List<ProcessHandle> children() {
        try (Stream<ProcessHandle> all = process.descendants()) {
            return all.toList();
        }
    }

    /// A worker's process by its name, such as `prefill-0`.
    ProcessHandle worker(String name) throws IOException {
        for (ProcessHandle child : children()) {
            if (arguments(child).contains("--worker-name=" + name)) {
                return child;
            }
        }
        throw new AssertionError("no process of " + name + "\n" + output());
    }

    /// Not by [ProcessHandle.Info#commandLine], which cuts lines as long as a test's class path.
    private static List<String> arguments(ProcessHandle process) throws IOException {
        Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
        try {
            return Arrays.asList(Files.readString(file).split("\0"));
        } catch (NoSuchFileException e) {
            return List.of(); // ended meanwhile
        }
    }

    /// SIGKILL to `serve` itself and to nothing else.
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /// SIGTERM, without waiting.
    void terminate() {
        if (!process.toHandle().destroy()) {
            throw new AssertionError("serve can't be told to stop");
        }
    }

    /// Waits for its end.
    ///
    /// @return the exit code
    int awaitExit() throws InterruptedException {
        if (!process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
            killAll();
            throw new AssertionError("serve does not end:\n" + output());
        }
        for (Thread reader : readers) {
            reader.join();
        }
        return process.exitValue();
    }

    private void killAll() {
        children().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    /// Stops a server that still runs, as an operator does; anything but code 0 is an error.
    @Override
    public void close() throws InterruptedException {
        if (process.isAlive()) {
            terminate();
            int code = awaitExit();
            if (code != 0) {
                throw new AssertionError("serve ended with code " + code + ":\n" + output());
            }
        }
    }
}
