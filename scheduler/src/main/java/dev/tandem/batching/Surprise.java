package dev.tandem.batching;

/// How much later than predicted things come: a running estimate of a quantile of `actual - predicted`, never below 0. A
/// promise made with this on top is kept that often.
///
/// Each observation moves the estimate by a part of the mean error: up by `share` when it lay above, down by `1 - share`
/// when below, which comes to rest where a part `share` lies below (Robbins and Monro, *A stochastic approximation method*,
/// 1951). So it needs no memory of the past, and follows a load that changes.
///
/// Not thread-safe; owned by the core.
public final class Surprise {
    private static final double STEP = 0.25;
    private static final double ERROR_WEIGHT = 1.0 / 64;

    private final double share;
    private double quantile;
    private double meanError;

    /// @param share of the observations that should not be later than told, between 0 and 1
    public Surprise(double share) {
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException("share must be between 0 and 1, is " + share);
        }
        this.share = share;
    }

    public void observe(double predictedSeconds, double actualSeconds) {
        double error = actualSeconds - predictedSeconds;
        meanError += ERROR_WEIGHT * (Math.abs(error) - meanError);
        double step = STEP * meanError * (error > quantile ? share : share - 1);
        quantile = Math.max(0, quantile + step);
    }

    /// Seconds to add to a prediction.
    public double seconds() {
        return quantile;
    }
}
