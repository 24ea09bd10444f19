package dev.tandem.sim.report;

import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/// Where figures come from: printed with all of them.
///
/// @param commit of the sources, `-dirty` when they were changed since; `unknown` outside of a checkout
public record RunFacts(long seed, String commit, String jvm, int cores) {
    private static final long GIT_SECONDS_MAX = 5;

    public static RunFacts now(long seed) {
        return new RunFacts(
                seed,
                describeSources(),
                System.getProperty("java.vm.name") + " " + Runtime.version(),
                Runtime.getRuntime().availableProcessors());
    }

    private static String describeSources() {
        try {
            Process git =
                    new ProcessBuilder("git", "describe", "--always", "--dirty", "--abbrev=7")
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            git.getOutputStream().close();
            if (!git.waitFor(GIT_SECONDS_MAX, TimeUnit.SECONDS)) {
                git.destroyForcibly();
                return "unknown";
            }
            String text =
                    new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return git.exitValue() == 0 && !text.isEmpty() ? text : "unknown";
        } catch (IOException e) {
            return "unknown"; // no git here
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }

    /// `seed 1, commit 1a2b3c4, OpenJDK 64-Bit Server VM 25.0.1, 2 cores`.
    public String line() {
        return "seed %d, commit %s, %s, %d cores".formatted(seed, commit, jvm, cores);
    }

    public void writeTo(ObjectNode json) {
        json.put("seed", seed).put("commit", commit).put("jvm", jvm).put("cores", cores);
    }
}
