package dev.tandem.routing;

/// Checks of configured values; each says the name, the rule and the value.
final class Require {
    private Require() {}

    static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    name + " must be at least " + least + ", is " + value);
        }
    }

    /// NaN is refused too, here and below.
    static void above(String name, double value, double least) {
        if (!(value > least && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + " must be above " + least + ", is " + value);
        }
    }

    static void between(String name, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException(
                    name + " must be from " + least + " to " + most + ", is " + value);
        }
    }

    /// Above 0, at most 1.
    static void share(String name, double value) {
        if (!(value > 0 && value <= 1)) {
            throw new IllegalArgumentException(
                    name + " must be above 0 and at most 1, is " + value);
        }
    }
}
