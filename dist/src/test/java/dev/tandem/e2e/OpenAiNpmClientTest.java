package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// OpenAI's own client for Node against the real server: `src/test/js/openai-client.mjs` does the checks. Needs `node`
/// and, in the folder that `-Dtandem.npm` or `TANDEM_NPM` names (`target/npm` of the project otherwise), what
/// `npm install --prefix target/npm --no-save openai` puts there.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@Timeout(300)
class OpenAiNpmClientTest {
    private static final int CHECKS = 11;
    private static final long RUN_SECONDS_MAX = 120;
    private static final Path PROJECT = Path.of(System.getProperty("tandem.project"));

    @Test
    void everyCheckOfTheScriptPasses() throws Exception {
        Path npm = packages();
        Assumptions.assumeTrue(
                Files.isRegularFile(npm.resolve("node_modules/openai/package.json")),
                "the npm package openai is not in " + npm + "; see .ci/run");
        Assumptions.assumeTrue(hasNode(), "there is no node on the path");
        try (ServeProcess serve = ServeProcess.start()) {
            Path script = PROJECT.resolve("dist/src/test/js/openai-client.mjs");
            ProcessBuilder builder =
                    new ProcessBuilder("node", script.toString(), serve.url().toString());
            builder.environment().put("TANDEM_NPM", npm.toString());
            Process node = builder.redirectErrorStream(true).start();
            CompletableFuture<List<String>> output =
                    CompletableFuture.supplyAsync(
                            () -> node.inputReader(StandardCharsets.UTF_8).lines().toList());
            if (!node.waitFor(RUN_SECONDS_MAX, TimeUnit.SECONDS)) {
                node.destroyForcibly();
                throw new AssertionError("the script does not end: " + output.join());
            }
            List<String> lines = output.join();
            assertThat(lines)
                    .hasSize(CHECKS)
                    .allSatisfy(line -> assertThat(line).startsWith("ok "));
            assertThat(node.exitValue()).isZero();
        }
    }

    private static Path packages() {
        String folder = System.getProperty("tandem.npm", "");
        if (folder.isEmpty()) {
            folder = System.getenv().getOrDefault("TANDEM_NPM", "");
        }
        return folder.isEmpty() ? PROJECT.resolve("target/npm") : Path.of(folder).toAbsolutePath();
    }

    private static boolean hasNode() throws InterruptedException {
        try {
            return new ProcessBuilder("node", "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
