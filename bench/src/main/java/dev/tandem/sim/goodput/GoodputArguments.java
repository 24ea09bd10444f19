package dev.tandem.sim.goodput;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `--name value` pairs with their defaults; some may be given several times.
final class GoodputArguments {
    private static final Map<String, String> DEFAULTS = new LinkedHashMap<>();

    static {
        DEFAULTS.put("trace", "");
        DEFAULTS.put("synthetic", "");
        DEFAULTS.put("cluster", "");
        DEFAULTS.put("block-tokens", "0");
        DEFAULTS.put("requests", "0");
        DEFAULTS.put("poisson", "false");
        DEFAULTS.put("seed", "1");
        DEFAULTS.put("ttft-millis", "250,500,2000");
        DEFAULTS.put("tpot-millis", "25,50,100");
        DEFAULTS.put("share", "0.9");
        DEFAULTS.put("chunks", "256,512,1024,2048,4096,8192");
        DEFAULTS.put("splits", "0,1,2,3,4,5,6,7");
        DEFAULTS.put("adaptive-splits", "4");
        DEFAULTS.put("only", "all");
        DEFAULTS.put("scenarios", "");
        DEFAULTS.put("cell", "4");
        DEFAULTS.put("threads", "1");
        DEFAULTS.put("state", "");
        DEFAULTS.put("json", "");
        DEFAULTS.put("markdown", "");
        DEFAULTS.put("plots", "");
        DEFAULTS.put("rate", "0");
    }

    private final Map<String, String> values = new LinkedHashMap<>(DEFAULTS);
    private final Map<String, String> statics = new LinkedHashMap<>();
    private final Map<String, String> adaptives = new LinkedHashMap<>();

    /// @throws IllegalArgumentException an unknown name or a missing value
    GoodputArguments(String... arguments) {
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i].startsWith("--") ? arguments[i].substring(2) : "";
            if (i + 1 == arguments.length) {
                throw new IllegalArgumentException(arguments[i] + " has no value");
            }
            String value = arguments[i + 1];
            switch (name) {
                case "static" -> put(statics, value);
                case "adaptive" -> put(adaptives, value);
                default -> {
                    if (!values.containsKey(name)) {
                        throw new IllegalArgumentException(
                                "unknown argument %s; there are --%s, --static KEY=VALUE, --adaptive KEY=VALUE"
                                        .formatted(
                                                arguments[i],
                                                String.join(", --", values.keySet())));
                    }
                    values.put(name, value);
                }
            }
        }
    }

    private static void put(Map<String, String> map, String value) {
        int equals = value.indexOf('=');
        if (equals < 1) {
            throw new IllegalArgumentException("\"" + value + "\" is not KEY=VALUE");
        }
        map.put(value.substring(0, equals), value.substring(equals + 1));
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalStateException(name);
        }
        return value;
    }

    boolean has(String name) {
        return !text(name).isEmpty();
    }

    double number(String name) {
        return number(name, text(name));
    }

    private static double number(String name, String text) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "--%s: \"%s\" is not a number".formatted(name, text), e);
        }
    }

    List<Double> numbers(String name) {
        List<Double> numbers = new ArrayList<>();
        for (String part : text(name).isBlank() ? new String[0] : text(name).split(",", -1)) {
            numbers.add(number(name, part));
        }
        return numbers;
    }

    /// Options of the static choices, by key.
    Map<String, String> statics() {
        return statics;
    }

    /// Options of the adaptive choice, by key.
    Map<String, String> adaptives() {
        return adaptives;
    }
}
