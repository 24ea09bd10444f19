package dev.tandem.routing;

import java.util.List;

/// The policies by the names that a configuration uses.
public final class RoutingPolicies {
    public static final String LEAST_LOADED = "least-loaded";
    public static final String WEIGHTED_ROUND_ROBIN = "weighted-round-robin";
    public static final String POWER_OF_TWO = "power-of-two";
    public static final String RING_HASH = "ring-hash";
    public static final String MAGLEV = "maglev";
    public static final String COST = "cost";

    private static final List<String> NAMES =
            List.of(LEAST_LOADED, WEIGHTED_ROUND_ROBIN, POWER_OF_TWO, RING_HASH, MAGLEV, COST);

    private RoutingPolicies() {}

    /// All names.
    public static List<String> names() {
        return NAMES;
    }

    /// @throws IllegalArgumentException no such policy
    public static RoutingPolicy create(String name, RoutingOptions options) {
        return switch (name) {
            case LEAST_LOADED -> new LeastLoaded();
            case WEIGHTED_ROUND_ROBIN -> new WeightedRoundRobin(options.roundRobin());
            case POWER_OF_TWO -> new PowerOfTwoChoices(options.powerOfTwo(), options.seed());
            case RING_HASH ->
                    new RingHash(options.affinity(), options.ringPoints(), options.seed());
            case MAGLEV ->
                    new Maglev(options.affinity(), options.maglevTableSize(), options.seed());
            case COST -> new CostInSeconds(options.cost());
            default -> throw unknown(name);
        };
    }

    static void requireKnown(String name) {
        if (!NAMES.contains(name)) {
            throw unknown(name);
        }
    }

    private static IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException("no routing policy " + name + ", there are " + NAMES);
    }
}
