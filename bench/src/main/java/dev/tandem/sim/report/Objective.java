package dev.tandem.sim.report;

/// A service-level objective: both bounds hold, or it is not met.
public record Objective(double ttftMillis, double tpotMillis) {
    public Objective {
        if (!(ttftMillis > 0) || !(tpotMillis > 0)) {
            throw new IllegalArgumentException(
                    "an objective needs TTFT and TPOT above 0 ms, has %s and %s"
                            .formatted(ttftMillis, tpotMillis));
        }
    }

    boolean isMet(long ttftNanos, double tpotNanos) {
        return ttftNanos <= ttftMillis * 1e6 && tpotNanos <= tpotMillis * 1e6;
    }

    /// `TTFT 500 ms, TPOT 30 ms`.
    public String label() {
        return "TTFT %s ms, TPOT %s ms".formatted(plain(ttftMillis), plain(tpotMillis));
    }

    static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
