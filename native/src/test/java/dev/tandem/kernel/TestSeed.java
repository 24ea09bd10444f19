package dev.tandem.kernel;

import java.util.Random;

/// The seed of randomised tests: a fixed one, or that of `-Dtandem.seed`.
public final class TestSeed {
    private static final String GIVEN = System.getProperty("tandem.seed", "");
    private static final long SEED = GIVEN.isBlank() ? 20260714 : Long.parseLong(GIVEN);

    private TestSeed() {}

    public static Random random() {
        return new Random(SEED);
    }

    /// For the message of an assertion: how to run the test again with the same numbers.
    public static String repeat(Class<?> test) {
        return "repeat with: mvn -pl native -am test -Dtest=%s -Dsurefire.failIfNoSpecifiedTests=false -Dtandem.seed=%d"
                .formatted(test.getSimpleName(), SEED);
    }

    public static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
