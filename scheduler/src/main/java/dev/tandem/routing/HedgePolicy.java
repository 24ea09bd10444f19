package dev.tandem.routing;

/// When to start the prefill of a request a second time on another replica: once it has waited longer for its start
/// than `percentile` of the recent requests of its class, and the class's [HedgeBudget] allows. The first that starts
/// goes on, the other is withdrawn.
///
/// Source: Dean & Barroso, "The Tail at Scale" (CACM 2013), hedged requests deferred until the 95th percentile, which
/// bounds the additional load to about 5 %; Finagle's `BackupRequestFilter`. The budget holds when delays drift up and
/// the percentile lags behind.
public final class HedgePolicy {
    /// A hedge is never due.
    public static final long NEVER = Long.MAX_VALUE;

    /// @param percentile of the delay after which a hedge is due, 0.5 to 1
    /// @param observationsMin recent starts (decayed) of a class before it hedges
    /// @param delayMillisMin a hedge never comes earlier
    /// @param halfLifeMillis half-life of the observed delays
    /// @param share hedges per request of a class; 0 = no hedges
    /// @param burst hedges that a class saves up at most
    public record Options(
            double percentile,
            int observationsMin,
            int delayMillisMin,
            int halfLifeMillis,
            double share,
            int burst) {
        public static Options defaults() {
            return new Options(0.95, 100, 20, 60_000, 0.05, 10);
        }

        public Options {
            Require.between("hedge.percentile", percentile, 0.5, 1);
            Require.atLeast("hedge.observationsMin", observationsMin, 1);
            Require.atLeast("hedge.delayMillisMin", delayMillisMin, 0);
            Require.atLeast("hedge.halfLifeMillis", halfLifeMillis, 1);
            Require.between("hedge.share", share, 0, 1);
            Require.atLeast("hedge.burst", burst, 1);
        }
    }

    private static final double NANOS_PER_SECOND = 1e9;

    private final Options options;
    private final HedgeBudget budget;
    private final DecayingHistogram[] delays;
    private final long[] dueNanos;
    private final boolean[] stale;

    /// @param classes number of request classes, numbered from 0
    public HedgePolicy(Options options, int classes) {
        this.options = options;
        this.budget = new HedgeBudget(classes, options.share, options.burst);
        this.delays = new DecayingHistogram[classes];
        this.dueNanos = new long[classes];
        this.stale = new boolean[classes];
        for (int i = 0; i < classes; i++) {
            delays[i] = new DecayingHistogram(-14, 10, options.halfLifeMillis * 1_000_000L);
            dueNanos[i] = NEVER;
        }
    }

    /// A request of the class has been placed for the first time.
    public void requested(int requestClass) {
        budget.deposit(requestClass);
    }

    /// Its prefill has started, on whichever replica was first.
    ///
    /// @param delayNanos since it was first placed
    public void started(int requestClass, long delayNanos, long nowNanos) {
        delays[requestClass].record(delayNanos / NANOS_PER_SECOND, nowNanos);
        stale[requestClass] = true;
    }

    /// @return nanoseconds after the first placement from which on a hedge is due, or [#NEVER]
    public long dueAfterNanos(int requestClass) {
        if (stale[requestClass]) {
            stale[requestClass] = false;
            dueNanos[requestClass] = compute(delays[requestClass]);
        }
        return dueNanos[requestClass];
    }

    /// @param waitedNanos since the first placement, without a start so far
    /// @return whether to place it a second time now; then the budget has paid for it
    public boolean tryHedge(int requestClass, long waitedNanos) {
        return waitedNanos >= dueAfterNanos(requestClass) && budget.tryWithdraw(requestClass);
    }

    private long compute(DecayingHistogram histogram) {
        if (options.share == 0 || histogram.total() < options.observationsMin) {
            return NEVER;
        }
        long nanos = (long) (histogram.quantile(options.percentile, 0) * NANOS_PER_SECOND);
        return Math.max(nanos, options.delayMillisMin * 1_000_000L);
    }
}
