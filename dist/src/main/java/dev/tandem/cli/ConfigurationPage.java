package dev.tandem.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `docs/configuration.md` and the commented `tandem.yaml`, written from [Settings] so that neither can
/// differ from the program.
final class ConfigurationPage {
    private static final Map<String, String> SECTIONS = sections();

    private ConfigurationPage() {}

    private static Map<String, String> sections() {
        var sections = new LinkedHashMap<String, String>();
        sections.put("", "The process");
        sections.put("model", "The model");
        sections.put("log", "Logs");
        sections.put("serve", "What serve starts");
        sections.put("http", "The HTTP front");
        sections.put("grpc", "The coordinator's gRPC server");
        sections.put("worker", "Workers");
        sections.put("transfer", "Transfer of KV blocks");
        sections.put("tier", "Tiers of evicted KV blocks");
        sections.put("scheduler", "Scheduling");
        sections.put("tenants", "Tenants");
        sections.put("classes", "Workload classes");
        sections.put("recorder", "The flight recorder");
        sections.put("load", "The load generator");
        sections.put("simulate", "The simulator");
        sections.put("template", "The template tool");
        return sections;
    }

    private static Map<String, List<Setting<?>>> bySection() {
        var groups = new LinkedHashMap<String, List<Setting<?>>>();
        SECTIONS.keySet().forEach(section -> groups.put(section, new ArrayList<>()));
        for (Setting<?> setting : Settings.all()) {
            int dot = setting.key().indexOf('.');
            String section =
                    setting.equals(Settings.CONFIG)
                            ? ""
                            : dot < 0 ? setting.key() : setting.key().substring(0, dot);
            List<Setting<?>> group = groups.get(section);
            if (group == null) {
                throw new IllegalStateException("no section for key " + setting.key());
            }
            group.add(setting);
        }
        return groups;
    }

    static String markdown() {
        var page = new StringBuilder();
        page.append(
                """
                # Configuration

                <!-- Generated from the settings' declarations: ./tandem help --markdown > docs/configuration.md -->

                Every setting has a flag, an environment variable and a key in the configuration file. A flag wins over
                the environment, the environment over the file, the file over the default. An unknown flag or key, or a value
                of the wrong kind or out of range, is one line on standard error and exit code 2. Empty variables count as not set.

                The file is YAML and named by `--config FILE` or `TANDEM_CONFIG`; no file is read otherwise. The dots of a key are levels:

                ```yaml
                http:
                  port: 8080
                worker:
                  kv-memory: 4GiB
                ```

                Tenants and workload classes are lists of entries; what an entry leaves out has its default. As a flag or a variable
                such a list is JSON.

                ```yaml
                tenants:
                  - {name: team-a, weight: 3, tokens-per-second: 20000, burst-tokens: 100000, lane-max: interactive}
                  - {name: nightly, lane-max: batch}
                classes:
                  - name: chat
                    routes: [/v1/chat/completions]
                    lane: interactive
                    ttft-millis: 500
                    tpot-millis: 50
                    output-tokens-max: 4096
                    output-tokens-expected: 200
                ```

                One file may serve all commands: each takes the keys that it uses. `serve` gives its processes the values that it
                was given. BYTES is a number of bytes, plain or with KiB, MiB, GiB or TiB.
                """);
        bySection()
                .forEach(
                        (section, settings) -> {
                            page.append("\n## ").append(SECTIONS.get(section)).append("\n\n");
                            page.append("| flag | key | variable | default | what | used by |\n");
                            page.append("|---|---|---|---|---|---|\n");
                            settings.forEach(setting -> page.append(row(setting)));
                        });
        return page.toString();
    }

    private static String row(Setting<?> setting) {
        String label = setting.type().label().replace("|", "\\|");
        String shown = setting.defaultShown();
        String key = setting.equals(Settings.CONFIG) ? "-" : "`" + setting.key() + "`";
        return "| `%s %s` | %s | `%s` | %s | %s | %s |%n"
                .formatted(
                        setting.flag(),
                        label,
                        key,
                        setting.environmentVariable(),
                        setting.defaultText() == null ? shown : "`" + shown + "`",
                        setting.description().replace("|", "\\|"),
                        Settings.commandWords(setting));
    }

    static String yaml() {
        var page = new StringBuilder();
        page.append(
                """
                # Tandem's settings with their defaults. Take away the # in front of a line to change its setting, and start
                # with this file: ./tandem serve --config tandem.yaml
                # Flags and environment variables win over this file; docs/configuration.md lists them.
                """);
        bySection()
                .forEach(
                        (section, settings) -> {
                            if (settings.size() == 1 && settings.getFirst().key().equals(section)) {
                                page.append('\n').append(entries(settings.getFirst()));
                            } else if (!section.isEmpty()) {
                                page.append('\n').append(section).append(":\n");
                                settings.forEach(setting -> page.append(entry(setting)));
                            }
                        });
        return page.toString();
    }

    /// A list of entries with names is a section of its own, and there is no default to show.
    private static String entries(Setting<?> setting) {
        return "# %s%n# %s:%n#   - {name: ...}%n".formatted(setting.description(), setting.key());
    }

    private static String entry(Setting<?> setting) {
        String name = setting.key().substring(setting.key().indexOf('.') + 1);
        String value = setting.defaultText();
        String comment = value == null ? " Default: " + setting.defaultShown() + "." : "";
        String shown = value == null ? setting.type().label() : value;
        return "  # %s%s%n  # %s: %s%n".formatted(setting.description(), comment, name, shown);
    }
}
