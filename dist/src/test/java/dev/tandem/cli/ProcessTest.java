package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.process.ManagedProcess;
import dev.tandem.process.ProcessLife;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/// The command line as real processes.
@Timeout(120)
class ProcessTest {
    private record Result(int code, List<String> out, List<String> err) {}

    /// Lives until its parent is gone.
    static final class Orphan {
        private Orphan() {}

        public static void main(String[] args) {
            var stopped = new CountDownLatch(1);
            System.setProperty("tandem.parentWatch", "true");
            System.exit(
                    ProcessLife.run(
                            new ManagedProcess() {
                                @Override
                                public int run() {
                                    System.out.println("up");
                                    try {
                                        stopped.await();
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    }
                                    return 1;
                                }

                                @Override
                                public void stop(String reason) {
                                    stopped.countDown();
                                }
                            },
                            10_000));
        }
    }

    /// A supervisor over one child that tells its process id.
    static final class Parent {
        private Parent() {}

        public static void main(String[] args) throws InterruptedException {
            String script = "echo tandem ready on $$; exec cat";
            var spec = new ChildSpec("child", List.of("sh", "-c", script), true, 10_000);
            var supervisor =
                    new Supervisor(
                            List.of(spec),
                            java.util.Set.of(),
                            RestartPolicy.DEFAULT,
                            System.out,
                            System.err);
            Signals.onStop(supervisor::stop);
            System.exit(supervisor.run());
        }
    }

    private static ProcessBuilder java(Class<?> main, String... args) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"));
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(List.of(args));
        return new ProcessBuilder(command);
    }

    private static Result run(Map<String, String> environment, String... args)
            throws IOException, InterruptedException {
        ProcessBuilder builder = java(Main.class, args);
        builder.environment().keySet().removeIf(name -> name.startsWith("TANDEM_"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        var err = new ArrayList<String>();
        Thread errors =
                Thread.ofPlatform().start(() -> reader(process, true).lines().forEach(err::add));
        List<String> out = reader(process, false).lines().toList();
        errors.join();
        return new Result(process.waitFor(), out, err);
    }

    private static BufferedReader reader(Process process, boolean errors) {
        return errors
                ? process.errorReader(StandardCharsets.UTF_8)
                : process.inputReader(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "serve --bogus",
                "serve --port nine",
                "decode-worker --model /nowhere",
                "frobnicate",
                "help frobnicate",
                "serve"
            })
    void wrongUsageIsOneLineAndCode2(String line) throws Exception {
        Result result = run(Map.of(), line.split(" "));
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).startsWith("tandem: ");
    }

    @Test
    void wrongVariableIsOneLineAndCode2() throws Exception {
        Result result = run(Map.of("TANDEM_PORT", "-1"), "coordinator");
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err())
                .containsExactly(
                        "tandem: TANDEM_PORT must be a whole number from 0 to 65535, is \"-1\"");
    }

    @Test
    void helpAndVersionAreOnStandardOutput() throws Exception {
        Result version = run(Map.of(), "version");
        assertThat(version.code()).isZero();
        assertThat(version.out())
                .singleElement()
                .asString()
                .matches("tandem \\d+\\.\\d+.* \\(Java .*\\)");
        Result help = run(Map.of(), "serve", "--help");
        assertThat(help.code()).isZero();
        assertThat(help.err()).isEmpty();
        assertThat(String.join("\n", help.out())).contains("--prefill-workers");
        Result none = run(Map.of());
        assertThat(none.code()).isEqualTo(2);
        assertThat(String.join("\n", none.err())).contains("serve", "coordinator");
    }

    @Test
    void aChildEndsWhenItsParentIsGone() throws Exception {
        Process process = java(Orphan.class).start();
        assertThat(reader(process, false).readLine()).isEqualTo("up");
        process.getOutputStream().close();
        assertThat(process.waitFor()).isEqualTo(1);
    }

    @Test
    void killingTheSupervisorLeavesNoOrphan() throws Exception {
        Process parent = java(Parent.class).start();
        ProcessHandle child = childOf(parent);
        var ended = child.onExit();
        parent.destroyForcibly().waitFor();
        assertThat(ended.get().isAlive()).isFalse();
    }

    @Test
    void sigtermStopsTheChildrenAndEndsWithCode0() throws Exception {
        Process parent = java(Parent.class).start();
        ProcessHandle child = childOf(parent);
        assertThat(parent.toHandle().destroy()).isTrue();
        assertThat(parent.waitFor()).isZero();
        assertThat(child.isAlive()).isFalse();
    }

    private static ProcessHandle childOf(Process parent) throws IOException {
        String ready = reader(parent, false).readLine();
        assertThat(ready).startsWith("tandem ready on ");
        return ProcessHandle.of(Long.parseLong(ready.substring(16))).orElseThrow();
    }
}
