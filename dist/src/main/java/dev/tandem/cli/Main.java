package dev.tandem.cli;

import dev.tandem.coordinator.CoordinatorProcess;
import dev.tandem.decode.DecodeWorker;
import dev.tandem.load.LoadGenerator;
import dev.tandem.load.LoadOptions;
import dev.tandem.load.LoadReport;
import dev.tandem.prefill.PrefillWorker;
import dev.tandem.record.Replay;
import dev.tandem.sim.command.SimulateCommand;
import dev.tandem.template.TemplateLines;
import dev.tandem.wire.WorkerRole;

import org.jspecify.annotations.Nullable;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Properties;

/// The entry of all commands. Exit codes: 0 done, 1 failed, 2 used wrongly (one line says how).
public final class Main {
    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private Main() {}

    /// Runs one command and exits with its code.
    ///
    /// @param args the command and its flags
    public static void main(String[] args) {
        System.exit(run(args));
    }

    private static int run(String[] args) {
        try {
            var parser = new CommandLineParser();
            CommandLineParser.Parsed parsed = parser.parse(args);
            Command command = parsed.command();
            if (parsed.version()) {
                return version();
            }
            if (command == null && !parsed.help()) {
                System.err.print(parser.help(null));
                return USAGE;
            }
            if (command == null || parsed.help()) {
                System.out.print(parser.help(command));
                return 0;
            }
            return run(parser, command, parsed);
        } catch (UsageException e) {
            System.err.println("tandem: " + e.getMessage());
            return USAGE;
        } catch (Exception e) {
            System.err.println("tandem: " + describe(e));
            if (Boolean.getBoolean("tandem.traces")) {
                e.printStackTrace();
            }
            return FAILED;
        }
    }

    private static int run(
            CommandLineParser parser, Command command, CommandLineParser.Parsed parsed)
            throws Exception {
        SettingValues values = SettingValues.resolve(command, parsed.flags(), System.getenv());
        values.find(Settings.LOG_LEVEL)
                .ifPresent(level -> System.setProperty("tandem.logLevel", level));
        return switch (command) {
            case SERVE -> new ServeCommand(values).run();
            case COORDINATOR -> {
                var options = ProcessOptions.coordinator(values);
                yield CoordinatorProcess.run(options);
            }
            case PREFILL_WORKER -> {
                var options = ProcessOptions.worker(values, WorkerRole.WORKER_ROLE_PREFILL);
                yield PrefillWorker.run(options);
            }
            case DECODE_WORKER -> {
                var options = ProcessOptions.worker(values, WorkerRole.WORKER_ROLE_DECODE);
                yield DecodeWorker.run(options);
            }
            case LOAD -> load(ProcessOptions.load(values));
            case SIMULATE ->
                    SimulateCommand.run(SimulateFlags.options(values), System.out, System.err);
            case REPLAY ->
                    Replay.run(Path.of(String.valueOf(parsed.argument())), System.out, System.err);
            case TEMPLATE ->
                    template(
                            Path.of(String.valueOf(parsed.argument())),
                            values.find(Settings.TEMPLATE_INPUT).orElse(null));
            case VERSION -> version();
            case HELP -> help(parser, parsed);
        };
    }

    private static int load(LoadOptions options) throws IOException, InterruptedException {
        LoadReport report = LoadGenerator.run(options, System.err);
        System.out.print(report.table());
        return report.exitCode();
    }

    /// JSON lines are UTF-8 whatever the terminal's encoding is.
    private static int template(Path fileOrDir, @Nullable Path input) {
        var bytes = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
        try (var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            return TemplateLines.run(fileOrDir, input, System.in, out, System.err);
        }
    }

    private static int help(CommandLineParser parser, CommandLineParser.Parsed parsed)
            throws UsageException {
        if (parsed.words().contains("--markdown")) {
            System.out.print(ConfigurationPage.markdown());
            return 0;
        }
        if (parsed.words().contains("--yaml")) {
            System.out.print(ConfigurationPage.yaml());
            return 0;
        }
        String word = parsed.argument();
        @Nullable Command about = word == null ? null : Command.ofWord(word);
        if (word != null && about == null) {
            throw new UsageException("help: unknown command " + word + "; see tandem help");
        }
        System.out.print(parser.help(about));
        return 0;
    }

    private static int version() throws IOException {
        var properties = new Properties();
        try (InputStream in = Main.class.getResourceAsStream("version.properties")) {
            if (in == null) {
                throw new IOException("version.properties is missing from the class path");
            }
            properties.load(in);
        }
        System.out.printf(
                "tandem %s (Java %s)%n", properties.getProperty("version"), Runtime.version());
        return 0;
    }

    private static String describe(Throwable e) {
        String message = e.getMessage();
        return message == null || message.isBlank()
                ? e.getClass().getName()
                : message.lines().findFirst().orElse(message);
    }
}
