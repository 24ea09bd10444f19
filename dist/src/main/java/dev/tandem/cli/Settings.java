package dev.tandem.cli;

import static dev.tandem.cli.Command.COORDINATOR;
import static dev.tandem.cli.Command.DECODE_WORKER;
import static dev.tandem.cli.Command.LOAD;
import static dev.tandem.cli.Command.PREFILL_WORKER;
import static dev.tandem.cli.Command.SERVE;
import static dev.tandem.cli.Command.SIMULATE;
import static dev.tandem.cli.Command.TEMPLATE;

import dev.tandem.record.RecorderOptions;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Every setting of every command; those of the core are declared in [SchedulerSettings]. Order is the order of the help and of the documentation.
final class Settings {
    private static final List<Setting<?>> ALL = new ArrayList<>();
    private static final int ANY = Integer.MAX_VALUE;
    private static final long BYTES_ANY = 1L << 50;

    private static final Set<Command> PROCESSES =
            EnumSet.of(SERVE, COORDINATOR, PREFILL_WORKER, DECODE_WORKER);
    private static final Set<Command> FRONT = EnumSet.of(SERVE, COORDINATOR);
    private static final Set<Command> WORKERS = EnumSet.of(SERVE, PREFILL_WORKER, DECODE_WORKER);
    private static final Set<Command> LONE_WORKERS = EnumSet.of(PREFILL_WORKER, DECODE_WORKER);
    private static final Set<Command> ALL_COMMANDS =
            EnumSet.of(SERVE, COORDINATOR, PREFILL_WORKER, DECODE_WORKER, LOAD, SIMULATE, TEMPLATE);
    private static final Set<Command> SIMULATING = EnumSet.of(SIMULATE);
    private static final Set<Command> LOADING = EnumSet.of(LOAD);

    // The model and the process.
    static final Setting<Path> MODEL =
            optional(
                    "model",
                    "model.dir",
                    SettingType.directory(),
                    "the small model that comes along",
                    "Model folder as Hugging Face stores it: weights, tokenizer, configuration.",
                    PROCESSES);
    static final Setting<String> MODEL_NAME =
            optional(
                    "model-name",
                    "model.name",
                    SettingType.text("NAME"),
                    "the folder's name",
                    "Name of the model in the API.",
                    FRONT);
    static final Setting<Path> CONFIG =
            optional(
                    "config",
                    "config",
                    SettingType.fileToRead(),
                    "none",
                    "Configuration file, YAML; see docs/configuration.md for its keys.",
                    ALL_COMMANDS);
    static final Setting<String> LOG_LEVEL =
            setting(
                    "log-level",
                    "log.level",
                    SettingType.oneOf("error", "warn", "info", "debug", "trace"),
                    "info",
                    "How much Tandem's own code logs, to standard error.",
                    ALL_COMMANDS);

    // What serve starts.
    static final Setting<Integer> PREFILL_WORKERS =
            setting(
                    "prefill-workers",
                    "serve.prefill-workers",
                    SettingType.wholeNumber(0, 64),
                    "1",
                    "Prefill workers to start.",
                    EnumSet.of(SERVE));
    static final Setting<Integer> DECODE_WORKERS =
            setting(
                    "decode-workers",
                    "serve.decode-workers",
                    SettingType.wholeNumber(1, 64),
                    "1",
                    "Decode workers to start; they compute prompts too where needed.",
                    EnumSet.of(SERVE));

    // The coordinator's two servers.
    static final Setting<String> HOST =
            setting(
                    "host",
                    "http.host",
                    SettingType.text("HOST"),
                    "127.0.0.1",
                    "Address that the HTTP front binds to; 0.0.0.0 lets other hosts in.",
                    FRONT);
    static final Setting<Integer> PORT =
            setting(
                    "port",
                    "http.port",
                    SettingType.port(0),
                    "8000",
                    "Port of the HTTP front; 0 = any free one.",
                    FRONT);
    static final Setting<Long> BODY_BYTES_MAX =
            setting(
                    "body-bytes-max",
                    "http.body-bytes-max",
                    SettingType.bytes(1024, 1 << 30),
                    "32MiB",
                    "Largest request body accepted.",
                    FRONT);
    static final Setting<Integer> DRAIN_MILLIS_MAX =
            setting(
                    "drain-millis-max",
                    "http.drain-millis-max",
                    SettingType.wholeNumber(0, 3_600_000),
                    "30000",
                    "How long running requests may take to finish after SIGTERM, milliseconds.",
                    FRONT);
    static final Setting<String> GRPC_HOST =
            setting(
                    "grpc-host",
                    "grpc.host",
                    SettingType.text("HOST"),
                    "127.0.0.1",
                    "Address that the coordinator's gRPC server binds to, for workers.",
                    FRONT);
    static final Setting<Integer> GRPC_PORT =
            setting(
                    "grpc-port",
                    "grpc.port",
                    SettingType.port(0),
                    "8001",
                    "Port of the coordinator's gRPC server; 0 = any free one.",
                    FRONT);
    static final Setting<Integer> HEARTBEAT_MILLIS =
            setting(
                    "heartbeat-millis",
                    "grpc.heartbeat-millis",
                    SettingType.wholeNumber(1, 600_000),
                    "500",
                    "How often workers show that they live, milliseconds.",
                    FRONT);
    static final Setting<Integer> HEARTBEAT_LOST_MILLIS =
            setting(
                    "heartbeat-lost-millis",
                    "grpc.heartbeat-lost-millis",
                    SettingType.wholeNumber(2, 3_600_000),
                    "5000",
                    "Silence after which a worker counts as lost, milliseconds.",
                    FRONT);

    // Workers.
    static final Setting<SettingType.HostPort> COORDINATOR_ADDRESS =
            setting(
                    "coordinator",
                    "worker.coordinator",
                    SettingType.hostPort(),
                    "127.0.0.1:8001",
                    "The coordinator's gRPC server, which the worker dials.",
                    LONE_WORKERS);
    static final Setting<String> WORKER_NAME =
            optional(
                    "worker-name",
                    "worker.name",
                    SettingType.text("NAME"),
                    "role, host and process id",
                    "Name of the worker, unique among the workers of a coordinator.",
                    LONE_WORKERS);
    static final Setting<String> ZONE =
            optional(
                    "zone",
                    "worker.zone",
                    SettingType.text("NAME"),
                    "none",
                    "Zone (rack, availability zone) that the worker reports.",
                    LONE_WORKERS);
    static final Setting<String> DEVICE =
            setting(
                    "device",
                    "worker.device",
                    SettingType.oneOf("auto", "cpu", "cuda"),
                    "auto",
                    "What computes; auto = a GPU where there is one, else the CPU.",
                    WORKERS);
    static final Setting<Long> KV_MEMORY =
            setting(
                    "kv-memory",
                    "worker.kv-memory",
                    SettingType.bytes(1 << 16, BYTES_ANY),
                    "256MiB",
                    "Memory of one worker's KV pool; its number of blocks follows from it.",
                    WORKERS);
    static final Setting<Integer> BLOCK_TOKENS =
            setting(
                    "block-tokens",
                    "worker.block-tokens",
                    SettingType.wholeNumber(1, 1024),
                    "16",
                    "Tokens in one KV block; the same on all workers of a coordinator.",
                    WORKERS);
    static final Setting<Integer> THREADS =
            setting(
                    "threads",
                    "worker.threads",
                    SettingType.wholeNumber(0, 1024),
                    "0",
                    "Threads of one worker's CPU kernels; 0 = one per core.",
                    WORKERS);
    static final Setting<List<String>> TRANSPORTS =
            setting(
                    "transports",
                    "transfer.transports",
                    SettingType.listOf("shared-memory", "ucx", "grpc"),
                    "shared-memory,grpc",
                    "How KV blocks may travel to and from the worker, in order of preference. ucx"
                            + " (RDMA or TCP by libucx0, unencrypted) is left out, with a warning,"
                            + " where it can't be used.",
                    WORKERS);
    static final Setting<String> TRANSFER_HOST =
            setting(
                    "transfer-host",
                    "transfer.host",
                    SettingType.text("HOST"),
                    "127.0.0.1",
                    "Address that the worker's KV transfer server binds to and makes known.",
                    LONE_WORKERS);
    static final Setting<Integer> TRANSFER_PORT =
            setting(
                    "transfer-port",
                    "transfer.port",
                    SettingType.port(0),
                    "0",
                    "Port of the worker's KV transfer server; 0 = any free one.",
                    LONE_WORKERS);

    static final Setting<Integer> TRANSFER_GROUP_LAYERS =
            setting(
                    "transfer-group-layers",
                    "transfer.group-layers",
                    SettingType.wholeNumber(0, 1024),
                    "0",
                    "Layers of KV that are sent together while the next ones are computed; 0 = a"
                            + " quarter of the model's, at least 64 KiB a block.",
                    WORKERS);
    static final Setting<Integer> TRANSFER_CONNECTIONS =
            setting(
                    "transfer-connections",
                    "transfer.connections",
                    SettingType.wholeNumber(1, 64),
                    "1",
                    "gRPC connections from a worker to each worker that it sends KV blocks to.",
                    WORKERS);
    static final Setting<Path> TRANSFER_TLS_CERTIFICATES =
            optional(
                    "transfer-tls-certificates",
                    "transfer.tls-certificates",
                    SettingType.fileToRead(),
                    "KV blocks travel in plain text",
                    "PEM file with the worker's certificate chain for KV transfers; it must name"
                            + " the transfer host.",
                    WORKERS);
    static final Setting<Path> TRANSFER_TLS_KEY =
            optional(
                    "transfer-tls-key",
                    "transfer.tls-key",
                    SettingType.fileToRead(),
                    "none",
                    "PEM file with the private key of that certificate, PKCS #8.",
                    WORKERS);
    static final Setting<Path> TRANSFER_TLS_TRUSTED =
            optional(
                    "transfer-tls-trusted",
                    "transfer.tls-trusted",
                    SettingType.fileToRead(),
                    "those that Java trusts",
                    "PEM file with the certificates that other workers' certificates must be signed"
                            + " by.",
                    WORKERS);
    static final Setting<Boolean> TRANSFER_TLS_MUTUAL =
            setting(
                    "transfer-tls-mutual",
                    "transfer.tls-mutual",
                    SettingType.truth(),
                    "false",
                    "Whether a worker that sends KV blocks must show a trusted certificate, too.",
                    WORKERS);

    static final Setting<Long> TIER_HOST_BYTES =
            setting(
                    "tier-host-bytes",
                    "tier.host-bytes",
                    SettingType.bytes(0, BYTES_ANY),
                    "0",
                    "Host memory in which one worker keeps KV blocks that its pool has evicted; 0 ="
                            + " none.",
                    WORKERS);
    static final Setting<Path> TIER_DISK_DIR =
            optional(
                    "tier-disk-dir",
                    "tier.disk-dir",
                    SettingType.folderToWrite(),
                    "nothing is kept on disk",
                    "Folder where a worker keeps evicted KV blocks that its host memory has no room"
                            + " for; one worker's alone, serve makes one for each below it.",
                    WORKERS);
    static final Setting<Long> TIER_DISK_BYTES =
            setting(
                    "tier-disk-bytes",
                    "tier.disk-bytes",
                    SettingType.bytes(0, BYTES_ANY),
                    "16GiB",
                    "Size of one worker's files in that folder.",
                    WORKERS);

    // The core.
    static {
        ALL.addAll(SchedulerSettings.all());
    }

    // The flight recorder.
    static final Setting<Path> RECORDER_DIR =
            optional(
                    "recorder-dir",
                    "recorder.dir",
                    SettingType.folderToWrite(),
                    "nothing is recorded",
                    "Folder where what the scheduler hears is recorded, for tandem replay.",
                    FRONT);
    static final Setting<Long> RECORDER_FILE_BYTES_MAX =
            setting(
                    "recorder-file-bytes-max",
                    "recorder.file-bytes-max",
                    SettingType.bytes(RecorderOptions.FILE_BYTES_LEAST, BYTES_ANY),
                    "1GiB",
                    "Size of a recording, which begins with the process and ends there.",
                    FRONT);
    static final Setting<Integer> RECORDER_FILES_MAX =
            setting(
                    "recorder-files-max",
                    "recorder.files-max",
                    SettingType.wholeNumber(1, 10_000),
                    "4",
                    "Recordings kept, the new one counted; older ones are deleted at the start.",
                    FRONT);

    // The load generator.
    static final Setting<String> LOAD_URL =
            load(
                    "url",
                    SettingType.text("URL"),
                    "http://127.0.0.1:8000",
                    "Endpoint to put load on, without /v1.");
    static final Setting<String> LOAD_ENDPOINT =
            load(
                    "endpoint",
                    SettingType.oneOf("chat", "completions"),
                    "chat",
                    "Which of the two OpenAI calls is made.");
    static final Setting<String> LOAD_MODEL =
            optional(
                    "model",
                    "load.model",
                    SettingType.text("NAME"),
                    "the first one that the endpoint lists",
                    "Model that is asked for.",
                    LOADING);
    static final Setting<String> LOAD_API_KEY =
            optional(
                    "api-key",
                    "load.api-key",
                    SettingType.text("KEY"),
                    "none",
                    "API key, sent as bearer token.",
                    LOADING);
    static final Setting<Integer> LOAD_CONCURRENCY =
            load(
                    "concurrency",
                    SettingType.wholeNumber(1, 100_000),
                    "8",
                    "Requests in flight at once; not with --rate or --trace.");
    static final Setting<Double> LOAD_RATE =
            load(
                    "rate",
                    SettingType.decimal(),
                    "0",
                    "Requests per second at random (Poisson) times; 0 = as many as --concurrency.");
    static final Setting<Integer> LOAD_REQUESTS =
            load(
                    "requests",
                    SettingType.wholeNumber(1, ANY),
                    "100",
                    "Requests to make, the warm-up not counted.");
    static final Setting<Double> LOAD_SECONDS =
            load(
                    "seconds",
                    SettingType.decimal(),
                    "0",
                    "No new request after so many seconds; 0 = no such limit.");
    static final Setting<Integer> LOAD_PROMPT_TOKENS =
            load(
                    "prompt-tokens",
                    SettingType.wholeNumber(1, 10_000_000),
                    "128",
                    "Length of generated prompts, tokens.");
    static final Setting<Integer> LOAD_MAX_TOKENS =
            load(
                    "max-tokens",
                    SettingType.wholeNumber(1, 10_000_000),
                    "64",
                    "Tokens to generate per request, at most.");
    static final Setting<Boolean> LOAD_IGNORE_EOS =
            load(
                    "ignore-eos",
                    SettingType.truth(),
                    "false",
                    "Whether every request generates all of --max-tokens.");
    static final Setting<Path> LOAD_PROMPTS =
            optional(
                    "prompts",
                    "load.prompts",
                    SettingType.fileToRead(),
                    "generated prompts",
                    "File of JSON lines, each with messages or prompt.",
                    LOADING);
    static final Setting<Path> LOAD_TRACE =
            optional(
                    "trace",
                    "load.trace",
                    SettingType.fileToRead(),
                    "none",
                    "Trace with arrival times and lengths to replay.",
                    LOADING);
    static final Setting<Double> LOAD_TIME_SCALE =
            load(
                    "time-scale",
                    SettingType.decimal(),
                    "1",
                    "Speed of a trace's replay; 2 = twice as fast.");
    static final Setting<Integer> LOAD_WARM_UP =
            load(
                    "warm-up",
                    SettingType.wholeNumber(0, ANY),
                    "0",
                    "Requests made first and not counted.");
    static final Setting<Long> LOAD_SEED =
            load(
                    "seed",
                    SettingType.longNumber(Long.MIN_VALUE, Long.MAX_VALUE),
                    "1",
                    "Seed of prompts and arrival times.");
    static final Setting<Path> LOAD_JSON =
            optional(
                    "json",
                    "load.json",
                    SettingType.fileToWrite(),
                    "none",
                    "File for the results, JSON.",
                    LOADING);

    // The simulator.
    static final Setting<Path> SIMULATE_TRACE =
            optional(
                    "trace",
                    "simulate.trace",
                    SettingType.fileToRead(),
                    "generated requests",
                    "Trace to serve: Azure's CSV, Mooncake's or tokenized ShareGPT's JSON lines.",
                    SIMULATING);
    static final Setting<String> SIMULATE_SYNTHETIC =
            optional(
                    "synthetic",
                    "simulate.synthetic",
                    SettingType.text("SPEC"),
                    "requests=1000,arrivals=poisson,rate=10,input=lognormal:1000:0.8,output=lognormal:200:0.8",
                    "How requests are generated: NAME=VALUE by commas, also pairs=FILE and"
                            + " prefixes=GROUPS:TOKENS.",
                    SIMULATING);
    static final Setting<Path> SIMULATE_CLUSTER =
            optional(
                    "cluster",
                    "simulate.cluster",
                    SettingType.fileToRead(),
                    "8 H100s with Llama-3.1-8B, 4 prefill and 4 decode replicas",
                    "Cluster file, YAML; see cluster.yaml.",
                    SIMULATING);
    static final Setting<String> SIMULATE_OPTIONS =
            optional(
                    "options",
                    "simulate.options",
                    SettingType.text("KEY=VALUE,..."),
                    "none",
                    "Options of the core by the keys of a cluster file's scheduler section.",
                    SIMULATING);
    static final Setting<String> SIMULATE_TENANTS =
            optional(
                    "tenants",
                    "simulate.tenants",
                    SettingType.text("NAME:SHARE[:LANE[:CLASS]],..."),
                    "one tenant",
                    "Who sends the requests, in which proportion.",
                    SIMULATING);
    static final Setting<Long> SIMULATE_SEED =
            simulate(
                    "seed",
                    SettingType.longNumber(Long.MIN_VALUE, Long.MAX_VALUE),
                    "1",
                    "Seed of everything that is drawn.");
    static final Setting<Double> SIMULATE_SCALE =
            simulate(
                    "scale",
                    SettingType.decimal(),
                    "1",
                    "Arrival times are divided by this; 2 = twice the rate.");
    static final Setting<Double> SIMULATE_RATE =
            simulate(
                    "rate",
                    SettingType.decimal(),
                    "0",
                    "Mean rate that arrivals are scaled to, requests per second; 0 = as recorded.");
    static final Setting<Boolean> SIMULATE_POISSON =
            simulate(
                    "poisson",
                    SettingType.truth(),
                    "false",
                    "Whether arrival times are drawn anew instead of recorded ones.");
    static final Setting<Long> SIMULATE_REQUESTS =
            simulate(
                    "requests",
                    SettingType.longNumber(0, Long.MAX_VALUE),
                    "0",
                    "Requests of the trace to serve, from its start; 0 = all.");
    static final Setting<Integer> SIMULATE_REPEAT =
            simulate(
                    "repeat",
                    SettingType.wholeNumber(1, 1_000_000),
                    "1",
                    "Passes over the trace; later ones are other texts of the same lengths.");
    static final Setting<Integer> SIMULATE_DEADLINE_MILLIS =
            simulate(
                    "deadline-millis",
                    SettingType.wholeNumber(0, ANY),
                    "0",
                    "Deadline of every request after its arrival, milliseconds; 0 = none.");
    static final Setting<Double> SIMULATE_TTFT_MILLIS =
            simulate(
                    "ttft-millis",
                    SettingType.decimal(),
                    "2000",
                    "Objective for the time to the first token, milliseconds.");
    static final Setting<Double> SIMULATE_TPOT_MILLIS =
            simulate(
                    "tpot-millis",
                    SettingType.decimal(),
                    "100",
                    "Objective for the time per later token, milliseconds.");
    static final Setting<String> SIMULATE_FAULTS =
            simulate(
                    "faults",
                    SettingType.text("LIST"),
                    "none",
                    "What breaks: all, none, or names by commas, such as crash,partition; -NAME"
                            + " takes one out of all.");
    static final Setting<String> SIMULATE_SEEDS =
            optional(
                    "seeds",
                    "simulate.seeds",
                    SettingType.text("FIRST..LAST"),
                    "none: the trace is served",
                    "Runs the small fault scenarios of these seeds instead of a trace, every event"
                            + " checked.",
                    SIMULATING);
    static final Setting<Integer> SIMULATE_THREADS =
            simulate(
                    "threads",
                    SettingType.wholeNumber(1, 256),
                    "1",
                    "Scenarios of --seeds that run at once.");
    static final Setting<Path> SIMULATE_JSON =
            optional(
                    "json",
                    "simulate.json",
                    SettingType.fileToWrite(),
                    "none",
                    "File for the results, JSON.",
                    SIMULATING);
    static final Setting<Path> SIMULATE_PLOTS =
            optional(
                    "plots",
                    "simulate.plots",
                    SettingType.directoryToWrite(),
                    "none",
                    "Folder for plots of TTFT, TPOT and the queue, SVG.",
                    SIMULATING);

    // The template tool.
    static final Setting<Path> TEMPLATE_INPUT =
            optional(
                    "input",
                    "template.input",
                    SettingType.fileToRead(),
                    "standard input",
                    "File with the inputs, JSON lines.",
                    EnumSet.of(TEMPLATE));

    private Settings() {}

    static List<Setting<?>> all() {
        return List.copyOf(ALL);
    }

    /// The settings that a command uses.
    static List<Setting<?>> of(Command command) {
        return ALL.stream().filter(setting -> setting.commands().contains(command)).toList();
    }

    /// Whether a configuration file may hold this key.
    static boolean isKey(String key) {
        return keys().contains(key);
    }

    /// Whether keys of a configuration file begin like this; ends with a dot.
    static boolean isKeyPrefix(String prefix) {
        return keys().stream().anyMatch(key -> key.startsWith(prefix));
    }

    /// The keys that a configuration file may hold.
    static List<String> keys() {
        return ALL.stream().filter(setting -> !setting.equals(CONFIG)).map(Setting::key).toList();
    }

    private static <T> Setting<T> setting(
            String name,
            String key,
            SettingType<T> type,
            String defaultText,
            String description,
            Set<Command> commands) {
        return add(new Setting<>(name, key, type, defaultText, "", description, commands));
    }

    private static <T> Setting<T> optional(
            String name,
            String key,
            SettingType<T> type,
            String defaultNote,
            String description,
            Set<Command> commands) {
        return add(new Setting<>(name, key, type, null, defaultNote, description, commands));
    }

    private static <T> Setting<T> load(
            String name, SettingType<T> type, String defaultText, String description) {
        return setting(name, "load." + name, type, defaultText, description, LOADING);
    }

    private static <T> Setting<T> simulate(
            String name, SettingType<T> type, String defaultText, String description) {
        return setting(name, "simulate." + name, type, defaultText, description, SIMULATING);
    }

    private static <T> Setting<T> add(Setting<T> setting) {
        ALL.add(setting);
        return setting;
    }

    /// All words of the commands in `setting`, for documentation.
    static String commandWords(Setting<?> setting) {
        return Arrays.stream(Command.values())
                .filter(setting.commands()::contains)
                .map(Command::word)
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
    }
}
