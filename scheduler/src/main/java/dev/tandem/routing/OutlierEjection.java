package dev.tandem.routing;

import java.util.Arrays;

/// Takes replicas that fail or lag behind their peers out of the choice for a while, and lets them back in by one probe
/// at a time.
///
/// Sources: Envoy's outlier detection (consecutive errors, error rate, ejection time base x times ejected, maximum
/// ejected share) and the half-open state of a circuit breaker (Nygard, *Release It!*). A replica is ejected after
/// - `consecutiveErrors` errors in a row, or
/// - an error rate of at least `errorRateMax` over `outcomesMin` recent outcomes, or
/// - a recent latency ratio above the limit of its peers,
///   `max(latencyFactorMin x median, median + latencyMadFactor x MAD)`, MAD = median of |ratio - median| over the
///   admitted replicas of the pool (Leys et al. 2013: unlike mean and deviation, one outlier can't hide itself).
///
/// It stays out for `min(ejectionMillisBase x times ejected, ejectionMillisMax)`. Then one request is sent as a probe:
/// its success, within the peers' latency limit, admits the replica again with slow start, its failure or silence for
/// `probeMillisMax` ejects it again. The times ejected shrink by one for each `forgiveMillis` without ejection.
///
/// Invariant: of P replicas present in a pool at most `min(floor(ejectedShareMax x P), P - 1)` are out (ejected or
/// probing), also when P shrinks: then those that have the least time left are let back in.
public final class OutlierEjection {
    /// @param consecutiveErrors errors in a row that eject, 1 or more
    /// @param errorRateMax share of errors that ejects
    /// @param outcomesMin recent outcomes (decayed) before the error rate counts
    /// @param latencyMadFactor latency limit, median absolute deviations above the median
    /// @param latencyFactorMin the latency limit is at least this many times the median
    /// @param observationsMin recent latencies (decayed) of a replica before it is compared
    /// @param peersMin replicas with known latency before any is ejected for it, 3 or more
    /// @param ejectionMillisBase length of the first ejection
    /// @param ejectionMillisMax length of any ejection
    /// @param ejectedShareMax share of a pool that may be out at once
    /// @param probeMillisMax a probe without answer for so long has failed
    /// @param forgiveMillis time without ejection after which one ejection is forgotten
    public record Options(
            int consecutiveErrors,
            double errorRateMax,
            int outcomesMin,
            double latencyMadFactor,
            double latencyFactorMin,
            int observationsMin,
            int peersMin,
            int ejectionMillisBase,
            int ejectionMillisMax,
            double ejectedShareMax,
            int probeMillisMax,
            int forgiveMillis) {
        public static Options defaults() {
            return new Options(5, 0.5, 20, 5, 2, 10, 3, 10_000, 300_000, 0.5, 30_000, 60_000);
        }

        public Options {
            Require.atLeast("ejection.consecutiveErrors", consecutiveErrors, 1);
            Require.share("ejection.errorRateMax", errorRateMax);
            Require.atLeast("ejection.outcomesMin", outcomesMin, 1);
            Require.above("ejection.latencyMadFactor", latencyMadFactor, 0);
            Require.above("ejection.latencyFactorMin", latencyFactorMin, 1);
            Require.atLeast("ejection.observationsMin", observationsMin, 1);
            Require.atLeast("ejection.peersMin", peersMin, 3);
            Require.atLeast("ejection.ejectionMillisBase", ejectionMillisBase, 1);
            Require.atLeast("ejection.ejectionMillisMax", ejectionMillisMax, ejectionMillisBase);
            Require.between("ejection.ejectedShareMax", ejectedShareMax, 0, 1);
            Require.atLeast("ejection.probeMillisMax", probeMillisMax, 1);
            Require.atLeast("ejection.forgiveMillis", forgiveMillis, 1);
        }
    }

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Options options;
    private final HealthBook book;
    private final SlowStart slowStart;
    private final double[] latencyLimits;
    private double[] scratch = new double[16];
    private long changes;

    /// @param pools number of pools
    public OutlierEjection(Options options, HealthBook book, SlowStart slowStart, int pools) {
        this.options = options;
        this.book = book;
        this.slowStart = slowStart;
        this.latencyLimits = new double[pools];
        Arrays.fill(latencyLimits, Double.POSITIVE_INFINITY);
    }

    /// Grows with every ejection and every admission.
    long changes() {
        return changes;
    }

    /// Whether the worker's time is up and it waits for its one probe.
    public boolean isProbeDue(Health health, long nowNanos) {
        return health.state == Health.State.EJECTED && nowNanos - health.ejectedUntilNanos >= 0;
    }

    /// `sequence` is sent to the worker as its probe.
    public void probe(Health health, long sequence, long nowNanos) {
        if (!isProbeDue(health, nowNanos)) {
            throw new IllegalStateException("no probe of " + health.name() + " is due");
        }
        health.state = Health.State.PROBING;
        health.probeSequence = sequence;
        health.probeDeadlineNanos = nowNanos + options.probeMillisMax * NANOS_PER_MILLI;
    }

    /// The outcome is recorded already.
    ///
    /// @param ratio observed / predicted seconds
    void succeeded(Health health, long sequence, double ratio, long nowNanos) {
        if (isProbe(health, sequence)) {
            if (ratio <= latencyLimits[health.pool]) {
                admit(health, nowNanos);
            } else {
                eject(health, nowNanos);
            }
        }
    }

    /// The outcome is recorded already.
    void failed(Health health, long sequence, long nowNanos) {
        if (isProbe(health, sequence)) {
            eject(health, nowNanos);
        } else {
            ejectIfFailing(health, nowNanos);
        }
    }

    /// The probe ended without a verdict: the next request is a probe.
    void abandoned(Health health, long sequence) {
        if (isProbe(health, sequence)) {
            health.state = Health.State.EJECTED;
            health.probeSequence = Health.NO_SEQUENCE;
        }
    }

    /// An incarnation of the worker is gone and its probe, if any, with it.
    void lost(Health health, long nowNanos) {
        if (health.state == Health.State.PROBING) {
            eject(health, nowNanos);
        }
        keepShare(health.pool, nowNanos);
    }

    /// Periodic part: latency outliers, probes without answer, forgiveness.
    void evaluate(long nowNanos) {
        for (int pool = 0; pool < latencyLimits.length; pool++) {
            latencyLimits[pool] = latencyLimit(pool);
        }
        for (int i = 0; i < book.size(); i++) {
            Health health = book.get(i);
            switch (health.state) {
                case PROBING -> {
                    if (nowNanos - health.probeDeadlineNanos >= 0) {
                        eject(health, nowNanos);
                    }
                }
                case EJECTED -> {}
                case ADMITTED -> {
                    ejectIfFailing(health, nowNanos);
                    ejectIfSlow(health, nowNanos);
                    forgive(health, nowNanos);
                }
            }
        }
    }

    /// Lets replicas back in until the share holds: call when a pool has got smaller, or a worker that was out returns.
    void keepShare(int pool, long nowNanos) {
        while (out(pool) > outMax(pool)) {
            Health first = null;
            for (int i = 0; i < book.size(); i++) {
                Health health = book.get(i);
                if (isOut(health, pool)
                        && (first == null
                                || health.ejectedUntilNanos - first.ejectedUntilNanos < 0)) {
                    first = health;
                }
            }
            if (first == null) {
                return;
            }
            admit(first, nowNanos);
        }
    }

    private boolean isProbe(Health health, long sequence) {
        return health.state == Health.State.PROBING && health.probeSequence == sequence;
    }

    private void ejectIfFailing(Health health, long nowNanos) {
        boolean failing =
                health.consecutiveErrors >= options.consecutiveErrors
                        || (health.outcomes() >= options.outcomesMin
                                && health.errorRate() >= options.errorRateMax);
        if (failing && health.state == Health.State.ADMITTED && mayEject(health)) {
            eject(health, nowNanos);
        }
    }

    private void ejectIfSlow(Health health, long nowNanos) {
        if (health.state == Health.State.ADMITTED
                && health.observations() >= options.observationsMin
                && health.latencyMean() > latencyLimits[health.pool]
                && mayEject(health)) {
            eject(health, nowNanos);
        }
    }

    /// A worker that is gone counts for no share; the ejection then waits for its return.
    private boolean mayEject(Health health) {
        return !health.isPresent() || out(health.pool) < outMax(health.pool);
    }

    private int outMax(int pool) {
        int present = 0;
        for (int i = 0; i < book.size(); i++) {
            Health health = book.get(i);
            present += health.isPresent() && health.pool == pool ? 1 : 0;
        }
        return Math.max(0, Math.min((int) (options.ejectedShareMax * present), present - 1));
    }

    private int out(int pool) {
        int out = 0;
        for (int i = 0; i < book.size(); i++) {
            out += isOut(book.get(i), pool) ? 1 : 0;
        }
        return out;
    }

    private static boolean isOut(Health health, int pool) {
        return health.isPresent() && health.pool == pool && health.state != Health.State.ADMITTED;
    }

    private void eject(Health health, long nowNanos) {
        health.state = Health.State.EJECTED;
        health.probeSequence = Health.NO_SEQUENCE;
        health.timesEjected++;
        long millis =
                Math.min(
                        (long) options.ejectionMillisBase * health.timesEjected,
                        options.ejectionMillisMax);
        health.ejectedUntilNanos = nowNanos + millis * NANOS_PER_MILLI;
        changes++;
    }

    private void admit(Health health, long nowNanos) {
        health.state = Health.State.ADMITTED;
        health.probeSequence = Health.NO_SEQUENCE;
        health.admittedSinceNanos = nowNanos;
        health.forgetOutcomes();
        slowStart.begin(health, nowNanos);
        changes++;
    }

    private void forgive(Health health, long nowNanos) {
        if (health.state == Health.State.ADMITTED
                && health.timesEjected > 0
                && nowNanos - health.admittedSinceNanos
                        >= options.forgiveMillis * NANOS_PER_MILLI) {
            health.timesEjected--;
            health.admittedSinceNanos = nowNanos;
        }
    }

    /// @return infinite when too few peers are known
    private double latencyLimit(int pool) {
        int peers = 0;
        for (int i = 0; i < book.size(); i++) {
            Health health = book.get(i);
            if (health.pool == pool
                    && health.isPresent()
                    && health.state == Health.State.ADMITTED
                    && health.observations() >= options.observationsMin) {
                if (peers == scratch.length) {
                    scratch = Arrays.copyOf(scratch, 2 * peers);
                }
                scratch[peers++] = health.latencyMean();
            }
        }
        if (peers < options.peersMin) {
            return Double.POSITIVE_INFINITY;
        }
        double median = median(peers);
        for (int i = 0; i < peers; i++) {
            scratch[i] = Math.abs(scratch[i] - median);
        }
        double deviation = median(peers);
        return Math.max(
                options.latencyFactorMin * median, median + options.latencyMadFactor * deviation);
    }

    private double median(int size) {
        Arrays.sort(scratch, 0, size);
        int middle = size / 2;
        return size % 2 == 1 ? scratch[middle] : (scratch[middle - 1] + scratch[middle]) / 2;
    }
}
