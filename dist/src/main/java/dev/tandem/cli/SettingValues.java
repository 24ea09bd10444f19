package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The settings of one command after all sources were read: flag over environment over
/// configuration file over default. Immutable; every value was parsed and is in its range.
final class SettingValues {
    /// Where a value comes from. Also the order of precedence, strongest first.
    enum Source {
        FLAG,
        ENVIRONMENT,
        FILE,
        DEFAULT
    }

    private record Entry(String text, Object value, Source source) {}

    private final Map<Setting<?>, Entry> entries;

    private SettingValues(Map<Setting<?>, Entry> entries) {
        this.entries = entries;
    }

    /// Resolves the settings that `command` uses.
    ///
    /// @param flags texts by setting, from the command line
    /// @param environment all variables; those that belong to no setting are ignored, empty ones too
    /// @throws UsageException a value can't be read or is out of range, a key of the file is unknown
    static SettingValues resolve(
            Command command, Map<Setting<?>, String> flags, Map<String, String> environment)
            throws UsageException {
        var entries = new LinkedHashMap<Setting<?>, Entry>();
        var values = new SettingValues(entries);
        ConfigFile file = ConfigFile.EMPTY;
        if (Settings.CONFIG.commands().contains(command)) {
            values.put(Settings.CONFIG, flags, environment, file);
            Optional<java.nio.file.Path> path = values.find(Settings.CONFIG);
            if (path.isPresent()) {
                file = ConfigFile.read(path.get());
            }
        }
        for (Setting<?> setting : Settings.of(command)) {
            if (!setting.equals(Settings.CONFIG)) {
                values.put(setting, flags, environment, file);
            }
        }
        return values;
    }

    private void put(
            Setting<?> setting,
            Map<Setting<?>, String> flags,
            Map<String, String> environment,
            ConfigFile file)
            throws UsageException {
        String variable = setting.environmentVariable();
        String flag = flags.get(setting);
        String inEnvironment = environment.get(variable);
        String inFile = file.texts().get(setting.key());
        if (flag != null) {
            put(setting, flag, Source.FLAG, setting.flag());
        } else if (inEnvironment != null && !inEnvironment.isEmpty()) {
            put(setting, inEnvironment, Source.ENVIRONMENT, variable);
        } else if (inFile != null) {
            put(setting, inFile, Source.FILE, file.name() + ": " + setting.key());
        } else if (setting.defaultText() != null) {
            put(setting, setting.defaultText(), Source.DEFAULT, setting.flag());
        }
    }

    private void put(Setting<?> setting, String text, Source source, String where)
            throws UsageException {
        try {
            entries.put(setting, new Entry(text, setting.type().parse(text), source));
        } catch (IllegalArgumentException e) {
            throw new UsageException(where + " " + e.getMessage());
        }
    }

    /// The value of a setting that has a default.
    ///
    /// @throws IllegalStateException the command does not use it, or there is neither value nor default
    <T> T get(Setting<T> setting) {
        return find(setting)
                .orElseThrow(() -> new IllegalStateException("no value for " + setting.flag()));
    }

    /// The value, or empty when nothing was given and there is no default.
    @SuppressWarnings("unchecked") // put() stored what this setting's own type parsed
    <T> Optional<T> find(Setting<T> setting) {
        Entry entry = entries.get(setting);
        return entry == null ? Optional.empty() : Optional.of((T) entry.value());
    }

    /// Whether someone asked for the value, rather than the default.
    boolean isGiven(Setting<?> setting) {
        @Nullable Entry entry = entries.get(setting);
        return entry != null && entry.source() != Source.DEFAULT;
    }

    Source source(Setting<?> setting) {
        Entry entry = entries.get(setting);
        return entry == null ? Source.DEFAULT : entry.source();
    }

    /// Flags that give another command the same values where it uses the same settings. Only what
    /// was given: the defaults are the same there.
    List<String> flagsFor(Command command) {
        var flags = new ArrayList<String>();
        for (Setting<?> setting : Settings.of(command)) {
            Entry entry = entries.get(setting);
            if (entry != null
                    && entry.source() != Source.DEFAULT
                    && !setting.equals(Settings.CONFIG)) {
                flags.add(setting.flag() + "=" + entry.text());
            }
        }
        return flags;
    }
}
