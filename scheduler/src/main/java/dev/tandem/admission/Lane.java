package dev.tandem.admission;

/// How soon work has to be served, highest first. Each lane is guaranteed a share of the computed tokens; in overload the
/// lowest lane is shed first.
public enum Lane {
    /// Somebody waits and watches.
    INTERACTIVE,
    DEFAULT,
    /// Nobody watches: it may wait, and it is the first to be shed.
    BATCH;

    /// Number of lanes, the length of arrays indexed by lane.
    static final int COUNT = 3;

    private static final Lane[] LANES = values();

    /// @param ordinal 0 is the highest lane
    static Lane of(int ordinal) {
        return LANES[ordinal];
    }

    public boolean isBelow(Lane other) {
        return ordinal() > other.ordinal();
    }

    /// The lower one of two.
    public Lane atMost(Lane highest) {
        return isBelow(highest) ? this : highest;
    }
}
