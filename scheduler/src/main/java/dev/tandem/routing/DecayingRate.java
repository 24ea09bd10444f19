package dev.tandem.routing;

/// Recent amount per second. The amount and the time that it was gathered over are both halved every half-life, so the
/// rate is right from the first seconds on and old times fade. Exact arithmetic: no exponential function.
final class DecayingRate {
    private static final double NANOS_PER_SECOND = 1e9;

    private final long halfLifeNanos;
    private long lastNanos;
    private boolean started;
    private double amount;
    private double windowNanos;

    DecayingRate(long halfLifeNanos) {
        this.halfLifeNanos = halfLifeNanos;
    }

    void add(double more, long nowNanos) {
        advance(nowNanos);
        amount += more;
    }

    /// @return per second, or 0 while less than a quarter of a half-life has been watched
    double perSecond(long nowNanos) {
        advance(nowNanos);
        return windowNanos * 4 < halfLifeNanos ? 0 : amount * NANOS_PER_SECOND / windowNanos;
    }

    private void advance(long nowNanos) {
        if (!started) {
            started = true;
            lastNanos = nowNanos;
        }
        windowNanos += nowNanos - lastNanos;
        lastNanos = nowNanos;
        while (windowNanos >= 2.0 * halfLifeNanos) { // a factor of two each time: few rounds
            windowNanos /= 2;
            amount /= 2;
        }
    }
}
