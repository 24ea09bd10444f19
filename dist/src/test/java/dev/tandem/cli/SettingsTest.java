package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.util.Objects.requireNonNull;

import dev.tandem.admission.AdmissionOptions;
import dev.tandem.admission.Lane;
import dev.tandem.admission.TenantLimits;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.batching.BatchingOptions;
import dev.tandem.coordinator.CoordinatorOptions;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.PlacementOptions;
import dev.tandem.engine.TransferOptions;
import dev.tandem.engine.WorkerOptions;
import dev.tandem.kv.tier.TierOptions;
import dev.tandem.record.RecorderOptions;
import dev.tandem.sim.cluster.OptionKeys;
import dev.tandem.transport.TransferSecurity;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
        assertThat(values.get(SchedulerSettings.STEP_TOKENS_MAX)).isEqualTo(99);
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
                                .concat(" --transports grpc --transfer-group-layers 8")
                                .concat(" --transfer-connections 9")
                                .concat(" --tier-host-bytes 10MiB --tier-disk-dir /t")
                                .concat(" --tier-disk-bytes 11")
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
                                List.of(TransportKind.TRANSPORT_KIND_GRPC),
                                new TransferOptions(8, 9, TransferSecurity.PLAINTEXT),
                                new TierOptions(10L << 20, Path.of("/t"), 11)));
        assertThatThrownBy(
                        () ->
                                ProcessOptions.worker(
                                        resolve(
                                                Map.of(),
                                                "prefill-worker",
                                                "--model",
                                                model.toString(),
                                                "--transfer-tls-mutual",
                                                "true"),
                                        WorkerRole.WORKER_ROLE_PREFILL))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("needs a certificate and a private key");
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
                        + " ones of shared-memory, ucx, grpc, is \"grpc,grpc\"",
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
        assertThat(SchedulerSettings.STEP_TOKENS_MAX.environmentVariable())
                .isEqualTo("TANDEM_STEP_TOKENS_MAX");
        assertThat(SchedulerSettings.STEP_TOKENS_MAX.key()).isEqualTo("scheduler.step-tokens-max");
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

    @Test
    void everyPolicyOfTheCoreCanBeChosen() throws Exception {
        CoreOptions core =
                coreOf(
                        ("--step-budget fixed --sequence-cap fixed --prefill-order first-come")
                                .concat(" --prefill-stretch 2.5 --tpot-millis 33 --roles elastic")
                                .concat(" --predict-local false --staging-share 0.25")
                                .concat(" --prefill-routing maglev --decode-routing power-of-two")
                                .concat(" --hedge-share 0.1 --hedge-percentile 0.9")
                                .concat(" --retry-share 0.3 --ejected-share-max 0.4")
                                .concat(" --slow-start-weight-min 1 --zone-spill false")
                                .concat(" --zone-failover a:b+c,b:a --fairness lanes")
                                .concat(" --admission-rules deadline,queue-limit")
                                .concat(" --lane-shares 3,2,1 --shedding-factor 5")
                                .concat(" --ttft-millis 700 --output-tokens-max 99"));
        assertThat(core.batching())
                .isEqualTo(
                        new BatchingOptions(
                                BatchingOptions.Budget.FIXED,
                                BatchingOptions.Cap.FIXED,
                                BatchingOptions.Order.FIRST_COME,
                                33,
                                0.9,
                                2.5,
                                16));
        assertThat(core.placement().roles()).isEqualTo(PlacementOptions.Roles.ELASTIC);
        assertThat(core.placement().predictLocal()).isFalse();
        assertThat(core.placement().stagingShare()).isEqualTo(0.25);
        assertThat(core.routing().prefillPolicy()).isEqualTo("maglev");
        assertThat(core.routing().decodePolicy()).isEqualTo("power-of-two");
        assertThat(core.routing().hedge().share()).isEqualTo(0.1);
        assertThat(core.routing().hedge().percentile()).isEqualTo(0.9);
        assertThat(core.routing().retry().share()).isEqualTo(0.3);
        assertThat(core.routing().ejection().ejectedShareMax()).isEqualTo(0.4);
        assertThat(core.routing().slowStart().weightMin()).isEqualTo(1);
        assertThat(core.routing().zones().spillAnywhere()).isFalse();
        assertThat(core.routing().zones().failover())
                .isEqualTo(Map.of("a", List.of("b", "c"), "b", List.of("a")));
        assertThat(core.admission().fairness()).isEqualTo(AdmissionOptions.Fairness.LANES);
        assertThat(core.admission().rules())
                .containsExactlyInAnyOrder(
                        AdmissionOptions.Rule.DEADLINE, AdmissionOptions.Rule.QUEUE_LIMIT);
        assertThat(core.admission().laneShares()).containsExactly(3.0, 2.0, 1.0);
        assertThat(core.admission().sheddingFactor()).isEqualTo(5);
        assertThat(core.admission().defaultClass().ttftMillis()).isEqualTo(700);
        assertThat(core.admission().defaultClass().outputTokensMax()).isEqualTo(99);
        assertThat(coreOf("--admission-rules none").admission().rules()).isEmpty();
    }

    @Test
    void keysOfTheCoreAreThoseOfASimulatorsClusterFile() {
        CoreOptions defaults = CoreOptions.defaults();
        for (Setting<?> setting : SchedulerSettings.all()) {
            String text = setting.defaultText();
            if (text != null) {
                String key = setting.key().substring(SchedulerSettings.PREFIX.length());
                assertThat(OptionKeys.with(defaults, key, text)).as(key).isEqualTo(defaults);
            }
        }
    }

    @Test
    void whatTheCoreDoesNotAllowIsToldWithTheFlag() {
        assertThatThrownBy(() -> coreOf("--hedge-percentile 0.2"))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("--hedge-percentile: hedge.percentile must be");
        assertThatThrownBy(() -> coreOf("--zone-failover a:a"))
                .hasMessage("--zone-failover: zones.failover of a names the zone itself");
        assertThatThrownBy(() -> coreOf("--zone-failover a"))
                .hasMessageStartingWith("--zone-failover must be names with those that follow");
        assertThatThrownBy(() -> coreOf("--lane-shares 1,2"))
                .hasMessage("--lane-shares must be 3 numbers above 0 by commas, is \"1,2\"");
    }

    @Test
    void tenantsAndClassesComeFromTheFileAndGoOnToTheCoordinator() throws Exception {
        Path file =
                file(
                        """
                        scheduler:
                          routing:
                            zones:
                              failover: {a: [b, c]}
                        tenants:
                          - {name: "team.a", weight: 3, tokens-per-second: 10, burst-tokens: 20}
                          - name: nightly
                            lane-max: batch
                        classes:
                          - name: chat
                            routes: [/v1/chat/completions, /chat]
                            lane: interactive
                            ttft-millis: 500
                            output-tokens-max: 9
                        """);
        SettingValues served = resolve(Map.of(), "serve", "--config", file.toString());
        var handedOn = new ArrayList<>(served.flagsFor(Command.COORDINATOR));
        handedOn.addFirst("coordinator");
        CoreOptions core =
                SchedulerSettings.options(resolve(Map.of(), handedOn.toArray(String[]::new)));
        assertThat(core.routing().zones().failover()).isEqualTo(Map.of("a", List.of("b", "c")));
        assertThat(core.admission().limitsOf("team.a"))
                .isEqualTo(new TenantLimits("team.a", 3, 10, 20, Lane.INTERACTIVE));
        assertThat(core.admission().limitsOf("nightly").laneMax()).isEqualTo(Lane.BATCH);
        WorkloadClass chat = core.admission().classOf("/chat");
        assertThat(chat).isSameAs(core.admission().classOf("chat"));
        assertThat(chat.lane()).isEqualTo(Lane.INTERACTIVE);
        assertThat(chat.ttftMillis()).isEqualTo(500);
        assertThat(chat.tpotMillis()).isEqualTo(WorkloadClass.defaults().tpotMillis());
        assertThat(chat.outputTokensMax()).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "tenants: 5 ! 1: tenants must be a list of entries with a name each",
                "tenants: [{weight: 1}] ! 1: tenants has an entry without a name",
                "tenants:;  - name: a;    weight: 0 ! 3: tenants has a wrong entry: tenant 'a':"
                        + " weight must be a number above 0, is 0.0",
                "tenants:;  - name: a;  - name: a ! 3: tenants has \"a\" twice",
                "classes:;  - name: a;    lane: top ! 3: classes has a wrong entry: lane must be"
                        + " one of interactive, default, batch, is \"top\"",
                "classes:;  - name: a;;    bogus: 1 ! 4: classes has a wrong entry: unknown key"
                        + " bogus; there are name, routes, lane, ttft-millis, tpot-millis,"
                        + " output-tokens-max, output-tokens-expected"
            })
    void wrongEntriesAreToldWithTheirLine(String yaml, String message) throws Exception {
        Path file = file(yaml.replace(';', '\n') + "\n");
        assertThatThrownBy(() -> resolve(Map.of(), "serve", "--config", file.toString()))
                .isInstanceOf(UsageException.class)
                .hasMessage(file + " line " + message);
    }

    private CoreOptions coreOf(String flags) throws UsageException {
        return SchedulerSettings.options(resolve(Map.of(), ("coordinator " + flags).split(" ")));
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
