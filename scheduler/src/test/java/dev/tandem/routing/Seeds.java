package dev.tandem.routing;

/// The seed of a test's random inputs: `-Dtandem.seed`, or 1.
final class Seeds {
    static final long SEED = Long.getLong("tandem.seed", 1);

    private Seeds() {}

    /// For the message of an assertion: how to see the failure again.
    static String repeat(Class<?> test) {
        return "repeat with: mvn -pl scheduler test -Dtest=%s -Dtandem.seed=%d"
                .formatted(test.getSimpleName(), SEED);
    }
}
