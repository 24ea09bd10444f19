package dev.tandem.routing;

/// Raises the weight of a fresh replica as it proves itself, not as time goes by: cold caches, lazy kernels and a clock
/// still rising make the first answers of a worker slow, and a broken one never gets better by waiting.
///
/// Source: Envoy's and nginx's `slow_start` raise the weight by time alone; the steering by outcome is the additive or
/// multiplicative increase of congestion control (Jacobson, SIGCOMM 1988) applied to a weight. A window ends when it has
/// at least `windowObservations` outcomes and has lasted at least `windowMillisMin`. Then
/// ```
/// good  = mean(observed / predicted) <= latencyRatioMax  and  errors / outcomes <= errorRateMax
/// weight = good ? min(1, weight x stepFactor) : max(weightMin, weight / stepFactor)
/// ```
/// At 1 the replica is warm and is not watched any more until it joins again or comes back from ejection.
public final class SlowStart {
    /// @param weightMin weight of a fresh replica, above 0, at most 1; 1 switches slow start off
    /// @param stepFactor above 1
    /// @param windowObservations outcomes in a window, 1 or more
    /// @param windowMillisMin a window lasts at least this long
    /// @param latencyRatioMax a good window's mean of observed / predicted seconds
    /// @param errorRateMax a good window's share of errors
    public record Options(
            double weightMin,
            double stepFactor,
            int windowObservations,
            int windowMillisMin,
            double latencyRatioMax,
            double errorRateMax) {
        public static Options defaults() {
            return new Options(0.1, 2, 8, 1_000, 1.5, 0.05);
        }

        public Options {
            Require.share("slowStart.weightMin", weightMin);
            Require.above("slowStart.stepFactor", stepFactor, 1);
            Require.atLeast("slowStart.windowObservations", windowObservations, 1);
            Require.atLeast("slowStart.windowMillisMin", windowMillisMin, 0);
            Require.above("slowStart.latencyRatioMax", latencyRatioMax, 0);
            Require.between("slowStart.errorRateMax", errorRateMax, 0, 1);
        }
    }

    private final Options options;
    private final long windowNanosMin;

    public SlowStart(Options options) {
        this.options = options;
        this.windowNanosMin = options.windowMillisMin * 1_000_000L;
    }

    /// The replica starts at the least weight.
    public void begin(Health health, long nowNanos) {
        health.weight = options.weightMin;
        openWindow(health, nowNanos);
    }

    /// @param ratio observed / predicted seconds
    public void succeeded(Health health, double ratio, long nowNanos) {
        if (health.weight < 1) {
            health.windowObservations++;
            health.windowRatioSum += ratio;
            closeWindow(health, nowNanos);
        }
    }

    public void failed(Health health, long nowNanos) {
        if (health.weight < 1) {
            health.windowObservations++;
            health.windowErrors++;
            closeWindow(health, nowNanos);
        }
    }

    private void closeWindow(Health health, long nowNanos) {
        if (health.windowObservations < options.windowObservations
                || nowNanos - health.windowStartNanos < windowNanosMin) {
            return;
        }
        int successes = health.windowObservations - health.windowErrors;
        boolean fast =
                successes > 0 && health.windowRatioSum <= options.latencyRatioMax * successes;
        boolean sound = health.windowErrors <= options.errorRateMax * health.windowObservations;
        health.weight =
                fast && sound
                        ? Math.min(1, health.weight * options.stepFactor)
                        : Math.max(options.weightMin, health.weight / options.stepFactor);
        openWindow(health, nowNanos);
    }

    private static void openWindow(Health health, long nowNanos) {
        health.windowStartNanos = nowNanos;
        health.windowObservations = 0;
        health.windowErrors = 0;
        health.windowRatioSum = 0;
    }
}
