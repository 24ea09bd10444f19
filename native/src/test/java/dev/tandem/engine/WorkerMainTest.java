package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.wire.WorkerMessage.MessageCase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Signals and the parent's death, with real processes.
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class WorkerMainTest {
    private final List<Process> started = new ArrayList<>();
    private TestCoordinator coordinator;

    @BeforeEach
    void listen() throws IOException {
        coordinator = new TestCoordinator(0);
    }

    @AfterEach
    void end() throws InterruptedException {
        started.forEach(Process::destroyForcibly);
        coordinator.close();
    }

    @Test
    void sigtermSaysGoodbyeAndExitsWithZero() throws Exception {
        Process worker = startWorker(false);
        TestCoordinator.Connection stream = welcomed();

        worker.destroy();

        assertThat(stream.next(MessageCase.GOODBYE).getGoodbye().getReason()).isEqualTo("SIGTERM");
        assertThat(exitCode(worker)).isZero();
    }

    @Test
    void aChildStopsWhenItsStandardInputEnds() throws Exception {
        Process worker = startWorker(true);
        TestCoordinator.Connection stream = welcomed();

        worker.getOutputStream().close();

        assertThat(stream.next(MessageCase.GOODBYE).getGoodbye().getReason())
                .isEqualTo("the parent process has ended");
        assertThat(exitCode(worker)).isZero();
    }

    private TestCoordinator.Connection welcomed() throws InterruptedException {
        TestCoordinator.Connection stream = coordinator.nextConnection();
        stream.next(MessageCase.HELLO);
        stream.welcome(50);
        stream.next(MessageCase.HEARTBEAT);
        return stream;
    }

    private Process startWorker(boolean child) throws IOException {
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                                "-Dtandem.parentWatch=" + child,
                                "-cp",
                                System.getProperty("java.class.path"),
                                ToyWorker.class.getName(),
                                Integer.toString(coordinator.port()))
                        .redirectOutput(log().toFile())
                        .redirectErrorStream(true)
                        .start();
        started.add(process);
        return process;
    }

    private static Path log() throws IOException {
        Path folder = Files.createDirectories(Path.of("target", "worker-logs"));
        return Files.createTempFile(folder, "worker", ".log");
    }

    private static int exitCode(Process process) throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the worker ended").isTrue();
        return process.exitValue();
    }
}
