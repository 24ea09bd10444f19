package dev.tandem.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A command of `tandem` that ends by itself, as a process.
final class ToolProcess {
    private static final long RUN_SECONDS_MAX = 120;

    private ToolProcess() {}

    record Result(int code, String output, String errors) {}

    /// @param input for standard input, which ends with it; at most a pipe's capacity
    static Result run(String input, String... args) throws IOException, InterruptedException {
        Process process = ServeProcess.tool(args).start();
        CompletableFuture<String> output = read(process, false);
        CompletableFuture<String> errors = read(process, true);
        try (var in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        }
        if (!process.waitFor(RUN_SECONDS_MAX, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("does not end: " + output.join() + errors.join());
        }
        return new Result(process.exitValue(), output.join(), errors.join());
    }

    private static CompletableFuture<String> read(Process process, boolean errors) {
        var reader =
                errors
                        ? process.errorReader(StandardCharsets.UTF_8)
                        : process.inputReader(StandardCharsets.UTF_8);
        var text = new CompletableFuture<String>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try (reader) {
                                text.complete(reader.readAllAsString());
                            } catch (IOException e) {
                                text.completeExceptionally(e);
                            }
                        });
        return text;
    }
}
