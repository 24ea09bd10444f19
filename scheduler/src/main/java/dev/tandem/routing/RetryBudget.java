package dev.tandem.routing;

import java.util.Arrays;

/// How many retries may be made, so that a failure of many requests doesn't multiply the load. A retry is
/// granted only if then, over the last `windowMillis`,
/// ```
/// retries <= share x requests + retriesPerSecondMin x window
/// ```
/// Source: Finagle's `RetryBudget` (a leaky token bucket whose deposits expire). The window has 10 parts; the oldest part
/// leaves as a whole. Integers only.
public final class RetryBudget {
    /// @param share retries per request, 0 to 1
    /// @param retriesPerSecondMin retries a second that are allowed without any request
    /// @param windowMillis after so long a request or a retry is forgotten
    public record Options(double share, int retriesPerSecondMin, int windowMillis) {
        public static Options defaults() {
            return new Options(0.2, 1, 10_000);
        }

        public Options {
            Require.between("retry.share", share, 0, 1);
            Require.atLeast("retry.retriesPerSecondMin", retriesPerSecondMin, 0);
            Require.atLeast("retry.windowMillis", windowMillis, PARTS);
        }
    }

    private static final int PARTS = 10;
    private static final long ONE = 1_000_000;

    private final long depositMicros;
    private final long reserveMicros;
    private final long partNanos;

    /// Deposits less withdrawals of each part of the window.
    private final long[] partMicros = new long[PARTS];

    private long sumMicros;
    private int current;
    private long nextPartNanos;
    private boolean started;

    public RetryBudget(Options options) {
        this.depositMicros = (long) (options.share * ONE);
        this.reserveMicros = options.retriesPerSecondMin * ONE * options.windowMillis / 1000;
        this.partNanos = options.windowMillis * 1_000_000L / PARTS;
    }

    /// A request has come (not a retry).
    public void deposit(long nowNanos) {
        advance(nowNanos);
        add(depositMicros);
    }

    /// @return whether a retry may be made; it is paid for then
    public boolean tryWithdraw(long nowNanos) {
        advance(nowNanos);
        if (sumMicros + reserveMicros < ONE) {
            return false;
        }
        add(-ONE);
        return true;
    }

    /// Retries that could be made right now.
    public long available(long nowNanos) {
        advance(nowNanos);
        return Math.max(0, (sumMicros + reserveMicros) / ONE);
    }

    private void add(long micros) {
        partMicros[current] += micros;
        sumMicros += micros;
    }

    private void advance(long nowNanos) {
        if (!started || nowNanos - nextPartNanos >= PARTS * partNanos) {
            started = true;
            Arrays.fill(partMicros, 0);
            sumMicros = 0;
            nextPartNanos = nowNanos + partNanos;
            return;
        }
        while (nowNanos - nextPartNanos >= 0) {
            current = (current + 1) % PARTS;
            sumMicros -= partMicros[current];
            partMicros[current] = 0;
            nextPartNanos += partNanos;
        }
    }
}
