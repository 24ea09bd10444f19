package dev.tandem.engine;

import org.junit.jupiter.api.function.ThrowingConsumer;

import java.util.Random;

/// Seeded random tests: the seed is `-Dtandem.seed` when given, else a fixed one; a failure prints how to repeat it.
final class Seeds {
    private static final long DEFAULT = 20260704L;

    private Seeds() {}

    static void run(String test, ThrowingConsumer<Random> body) throws Throwable {
        String given = System.getProperty("tandem.seed", "");
        long seed = given.isBlank() ? DEFAULT : Long.parseLong(given);
        try {
            body.accept(new Random(seed));
        } catch (Throwable failure) {
            throw new AssertionError(
                    "repeat with: mvn -q -B -pl native -am test -Dtest=%s -Dsurefire.failIfNoSpecifiedTests=false -Dtandem.seed=%d"
                            .formatted(test, seed),
                    failure);
        }
    }
}
