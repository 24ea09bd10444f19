package dev.tandem.core;

/// How much longer than by the book things take of late: a moving average of measured over predicted time, in which one
/// surprise counts little. Owned by the core.
final class LearnedRatio {
    private static final double WEIGHT = 0.125;
    private static final double SURPRISE_MAX = 10;
    private static final double MAX = 100;

    private double value = 1;

    /// What a time by the book is multiplied with.
    double value() {
        return value;
    }

    /// @param predictedSeconds with the ratio as it was then; 0 teaches nothing
    void observe(double seconds, double predictedSeconds) {
        if (predictedSeconds <= 0) {
            return;
        }
        double surprise = Math.clamp(seconds / predictedSeconds, 1 / SURPRISE_MAX, SURPRISE_MAX);
        value += WEIGHT * (Math.clamp(surprise * value, 1 / MAX, MAX) - value);
    }
}
