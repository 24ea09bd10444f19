package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/// The supervisor over real, trivial processes (shell scripts).
@Timeout(60)
class SupervisorTest {
    private static final RestartPolicy QUICK = new RestartPolicy(1, 8, 60_000, 3);

    private final BlockingQueue<String> out = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> err = new LinkedBlockingQueue<>();
    private final List<Supervisor> supervisors = new ArrayList<>();

    @AfterEach
    void stopAll() {
        supervisors.forEach(Supervisor::stop);
    }

    /// Lines of a stream, as they come.
    private static PrintStream lines(BlockingQueue<String> queue) {
        return new PrintStream(
                new OutputStream() {
                    private final StringBuilder line = new StringBuilder();

                    @Override
                    public synchronized void write(int b) {
                        if (b == '\n') {
                            queue.add(line.toString());
                            line.setLength(0);
                        } else {
                            line.append((char) b);
                        }
                    }
                },
                true,
                StandardCharsets.ISO_8859_1);
    }

    private static ChildSpec shell(String name, boolean leads, String script) {
        return new ChildSpec(name, List.of("sh", "-c", script), leads, 10_000);
    }

    private Supervisor supervisor(ChildSpec... specs) {
        var supervisor =
                new Supervisor(
                        List.of(specs), Set.of("PATH_HIDDEN"), QUICK, lines(out), lines(err));
        supervisors.add(supervisor);
        return supervisor;
    }

    private static CompletableFuture<Integer> start(Supervisor supervisor) {
        var code = new CompletableFuture<Integer>();
        Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            try {
                                code.complete(supervisor.run());
                            } catch (Throwable e) {
                                code.completeExceptionally(e);
                            }
                        });
        return code;
    }

    private String awaitError(String prefix) throws InterruptedException {
        while (true) {
            String line = err.take();
            if (line.startsWith(prefix)) {
                return line;
            }
        }
    }

    @Test
    void readyLineIsRepeatedAloneAndOtherOutputIsPrefixed() throws Exception {
        var supervisor =
                supervisor(
                        shell(
                                "coordinator",
                                true,
                                "echo hello; echo tandem ready on http://h:1; exec cat"),
                        shell(
                                "prefill-0",
                                false,
                                "echo tandem ready on lie; echo bad >&2; exec cat"));
        var code = start(supervisor);
        assertThat(out.take()).isEqualTo("tandem ready on http://h:1");
        assertThat(awaitError("[coordinator]")).isEqualTo("[coordinator] hello");
        supervisor.stop();
        assertThat(code.get()).isZero();
        assertThat(out).isEmpty();
        assertThat(supervisor.endedWell()).isTrue();
    }

    @Test
    void aKilledChildIsStartedAgain() throws Exception {
        var supervisor = supervisor(shell("decode-0", false, "echo pid $$; exec cat"));
        var code = start(supervisor);
        long first = pid(awaitError("[decode-0] pid "));
        assertThat(ProcessHandle.of(first).orElseThrow().destroyForcibly()).isTrue();
        assertThat(awaitError("[serve] decode-0 ended")).contains("code 137");
        long second = pid(awaitError("[decode-0] pid "));
        assertThat(second).isNotEqualTo(first);
        supervisor.stop();
        assertThat(code.get()).isZero();
        assertThat(ProcessHandle.of(second)).isEmpty();
    }

    private static long pid(String line) {
        return Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
    }

    @Test
    void wrongUsageBeforeReadyEndsEverythingWithTheSameMessageAndCode() throws Exception {
        var supervisor =
                supervisor(
                        shell("coordinator", true, "echo tandem: wrong flag >&2; exit 2"),
                        shell("prefill-0", false, "exec cat"));
        assertThat(start(supervisor).get()).isEqualTo(2);
        assertThat(err).contains("[coordinator] tandem: wrong flag", "tandem: wrong flag");
    }

    @Test
    void givesUpWhenAChildCantLiveBeforeReady() throws Exception {
        var supervisor =
                supervisor(
                        shell("coordinator", true, "exec cat"), shell("decode-0", false, "exit 7"));
        assertThat(start(supervisor).get()).isEqualTo(1);
        assertThat(awaitError("tandem: decode-0 ended 3 times")).contains("code 7");
    }

    @Test
    void theLeaderIsStoppedFirstAndItsLastWordsArrive() throws Exception {
        // The leader's end is seen before the worker is told: it records what it sees of the
        // worker.
        String leader =
                "trap 'kill -0 $(cat \"$0\") && echo worker lives; exit 0' TERM;"
                        + " echo tandem ready on x; while :; do sleep 0.05; done";
        var pidFile = java.nio.file.Files.createTempFile("worker", ".pid");
        try {
            var supervisor =
                    supervisor(
                            new ChildSpec(
                                    "coordinator",
                                    List.of("sh", "-c", leader, pidFile.toString()),
                                    true,
                                    10_000),
                            new ChildSpec(
                                    "decode-0",
                                    List.of(
                                            "sh",
                                            "-c",
                                            "echo $$ > \"$0\"; echo up; exec cat",
                                            pidFile + ""),
                                    false,
                                    10_000));
            var code = start(supervisor);
            assertThat(out.take()).isEqualTo("tandem ready on x");
            assertThat(awaitError("[decode-0]")).isEqualTo("[decode-0] up");
            supervisor.stop();
            assertThat(code.get()).isZero();
            assertThat(err).contains("[coordinator] worker lives");
        } finally {
            java.nio.file.Files.delete(pidFile);
        }
    }

    @Test
    void aSecondStopKillsAChildThatDoesNotEnd() throws Exception {
        var supervisor =
                supervisor(
                        shell(
                                "coordinator",
                                true,
                                "trap '' TERM; echo tandem ready on x; while :; do sleep 0.05;"
                                        + " done"));
        var code = start(supervisor);
        assertThat(out.take()).isEqualTo("tandem ready on x");
        supervisor.stop();
        supervisor.stop();
        assertThat(code.get()).isZero();
        assertThat(err).contains("[serve] coordinator does not end; killing it");
        assertThat(supervisor.endedWell()).isFalse();
    }

    @Test
    void aMissingProgramIsTriedAgainAndThenGivenUp() throws Exception {
        var supervisor =
                supervisor(new ChildSpec("decode-0", List.of("/nowhere/java"), false, 1_000));
        assertThat(start(supervisor).get()).isEqualTo(1);
        assertThat(awaitError("[serve] decode-0 can't be started")).contains("/nowhere/java");
    }

    @Test
    void backOffDoublesUpToItsBound() {
        var policy = new RestartPolicy(200, 10_000, 30_000, 5);
        assertThat(policy.waitMillis(1)).isEqualTo(200);
        assertThat(policy.waitMillis(3)).isEqualTo(800);
        assertThat(policy.waitMillis(7)).isEqualTo(10_000);
        assertThat(policy.waitMillis(Integer.MAX_VALUE)).isEqualTo(10_000);
    }

    @Test
    void childrenDoNotGetTheSettingsVariables() throws IOException, InterruptedException {
        var lines = new LinkedBlockingQueue<String>();
        var child =
                new ChildProcess(
                        shell("x", false, "echo \"home=$HOME.\""),
                        Set.of("HOME"),
                        lines::add,
                        l -> {});
        assertThat(lines.take()).isEqualTo("home=.");
        assertThat(child.lastErrorLine()).isNull();
    }
}
