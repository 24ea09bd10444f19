package dev.tandem.cli;

import dev.tandem.coordinator.CoordinatorOptions;
import dev.tandem.engine.TransferOptions;
import dev.tandem.engine.WorkerOptions;
import dev.tandem.kv.tier.TierOptions;
import dev.tandem.load.LoadOptions;
import dev.tandem.record.RecorderOptions;
import dev.tandem.transport.TransferSecurity;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/// From settings to the options that each process is started with.
final class ProcessOptions {
    private static final long LOAD_REQUEST_MILLIS_MAX = 600_000;
    private static final int LOAD_IN_FLIGHT_MAX = 4096;

    private ProcessOptions() {}

    static CoordinatorOptions coordinator(SettingValues values) throws UsageException {
        int heartbeatMillis = values.get(Settings.HEARTBEAT_MILLIS);
        int heartbeatLostMillis = values.get(Settings.HEARTBEAT_LOST_MILLIS);
        if (heartbeatLostMillis <= heartbeatMillis) {
            throw new UsageException(
                    "%s must be more than %s, which is %d, is %d"
                            .formatted(
                                    Settings.HEARTBEAT_LOST_MILLIS.flag(),
                                    Settings.HEARTBEAT_MILLIS.flag(),
                                    heartbeatMillis,
                                    heartbeatLostMillis));
        }
        return new CoordinatorOptions(
                model(values),
                values.find(Settings.MODEL_NAME).orElse(""),
                values.get(Settings.HOST),
                values.get(Settings.PORT),
                values.get(Settings.GRPC_HOST),
                values.get(Settings.GRPC_PORT),
                values.get(Settings.BODY_BYTES_MAX),
                heartbeatMillis,
                heartbeatLostMillis,
                values.get(Settings.DRAIN_MILLIS_MAX),
                SchedulerSettings.options(values),
                recorder(values));
    }

    private static @Nullable RecorderOptions recorder(SettingValues values) {
        Path dir = values.find(Settings.RECORDER_DIR).orElse(null);
        return dir == null
                ? null
                : new RecorderOptions(
                        dir,
                        values.get(Settings.RECORDER_FILE_BYTES_MAX),
                        values.get(Settings.RECORDER_FILES_MAX));
    }

    static WorkerOptions worker(SettingValues values, WorkerRole role) throws UsageException {
        SettingType.HostPort coordinator = values.get(Settings.COORDINATOR_ADDRESS);
        String name = values.find(Settings.WORKER_NAME).orElseGet(() -> workerName(role));
        return new WorkerOptions(
                name,
                role,
                model(values),
                coordinator.host(),
                coordinator.port(),
                values.get(Settings.TRANSFER_HOST),
                values.get(Settings.TRANSFER_PORT),
                values.find(Settings.ZONE).orElse(""),
                values.get(Settings.DEVICE),
                values.get(Settings.KV_MEMORY),
                values.get(Settings.BLOCK_TOKENS),
                values.get(SchedulerSettings.SEQUENCES_MAX),
                values.get(SchedulerSettings.STEP_TOKENS_MAX),
                values.get(Settings.THREADS),
                values.get(Settings.TRANSPORTS).stream().map(ProcessOptions::transport).toList(),
                transfer(values),
                new TierOptions(
                        values.get(Settings.TIER_HOST_BYTES),
                        values.find(Settings.TIER_DISK_DIR).orElse(null),
                        values.get(Settings.TIER_DISK_BYTES)));
    }

    private static TransferOptions transfer(SettingValues values) throws UsageException {
        try {
            return new TransferOptions(
                    values.get(Settings.TRANSFER_GROUP_LAYERS),
                    values.get(Settings.TRANSFER_CONNECTIONS),
                    new TransferSecurity(
                            values.find(Settings.TRANSFER_TLS_CERTIFICATES).orElse(null),
                            values.find(Settings.TRANSFER_TLS_KEY).orElse(null),
                            values.find(Settings.TRANSFER_TLS_TRUSTED).orElse(null),
                            values.get(Settings.TRANSFER_TLS_MUTUAL)));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    static LoadOptions load(SettingValues values) throws UsageException {
        int concurrency = values.get(Settings.LOAD_CONCURRENCY);
        double rate = values.get(Settings.LOAD_RATE);
        Path trace = values.find(Settings.LOAD_TRACE).orElse(null);
        Path prompts = values.find(Settings.LOAD_PROMPTS).orElse(null);
        try {
            LoadOptions.Arrivals arrivals;
            if (trace != null) {
                arrivals =
                        new LoadOptions.Arrivals.Replay(
                                trace, values.get(Settings.LOAD_TIME_SCALE));
            } else if (rate > 0) {
                arrivals = new LoadOptions.Arrivals.OpenLoop(rate);
            } else {
                arrivals = new LoadOptions.Arrivals.ClosedLoop(concurrency);
            }
            return new LoadOptions(
                    URI.create(values.get(Settings.LOAD_URL)),
                    values.get(Settings.LOAD_ENDPOINT).equals("chat")
                            ? LoadOptions.Endpoint.CHAT
                            : LoadOptions.Endpoint.COMPLETIONS,
                    values.find(Settings.LOAD_MODEL).orElse(null),
                    values.find(Settings.LOAD_API_KEY).orElse(null),
                    arrivals,
                    prompts != null
                            ? new LoadOptions.Prompts.FromFile(prompts)
                            : new LoadOptions.Prompts.Synthetic(
                                    values.get(Settings.LOAD_PROMPT_TOKENS)),
                    values.get(Settings.LOAD_REQUESTS),
                    values.get(Settings.LOAD_SECONDS),
                    values.get(Settings.LOAD_MAX_TOKENS),
                    values.get(Settings.LOAD_IGNORE_EOS),
                    values.get(Settings.LOAD_WARM_UP),
                    LOAD_REQUEST_MILLIS_MAX,
                    Math.max(concurrency, LOAD_IN_FLIGHT_MAX),
                    values.get(Settings.LOAD_SEED),
                    System.console() != null,
                    values.find(Settings.LOAD_JSON).orElse(null));
        } catch (IllegalArgumentException e) {
            throw new UsageException("load: " + e.getMessage());
        }
    }

    /// The model folder that was asked for, else the model that comes along.
    static Path model(SettingValues values) throws UsageException {
        Path model = values.find(Settings.MODEL).orElse(null);
        if (model == null) {
            Path home = Home.folder();
            if (home == null) {
                throw new UsageException(
                        "--model is needed: TANDEM_HOME, where the default model would be, is not"
                                + " set");
            }
            model = home.resolve("models", "tandem-tiny");
        }
        if (!Files.isRegularFile(model.resolve("config.json"))) {
            throw new UsageException("--model " + model + " is no model folder: no config.json");
        }
        return model;
    }

    private static TransportKind transport(String word) {
        return switch (word) {
            case "shared-memory" -> TransportKind.TRANSPORT_KIND_SHARED_MEMORY;
            case "ucx" -> TransportKind.TRANSPORT_KIND_UCX;
            case "grpc" -> TransportKind.TRANSPORT_KIND_GRPC;
            default -> throw new IllegalArgumentException("unknown transport " + word);
        };
    }

    private static String workerName(WorkerRole role) {
        String kind = role == WorkerRole.WORKER_ROLE_PREFILL ? "prefill" : "decode";
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            host = "localhost"; // a host that can't resolve its own name
        }
        return kind + "-" + host + "-" + ProcessHandle.current().pid();
    }
}
