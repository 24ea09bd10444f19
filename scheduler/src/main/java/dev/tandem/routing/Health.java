package dev.tandem.routing;

/// What is remembered of the worker of one name, whatever its incarnation: how long it took compared with the
/// prediction, its errors, how far it has warmed up and whether it is ejected. Owned by the [HealthBook]; written by
/// [SlowStart], [OutlierEjection] and [Router], read by policies.
public final class Health {
    /// Whether requests are sent to the worker.
    public enum State {
        /// Takes requests.
        ADMITTED,
        /// Takes none until its time is up, then one as a probe.
        EJECTED,
        /// One probe is under way; nothing else is sent.
        PROBING
    }

    static final long NO_SEQUENCE = Long.MIN_VALUE;

    /// With fewer outcomes than this, an error rate is taken over this many: one error of one request isn't 100 %.
    private static final double OUTCOMES_MIN = 8;

    /// Fewer observations say nothing of a percentile.
    private static final double OBSERVATIONS_MIN = 4;

    private static final double RECENT_WEIGHT = 0.125;
    private static final double RATIO_MAX = 1024;

    private final String name;
    private final DecayingHistogram ratios;
    private double ratioMean = 1;
    private double errors;
    private double outcomes;
    private double ratioP95 = 1;
    private boolean ratioP95Stale;

    // Membership: see HealthBook.
    int pool;
    int zone;
    double tokensPerSecond;

    /// Joined incarnations of this name: two while a restarted worker's old stream isn't given up yet.
    int present;

    boolean missed;
    long lostNanos;

    // Slow start: see SlowStart.
    double weight = 1;
    long windowStartNanos;
    int windowObservations;
    int windowErrors;
    double windowRatioSum;

    // Ejection: see OutlierEjection.
    State state = State.ADMITTED;
    int consecutiveErrors;
    int timesEjected;
    long ejectedUntilNanos;
    long admittedSinceNanos;
    long probeSequence = NO_SEQUENCE;
    long probeDeadlineNanos;

    Health(String name, long halfLifeNanos) {
        this.name = name;
        this.ratios = new DecayingHistogram(-6, 10, halfLifeNanos);
    }

    public String name() {
        return name;
    }

    /// Number of the pool whose replicas can stand in for this one.
    public int pool() {
        return pool;
    }

    public State state() {
        return state;
    }

    /// Slow start: the part 0..1 of its fair share that the worker should get; 1 = warmed up.
    public double weight() {
        return weight;
    }

    /// 95th percentile of observed / predicted seconds; 1 while too little is known.
    public double latencyP95() {
        if (ratioP95Stale) {
            ratioP95Stale = false;
            ratioP95 = ratios.total() < OBSERVATIONS_MIN ? 1 : ratios.quantile(0.95, 1);
        }
        return ratioP95;
    }

    /// Moving average of observed / predicted seconds, the newest counting 1/8. It moves back towards 1 while nothing
    /// is observed, so a replica that is avoided for its past is tried again.
    public double latencyMean() {
        return ratioMean;
    }

    /// Recent errors / outcomes, 0 to 1.
    public double errorRate() {
        return errors / Math.max(outcomes, OUTCOMES_MIN);
    }

    /// Recent outcomes, decayed.
    double outcomes() {
        return outcomes;
    }

    /// Recent observations of latency, decayed.
    double observations() {
        return ratios.total();
    }

    boolean isPresent() {
        return present > 0;
    }

    /// Observed / predicted, bounded so that one absurd value doesn't spoil the mean for long.
    static double ratio(double predictedSeconds, double observedSeconds) {
        return Math.clamp(observedSeconds / Math.max(predictedSeconds, 1e-6), 0, RATIO_MAX);
    }

    void recordSuccess(double ratio, long nowNanos) {
        decay(nowNanos);
        ratios.record(ratio, nowNanos);
        ratioMean += RECENT_WEIGHT * (ratio - ratioMean);
        ratioP95Stale = true;
        outcomes++;
        consecutiveErrors = 0;
    }

    void recordError(long nowNanos) {
        decay(nowNanos);
        errors++;
        outcomes++;
        consecutiveErrors++;
    }

    /// Lets the past fade: halves the counts once per half-life.
    void decay(long nowNanos) {
        double factor = ratios.decay(nowNanos);
        if (factor == 1) {
            return;
        }
        errors *= factor;
        outcomes *= factor;
        ratioMean = 1 + (ratioMean - 1) * factor;
        ratioP95Stale = true;
    }

    /// After a probe: what led to the ejection doesn't count twice.
    void forgetOutcomes() {
        ratios.clear();
        ratioMean = 1;
        ratioP95 = 1;
        ratioP95Stale = false;
        errors = 0;
        outcomes = 0;
        consecutiveErrors = 0;
    }
}
