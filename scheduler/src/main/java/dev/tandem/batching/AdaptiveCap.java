package dev.tandem.batching;

/// Holds the TPOT objective by the number of running sequences. A moving average of the step times is compared with the
/// objective once per window of steps:
/// ```
/// above the objective         cap = running x objective / average    (at least one less)
/// below 85 % and cap reached  cap = cap + max(1, cap / 16)
/// between                     cap stays
/// ```
/// Down in proportion to the miss, since a step's time is at most proportional to its sequences; up by small steps (Chiu
/// and Jain, *Analysis of the increase and decrease algorithms*, 1989). A step up changes the time by at most 1/16, which
/// is less than the dead band of 15 %, so the cap comes to rest instead of swinging. After each change a window of steps
/// passes before the next.
public final class AdaptiveCap implements ConcurrencyCap {
    private static final double LOW = 0.85;
    private static final double WEIGHT = 0.125;
    private static final int GROWTH_SHARE = 16;

    private final int sequencesMin;
    private final int sequencesMax;
    private final double objectiveNanos;
    private final int windowSteps;
    private int cap;
    private double averageNanos;
    private int steps;
    private int mostRows;

    /// @param objectiveNanos time from one token to the next
    /// @param windowSteps steps between two changes
    public AdaptiveCap(int sequencesMin, int sequencesMax, double objectiveNanos, int windowSteps) {
        this.sequencesMin = Math.min(sequencesMin, sequencesMax);
        this.sequencesMax = sequencesMax;
        this.objectiveNanos = objectiveNanos;
        this.windowSteps = windowSteps;
        this.cap = sequencesMax;
    }

    @Override
    public int sequences() {
        return cap;
    }

    @Override
    public void observe(int decodeRows, long nanos) {
        averageNanos = steps == 0 ? nanos : averageNanos + WEIGHT * (nanos - averageNanos);
        mostRows = Math.max(mostRows, decodeRows);
        if (++steps < windowSteps) {
            return;
        }
        if (averageNanos > objectiveNanos) {
            int fitting = (int) (Math.min(mostRows, cap) * objectiveNanos / averageNanos);
            cap = Math.max(sequencesMin, Math.min(fitting, cap - 1));
        } else if (averageNanos < LOW * objectiveNanos && mostRows >= cap) {
            cap = Math.min(sequencesMax, cap + Math.max(1, cap / GROWTH_SHARE));
        }
        steps = 0;
        mostRows = 0;
    }
}
