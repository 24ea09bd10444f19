package dev.tandem.sim.workload;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Reads a synthetic trace from one text, as a command line gives it: `name=value` by commas, values with colons.
///
/// | name | values | default |
/// |---|---|---|
/// | `requests` | N | 1000 |
/// | `arrivals` | `poisson`, `constant`, `gamma:CV`, `on-off:ON_SECONDS:OFF_SECONDS` | `poisson` |
/// | `rate` | requests per second | 10 |
/// | `input`, `output` | `fixed:N`, `uniform:MIN:MAX`, `lognormal:MEDIAN:SIGMA[:MAX]` | `lognormal:1000:0.8`, `lognormal:200:0.8` |
/// | `pairs` | a CSV file with both lengths, in place of `input` and `output` | none |
/// | `prefixes` | `GROUPS:TOKENS[:ZIPF_EXPONENT[:SHARE]]` | none |
public final class SyntheticSpec {
    private static final int LENGTH_MAX = 131_072;

    private final Map<String, String> values = new LinkedHashMap<>();

    private SyntheticSpec() {
        values.put("requests", "1000");
        values.put("arrivals", "poisson");
        values.put("rate", "10");
        values.put("input", "lognormal:1000:0.8");
        values.put("output", "lognormal:200:0.8");
        values.put("pairs", "");
        values.put("prefixes", "");
    }

    /// @throws IllegalArgumentException an unknown name or a value that can't be; one line says which
    /// @throws TraceException the file of pairs can't be read
    public static SyntheticTrace parse(String text, long seed) {
        var spec = new SyntheticSpec();
        for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? part.strip() : part.substring(0, equals).strip();
            if (equals < 0 || !spec.values.containsKey(name)) {
                throw new IllegalArgumentException(
                        "\"%s\" is none of NAME=VALUE with the names %s"
                                .formatted(part.strip(), String.join(", ", spec.values.keySet())));
            }
            spec.values.put(name, part.substring(equals + 1).strip());
        }
        return spec.build(text, seed);
    }

    private SyntheticTrace build(String text, long seed) {
        String pairs = value("pairs");
        return new SyntheticTrace(
                "synthetic" + (text.isBlank() ? "" : " " + text),
                (long) number("requests", value("requests")),
                arrivals(),
                lengths("input"),
                lengths("output"),
                pairs.isEmpty() ? null : Lengths.Pairs.read(Path.of(pairs)),
                prefixes(),
                seed);
    }

    private String value(String name) {
        return values.getOrDefault(name, "");
    }

    private ArrivalProcess arrivals() {
        double rate = number("rate", value("rate"));
        String[] fields = value("arrivals").split(":", -1);
        String shape = fields[0] + ":" + (fields.length - 1);
        return switch (shape) {
            case "poisson:0" -> new ArrivalProcess.Poisson(rate);
            case "constant:0" -> new ArrivalProcess.Constant(rate);
            case "gamma:1" -> new ArrivalProcess.Gamma(rate, number("arrivals", fields[1]));
            case "on-off:2" ->
                    new ArrivalProcess.OnOff(
                            rate, number("arrivals", fields[1]), number("arrivals", fields[2]));
            default ->
                    throw wrong(
                            "arrivals", "poisson, constant, gamma:CV or on-off:SECONDS:SECONDS");
        };
    }

    private Lengths lengths(String name) {
        String[] fields = value(name).split(":", -1);
        String shape = fields[0] + ":" + (fields.length - 1);
        return switch (shape) {
            case "fixed:1" -> new Lengths.Fixed((int) number(name, fields[1]));
            case "uniform:2" ->
                    new Lengths.Uniform(
                            (int) number(name, fields[1]), (int) number(name, fields[2]));
            case "lognormal:2", "lognormal:3" ->
                    new Lengths.Lognormal(
                            number(name, fields[1]),
                            number(name, fields[2]),
                            fields.length == 4 ? (int) number(name, fields[3]) : LENGTH_MAX);
            default ->
                    throw wrong(name, "fixed:N, uniform:MIN:MAX or lognormal:MEDIAN:SIGMA[:MAX]");
        };
    }

    private SyntheticTrace.SharedPrefixes prefixes() {
        String text = value("prefixes");
        if (text.isEmpty()) {
            return SyntheticTrace.SharedPrefixes.none();
        }
        String[] fields = text.split(":", -1);
        if (fields.length < 2 || fields.length > 4) {
            throw wrong("prefixes", "GROUPS:TOKENS[:ZIPF_EXPONENT[:SHARE]]");
        }
        return new SyntheticTrace.SharedPrefixes(
                (int) number("prefixes", fields[0]),
                (int) number("prefixes", fields[1]),
                fields.length > 2 ? number("prefixes", fields[2]) : 1,
                fields.length > 3 ? number("prefixes", fields[3]) : 1);
    }

    private static double number(String name, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "%s: \"%s\" is not a number".formatted(name, text), e);
        }
    }

    private IllegalArgumentException wrong(String name, String rule) {
        return new IllegalArgumentException(
                "%s must be %s, is \"%s\"".formatted(name, rule, value(name)));
    }
}
