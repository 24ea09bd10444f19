package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.Set;

/// One setting, declared once in [Settings]: the flag, the key of the configuration file, the
/// environment variable, the help and `docs/configuration.md` all come from here.
///
/// @param name the flag is `--` + name; unique among the settings of a command
/// @param key dotted key in the configuration file; unique
/// @param defaultText what is parsed when nothing is given; null = no value, see [#defaultNote]
/// @param defaultNote what happens without a value, in words; empty when `defaultText` says it all
/// @param description one sentence, with the unit
/// @param commands the commands that use it
record Setting<T>(
        String name,
        String key,
        SettingType<T> type,
        @Nullable String defaultText,
        String defaultNote,
        String description,
        Set<Command> commands) {

    Setting {
        commands = Set.copyOf(commands);
    }

    String flag() {
        return "--" + name;
    }

    /// `TANDEM_STEP_TOKENS_MAX` for `--step-tokens-max`. The settings of tools, whose flags are short
    /// and common words, carry the tool's name too: `TANDEM_LOAD_RATE`.
    String environmentVariable() {
        boolean tool =
                commands.contains(Command.LOAD)
                        || commands.contains(Command.SIMULATE)
                        || commands.contains(Command.TEMPLATE);
        String text = tool && !commands.contains(Command.SERVE) ? key : name;
        return "TANDEM_" + text.replace('-', '_').replace('.', '_').toUpperCase(Locale.ROOT);
    }

    /// The default as documentation shows it.
    String defaultShown() {
        return defaultText == null || !defaultNote.isEmpty() ? defaultNote : defaultText;
    }
}
