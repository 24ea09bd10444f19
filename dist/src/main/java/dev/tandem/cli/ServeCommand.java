package dev.tandem.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// `tandem serve`: the production topology on one host. It only starts processes, so it stays light:
/// no gRPC, no HTTP, no model.
final class ServeCommand {
    private static final int WORKER_STOP_MILLIS_MAX = 30_000;
    private static final int DRAIN_MARGIN_MILLIS = 30_000;

    private final SettingValues values;
    private final Path model;
    private final ClassArchive archive;

    /// @throws UsageException values that don't go together, or no model
    ServeCommand(SettingValues values) throws UsageException {
        this.values = values;
        this.model = ProcessOptions.model(values);
        this.archive =
                new ClassArchive(
                        Home.folder(),
                        System.getProperty("java.class.path", ""),
                        System.getenv("TANDEM_RECORD_START") != null);
    }

    /// Blocks until SIGTERM or until it can't go on.
    ///
    /// @return exit code
    int run() throws InterruptedException, IOException {
        int port;
        int grpcPort;
        String host = values.get(Settings.HOST);
        String grpcHost = values.get(Settings.GRPC_HOST);
        try (ServerSocket http = bind(Settings.PORT, host, values.get(Settings.PORT));
                ServerSocket grpc = bindGrpc(grpcHost)) {
            port = http.getLocalPort();
            grpcPort = grpc.getLocalPort();
        } catch (PortException e) {
            System.err.println("tandem: " + e.getMessage());
            return 1;
        }
        var supervisor =
                new Supervisor(
                        children(port, grpcPort),
                        settingVariables(),
                        RestartPolicy.DEFAULT,
                        System.out,
                        System.err);
        Signals.onStop(supervisor::stop);
        int code = supervisor.run();
        archive.finish(code == 0 && supervisor.endedWell());
        return code;
    }

    private List<ChildSpec> children(int port, int grpcPort) {
        int prefillWorkers = values.get(Settings.PREFILL_WORKERS);
        int decodeWorkers = values.get(Settings.DECODE_WORKERS);
        var children = new ArrayList<ChildSpec>();
        var flags = new ArrayList<>(values.flagsFor(Command.COORDINATOR));
        replace(flags, Settings.MODEL, model.toString());
        replace(flags, Settings.PORT, Integer.toString(port));
        replace(flags, Settings.GRPC_PORT, Integer.toString(grpcPort));
        children.add(
                new ChildSpec(
                        "coordinator",
                        command(
                                Command.COORDINATOR,
                                List.of(
                                        "-Dtandem.readyWorkers="
                                                + (prefillWorkers + decodeWorkers)),
                                flags),
                        true,
                        values.get(Settings.DRAIN_MILLIS_MAX) + DRAIN_MARGIN_MILLIS));
        for (int i = 0; i < prefillWorkers; i++) {
            children.add(worker(Command.PREFILL_WORKER, "prefill-" + i, grpcPort));
        }
        for (int i = 0; i < decodeWorkers; i++) {
            children.add(worker(Command.DECODE_WORKER, "decode-" + i, grpcPort));
        }
        return children;
    }

    private ChildSpec worker(Command role, String name, int grpcPort) {
        var flags = new ArrayList<>(values.flagsFor(role));
        replace(flags, Settings.MODEL, model.toString());
        replace(flags, Settings.WORKER_NAME, name);
        values.find(Settings.TIER_DISK_DIR)
                .ifPresent(
                        folder ->
                                replace(
                                        flags,
                                        Settings.TIER_DISK_DIR,
                                        folder.resolve(name).toString()));
        replace(
                flags,
                Settings.COORDINATOR_ADDRESS,
                dialable(values.get(Settings.GRPC_HOST)) + ":" + grpcPort);
        return new ChildSpec(name, command(role, List.of(), flags), false, WORKER_STOP_MILLIS_MAX);
    }

    private static void replace(List<String> flags, Setting<?> setting, String value) {
        flags.removeIf(flag -> flag.startsWith(setting.flag() + "="));
        flags.add(setting.flag() + "=" + value);
    }

    private List<String> command(Command role, List<String> properties, List<String> flags) {
        List<String> jvm = JvmFlags.of(role);
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
        command.addAll(jvm);
        command.addAll(archive.flagsFor(role.word(), jvm));
        command.add("-Dtandem.parentWatch=true");
        command.addAll(properties);
        command.add("-cp");
        command.add(System.getProperty("java.class.path", ""));
        command.add(Main.class.getName());
        command.add(role.word());
        command.addAll(flags);
        return command;
    }

    /// The variables that were read here already and arrive at the children as flags.
    private static Set<String> settingVariables() {
        return Settings.all().stream()
                .map(Setting::environmentVariable)
                .collect(Collectors.toUnmodifiableSet());
    }

    /// Where a server that binds to `host` is reached from this host.
    private static String dialable(String host) {
        return switch (host) {
            case "0.0.0.0" -> "127.0.0.1";
            case "::", "[::]" -> "[::1]";
            default -> host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
        };
    }

    /// The gRPC port is for our own workers: when nobody asked for a certain one and the default is
    /// taken, say by another Tandem, any free one does.
    private ServerSocket bindGrpc(String host) throws PortException {
        int port = values.get(Settings.GRPC_PORT);
        try {
            return bind(Settings.GRPC_PORT, host, port);
        } catch (PortException e) {
            if (values.isGiven(Settings.GRPC_PORT)) {
                throw e;
            }
            ServerSocket any = bind(Settings.GRPC_PORT, host, 0);
            System.err.printf(
                    "[serve] port %d is taken; workers use %d instead%n", port, any.getLocalPort());
            return any;
        }
    }

    /// Binds, to find a free port or to learn early that one is taken.
    private static ServerSocket bind(Setting<?> setting, String host, int port)
            throws PortException {
        try {
            return new ServerSocket(port, 1, InetAddress.getByName(host));
        } catch (IOException e) {
            var address = InetSocketAddress.createUnresolved(host, port);
            throw new PortException(
                    "%s %d: can't listen on %s: %s"
                            .formatted(
                                    setting.flag(), port, address.getHostString(), e.getMessage()));
        }
    }

    private static final class PortException extends Exception {
        private static final long serialVersionUID = 1L;

        PortException(String message) {
            super(message);
        }
    }
}
