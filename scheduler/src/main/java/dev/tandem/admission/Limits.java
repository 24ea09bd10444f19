package dev.tandem.admission;

/// Checks of configured values: one clear line for what is wrong.
final class Limits {
    private Limits() {}

    static void requireAtLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "%s must be at least %d, is %d".formatted(name, least, value));
        }
    }

    /// Not NaN, not infinite, more than 0.
    static void requirePositive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    "%s must be a number above 0, is %s".formatted(name, value));
        }
    }

    static void requireNotNegative(String name, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(
                    "%s must be a number of at least 0, is %s".formatted(name, value));
        }
    }
}
