package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The grammar of the command line, built from [Command] and [Settings] without reflection, and its
/// help. Values stay texts here; [SettingValues] reads them.
final class CommandLineParser {
    private static final int HELP_COLUMNS = 110;

    /// What was typed.
    ///
    /// @param command which command; null when only `--help` or `--version` was given
    /// @param argument the argument that is no flag, if any
    /// @param help whether help on the command was asked for
    /// @param version whether the version was asked for
    /// @param words flags of `help` that produce documentation, such as `--markdown`
    record Parsed(
            @Nullable Command command,
            Map<Setting<?>, String> flags,
            @Nullable String argument,
            boolean help,
            boolean version,
            List<String> words) {}

    private final CommandLine root;

    CommandLineParser() {
        CommandSpec spec = CommandSpec.create().name("tandem");
        spec.usageMessage()
                .description("Tandem, a serving tier for large language models.")
                .synopsisSubcommandLabel("COMMAND")
                .footer("", "`tandem help COMMAND` lists the settings of a command.")
                .width(HELP_COLUMNS);
        spec.addOption(helpOption());
        spec.addOption(flag("--version", "Prints the version.").versionHelp(true).build());
        for (Command command : Command.values()) {
            spec.addSubcommand(command.word(), specOf(command));
        }
        root = new CommandLine(spec);
        root.setExpandAtFiles(false);
    }

    private static OptionSpec helpOption() {
        return OptionSpec.builder("-h", "--help")
                .arity("0")
                .type(Boolean.class)
                .usageHelp(true)
                .description("Prints this help.")
                .build();
    }

    private static OptionSpec.Builder flag(String name, String description) {
        return OptionSpec.builder(name).arity("0").type(Boolean.class).description(description);
    }

    private static CommandSpec specOf(Command command) {
        CommandSpec spec = CommandSpec.create().name(command.word());
        spec.usageMessage()
                .description(command.description())
                .sortOptions(false)
                .abbreviateSynopsis(true)
                .width(HELP_COLUMNS)
                .footer(
                        Settings.of(command).isEmpty()
                                ? new String[0]
                                : new String[] {
                                    "",
                                    "Every flag has a key in the file of --config and an"
                                            + " environment variable: see docs/configuration.md."
                                });
        spec.addOption(helpOption());
        String argument = command.argument();
        if (argument != null) {
            boolean required = command == Command.TEMPLATE || command == Command.REPLAY;
            spec.addPositional(
                    PositionalParamSpec.builder()
                            .index("0")
                            .arity(required ? "1" : "0..1")
                            .type(String.class)
                            .paramLabel(argument)
                            .build());
        }
        if (command == Command.HELP) {
            spec.addOption(flag("--markdown", "").hidden(true).build());
            spec.addOption(flag("--yaml", "").hidden(true).build());
        }
        for (Setting<?> setting : Settings.of(command)) {
            spec.addOption(option(setting));
        }
        return spec;
    }

    private static OptionSpec option(Setting<?> setting) {
        String shown = setting.defaultShown();
        String text = setting.description() + (shown.isEmpty() ? "" : " Default: " + shown + ".");
        OptionSpec.Builder option =
                OptionSpec.builder(setting.flag())
                        .type(String.class)
                        .paramLabel(setting.type().label())
                        .description(text.replace("%", "%%"));
        if ("true|false".equals(setting.type().label())) {
            return option.arity("0..1").fallbackValue("true").build();
        }
        return option.arity("1").build();
    }

    /// Parses a command line.
    ///
    /// @throws UsageException an unknown command or flag, a flag without its value or given twice
    Parsed parse(String... args) throws UsageException {
        ParseResult result;
        try {
            result = root.parseArgs(args);
        } catch (UnmatchedArgumentException e) {
            String word = e.getUnmatched().isEmpty() ? "" : e.getUnmatched().getFirst();
            boolean flag = word.startsWith("-");
            boolean top = e.getCommandLine() == root;
            String kind = flag ? "unknown flag " : top ? "unknown command " : "unknown argument ";
            List<String> candidates =
                    flag
                            ? e.getCommandLine().getCommandSpec().options().stream()
                                    .filter(option -> !option.hidden())
                                    .map(OptionSpec::longestName)
                                    .toList()
                            : top ? List.copyOf(root.getSubcommands().keySet()) : List.of();
            String typed = word.split("=", 2)[0];
            String nearest = Nearest.of(typed, candidates);
            String hint =
                    nearest.isEmpty()
                            ? "; see tandem help" + (top ? "" : " " + name(e))
                            : "; did you mean " + nearest + "?";
            throw new UsageException((top ? "" : name(e) + ": ") + kind + typed + hint);
        } catch (ParameterException e) {
            String name = e.getCommandLine() == root ? "" : name(e) + ": ";
            throw new UsageException(name + e.getMessage());
        }
        return parsed(result);
    }

    private static String name(ParameterException e) {
        return e.getCommandLine().getCommandName();
    }

    private static Parsed parsed(ParseResult result) {
        if (!result.hasSubcommand()) {
            return new Parsed(
                    null,
                    Map.of(),
                    null,
                    result.isUsageHelpRequested(),
                    result.isVersionHelpRequested(),
                    List.of());
        }
        ParseResult sub = result.subcommand();
        Command command = Command.ofWord(sub.commandSpec().name());
        var flags = new HashMap<Setting<?>, String>();
        if (command != null) {
            for (Setting<?> setting : Settings.of(command)) {
                String text = sub.matchedOptionValue(setting.flag(), null);
                if (text != null) {
                    flags.put(setting, text);
                }
            }
        }
        List<String> words =
                sub.matchedOptions().stream()
                        .filter(OptionSpec::hidden)
                        .map(OptionSpec::longestName)
                        .toList();
        return new Parsed(
                command,
                flags,
                sub.matchedPositionalValue(0, null),
                sub.isUsageHelpRequested(),
                false,
                words);
    }

    /// The help of one command, or of all with null.
    String help(@Nullable Command command) {
        CommandLine line = command == null ? root : root.getSubcommands().get(command.word());
        return Objects.requireNonNull(line).getUsageMessage(CommandLine.Help.Ansi.OFF);
    }
}
