package dev.tandem.cli;

import dev.tandem.sim.command.SimulateOptions;
import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.report.Objective;

import java.util.LinkedHashMap;
import java.util.Map;

/// From settings to what `simulate` is asked for.
final class SimulateFlags {
    private SimulateFlags() {}

    static SimulateOptions options(SettingValues values) throws UsageException {
        try {
            return new SimulateOptions(
                    values.find(Settings.SIMULATE_TRACE).orElse(null),
                    values.find(Settings.SIMULATE_SYNTHETIC).orElse(""),
                    values.find(Settings.SIMULATE_CLUSTER).orElse(null),
                    pairs(values.find(Settings.SIMULATE_OPTIONS).orElse("")),
                    values.find(Settings.SIMULATE_TENANTS).orElse(""),
                    values.get(Settings.SIMULATE_SEED),
                    values.get(Settings.SIMULATE_SCALE),
                    values.get(Settings.SIMULATE_RATE),
                    values.get(Settings.SIMULATE_POISSON),
                    values.get(Settings.SIMULATE_REQUESTS),
                    values.get(Settings.SIMULATE_REPEAT),
                    values.get(Settings.SIMULATE_DEADLINE_MILLIS),
                    new Objective(
                            values.get(Settings.SIMULATE_TTFT_MILLIS),
                            values.get(Settings.SIMULATE_TPOT_MILLIS)),
                    values.find(Settings.SIMULATE_JSON).orElse(null),
                    values.find(Settings.SIMULATE_PLOTS).orElse(null),
                    FaultKind.parse(values.get(Settings.SIMULATE_FAULTS)),
                    values.find(Settings.SIMULATE_SEEDS).orElse(""),
                    values.get(Settings.SIMULATE_THREADS),
                    System.console() != null);
        } catch (IllegalArgumentException e) {
            throw new UsageException("simulate: " + e.getMessage());
        }
    }

    /// `a=1,b=2,3` is a = `1` and b = `2,3`.
    private static Map<String, String> pairs(String text) throws UsageException {
        var pairs = new LinkedHashMap<String, String>();
        String last = null;
        for (String part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals > 0) {
                last = part.substring(0, equals).strip();
                pairs.put(last, part.substring(equals + 1).strip());
            } else if (last != null) {
                pairs.merge(last, part.strip(), (a, b) -> a + "," + b);
            } else {
                throw new UsageException(
                        Settings.SIMULATE_OPTIONS.flag()
                                + " must be KEY=VALUE by commas, is \""
                                + text
                                + "\"");
            }
        }
        return pairs;
    }
}
