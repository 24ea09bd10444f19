package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.util.Objects.requireNonNull;

import dev.tandem.coordinator.CoordinatorOptions;
import dev.tandem.core.CoreOptions;
import dev.tandem.engine.WorkerOptions;
import dev.tandem.record.RecorderOptions;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// Settings: where values come from, and what is refused.
class SettingsTest {
    @TempDir Path folder;

    private SettingValues resolve(Map<String, String> environment, String... args)
            throws UsageException {
        CommandLineParser.Parsed parsed = new CommandLineParser().parse(args);
        return SettingValues.resolve(requireNonNull(parsed.command()), parsed.flags(), environment);
    }

    private Path file(String yaml) throws IOException {
        return Files.writeString(folder.resolve("tandem.yaml"), yaml);
    }

    private Path modelFolder() throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), "{}");
        return model;
    }

    @Test
    void flagWinsOverEnvironmentOverFileOverDefault() throws Exception {
        Path file = file("http:\n  port: 1001\n");
        var environment = Map.of("TANDEM_PORT", "1002");
        String config = "--config=" + file;
        assertThat(resolve(Map.of(), "serve").get(Settings.PORT)).isEqualTo(8000);
        assertThat(resolve(Map.of(), "serve", config).get(Settings.PORT)).isEqualTo(1001);
        assertThat(resolve(environment, "serve", config).get(Settings.PORT)).isEqualTo(1002);
        assertThat(resolve(environment, "serve", config, "--port", "1003").get(Settings.PORT))
                .isEqualTo(1003);
    }

    @Test
    void theFileMayBeNamedByTheEnvironmentAndAnEmptyVariableIsNotSet() throws Exception {
        Path file = file("http: {port: 1001}\n");
        var values =
                resolve(Map.of("TANDEM_CONFIG", file.toString(), "TANDEM_PORT", ""), "coordinator");
        assertThat(values.get(Settings.PORT)).isEqualTo(1001);
        assertThat(values.source(Settings.PORT)).isEqualTo(SettingValues.Source.FILE);
    }

    @Test
    void aFileServesAllCommandsAndDotsAreLevels() throws Exception {
        Path file =
                file(
                        """
                        scheduler.step-tokens-max: 99
                        worker:
                          kv-memory: 1MiB
                        transfer:
                          transports: [grpc, shared-memory]
                        load:
                        serve:
                          prefill-workers: 3
                        """);
        var values = resolve(Map.of(), "decode-worker", "--config", file.toString());
        assertThat(values.get(Settings.STEP_TOKENS_MAX)).isEqualTo(99);
        assertThat(values.get(Settings.KV_MEMORY)).isEqualTo(1L << 20);
        assertThat(values.get(Settings.TRANSPORTS)).containsExactly("grpc", "shared-memory");
        assertThat(values.find(Settings.PREFILL_WORKERS)).isEmpty();
    }

    @Test
    void allOptionsOfTheProcessesCanBeSet() throws Exception {
        Path model = modelFolder();
        SettingValues values =
                resolve(
                        Map.of(),
                        ("coordinator --model " + model)
                                .concat(" --model-name m --host h --port 1 --grpc-host g")
                                .concat(" --grpc-port 2 --body-bytes-max 3KiB")
                                .concat(" --heartbeat-millis 4 --heartbeat-lost-millis 5")
                                .concat(" --drain-millis-max 6 --step-tokens-max 7")
                                .concat(" --sequences-max 8 --run-ahead-plans 9")
                                .concat(" --prefix-cache false --local-prefill-tokens-max 10")
                                .concat(" --queued-tokens-max 11 --queued-sequences-max 12")
                                .concat(" --lease-millis 13 --recomputes-max 14")
                                .concat(" --unserved-millis-max 15 --preempt-every-steps 16")
                                .concat(" --recorder-dir /r --recorder-file-bytes-max 1MiB")
                                .concat(" --recorder-files-max 17")
                                .split(" "));
        assertThat(ProcessOptions.coordinator(values))
                .isEqualTo(
                        new CoordinatorOptions(
                                model,
                                "m",
                                "h",
                                1,
                                "g",
                                2,
                                3072,
                                4,
                                5,
                                6,
                                core(),
                                new RecorderOptions(Path.of("/r"), 1 << 20, 17)));
        values =
                resolve(
                        Map.of(),
                        ("prefill-worker --model " + model)
                                .concat(" --worker-name w --coordinator [::1]:1")
                                .concat(" --transfer-host t --transfer-port 2 --zone z")
                                .concat(" --device cpu --kv-memory 3GiB --block-tokens 4")
                                .concat(" --sequences-max 5 --step-tokens-max 6 --threads 7")
                                .concat(" --transports grpc")
                                .split(" "));
        assertThat(ProcessOptions.worker(values, WorkerRole.WORKER_ROLE_PREFILL))
                .isEqualTo(
                        new WorkerOptions(
                                "w",
                                WorkerRole.WORKER_ROLE_PREFILL,
                                model,
                                "::1",
                                1,
                                "t",
                                2,
                                "z",
                                "cpu",
                                3L << 30,
                                4,
                                5,
                                6,
                                7,
                                List.of(TransportKind.TRANSPORT_KIND_GRPC)));
    }

    @Test
    void defaultsOfTheCoreAreTheCoresOwn() throws Exception {
        SettingValues values = resolve(Map.of(), "coordinator", "--model", modelFolder() + "");
        assertThat(ProcessOptions.coordinator(values).core()).isEqualTo(CoreOptions.defaults());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "serve --bogus ! serve: unknown flag --bogus; see tandem help serve",
                "serve --prot 1 ! serve: unknown flag --prot; did you mean --port?",
                "sevre ! unknown command sevre; did you mean serve?",
                "serve there ! serve: unknown argument there; see tandem help serve",
                "serve --port ! serve: Missing required parameter for option '--port' (PORT)",
                "serve --port x ! --port must be a whole number from 0 to 65535, is \"x\"",
                "serve --port 65536 ! --port must be a whole number from 0 to 65535, is \"65536\"",
                "serve --kv-memory 3MB ! --kv-memory must be a number of bytes such as 268435456,"
                        + " 256MiB or 4GiB, is \"3MB\"",
                "serve --kv-memory 99999999999999999TiB ! --kv-memory must be from 64KiB to"
                        + " 1024TiB, is \"99999999999999999TiB\"",
                "serve --transports grpc,grpc ! --transports must be a list by commas of different"
                        + " ones of shared-memory, grpc, is \"grpc,grpc\"",
                "serve --prefix-cache=maybe ! --prefix-cache must be true or false, is \"maybe\"",
                "serve --device tpu ! --device must be one of auto, cpu, cuda, is \"tpu\"",
                "serve --model /nowhere ! --model must be an existing folder, is \"/nowhere\"",
                "prefill-worker --coordinator x ! --coordinator must be HOST:PORT, such as"
                        + " 10.0.0.5:8001 or [::1]:8001, is \"x\"",
                "load --rate -1 ! --rate must be a number of at least 0, is \"-1\"",
                "load --rate NaN ! --rate must be a number of at least 0, is \"NaN\"",
                "coordinator --threads 2 ! coordinator: unknown flag --threads; see tandem help"
                        + " coordinator",
            })
    void wrongFlagsAreOneClearLine(String line, String message) {
        assertThatThrownBy(() -> resolve(Map.of(), line.split(" ")))
                .isInstanceOf(UsageException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "http: {prot: 1} ! : unknown key http.prot; did you mean http.port?",
                "quite: {other: 1} ! : unknown key quite",
                "http: {port: nine} ! : http.port must be a whole number from 0 to 65535, is"
                        + " \"nine\"",
                "http: {port: } ! : http.port has no value",
                "- 1 ! : must hold names and values, such as http.port",
                "config: x ! : unknown key config",
            })
    void wrongFilesAreOneClearLine(String yaml, String message) throws IOException {
        Path file = file(yaml);
        assertThatThrownBy(() -> resolve(Map.of(), "serve", "--config", file.toString()))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith(file + message.stripTrailing());
    }

    @Test
    void brokenYamlNamesTheLine() throws IOException {
        Path file = file("http:\n  port: 1\n  port: 2\n");
        assertThatThrownBy(() -> resolve(Map.of(), "serve", "--config", file.toString()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("line 3")
                .hasMessageContaining("port");
        Path tab = file("http: [");
        assertThatThrownBy(() -> resolve(Map.of(), "serve", "--config", tab.toString()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("is not valid YAML");
    }

    @Test
    void aWrongVariableIsNamed() {
        assertThatThrownBy(() -> resolve(Map.of("TANDEM_THREADS", "many"), "decode-worker"))
                .isInstanceOf(UsageException.class)
                .hasMessage("TANDEM_THREADS must be a whole number from 0 to 1024, is \"many\"");
    }

    @Test
    void silenceMustBeLongerThanTheHeartbeat() throws Exception {
        SettingValues values =
                resolve(
                        Map.of(),
                        "coordinator",
                        "--model=" + modelFolder(),
                        "--heartbeat-millis=10",
                        "--heartbeat-lost-millis=10");
        assertThatThrownBy(() -> ProcessOptions.coordinator(values))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("--heartbeat-lost-millis must be more than");
    }

    @Test
    void aChildGetsWhatWasGivenAndNothingElse() throws Exception {
        SettingValues values =
                resolve(
                        Map.of("TANDEM_THREADS", "2"),
                        "serve",
                        "--kv-memory",
                        "1GiB",
                        "--prefix-cache=false",
                        "--prefill-workers=2");
        assertThat(values.flagsFor(Command.PREFILL_WORKER))
                .containsExactly("--kv-memory=1GiB", "--threads=2");
        assertThat(values.flagsFor(Command.COORDINATOR)).containsExactly("--prefix-cache=false");
    }

    @Test
    void namesAreUniqueAndDefaultsAreValid() {
        var seen = new HashSet<String>();
        for (Setting<?> setting : Settings.all()) {
            assertThat(seen.add(setting.key())).as(setting.key()).isTrue();
            assertThat(seen.add(setting.environmentVariable())).as(setting.key()).isTrue();
            assertThat(Settings.isKeyPrefix(setting.key() + ".")).as(setting.key()).isFalse();
            for (Command command : setting.commands()) {
                assertThat(seen.add(command + " " + setting.flag())).as(setting.key()).isTrue();
            }
            String text = setting.defaultText();
            if (text != null) {
                assertThat((Object) setting.type().parse(text)).as(setting.key()).isNotNull();
            }
        }
        assertThat(Settings.STEP_TOKENS_MAX.environmentVariable())
                .isEqualTo("TANDEM_STEP_TOKENS_MAX");
        assertThat(Settings.STEP_TOKENS_MAX.key()).isEqualTo("scheduler.step-tokens-max");
        assertThat(Settings.LOAD_RATE.environmentVariable()).isEqualTo("TANDEM_LOAD_RATE");
    }

    @Test
    void helpOfEveryCommandListsItsFlags() {
        var parser = new CommandLineParser();
        for (Command command : Command.values()) {
            String help = parser.help(command);
            assertThat(help).contains(command.description());
            for (Setting<?> setting : Settings.of(command)) {
                assertThat(help).contains(setting.flag());
            }
            assertThat(parser.help(null)).contains(command.word());
        }
    }

    private static CoreOptions core() {
        CoreOptions defaults = CoreOptions.defaults();
        return defaults.withSteps(7, 8, 9)
                .withCache(false, 16)
                .withRecovery(13, 14, 15)
                .withPolicies(
                        defaults.batching(),
                        defaults.placement().withLocalPrefill(10),
                        defaults.routing(),
                        defaults.admission().withQueue(11, 12));
    }
}
