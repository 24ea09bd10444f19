package dev.tandem.admission;

import java.util.concurrent.TimeUnit;

/// A token bucket per tenant: it fills with [TenantLimits#tokensPerSecond], up to [TenantLimits#burstTokens]. A request
/// takes its expected tokens when it is accepted; what it really used is settled at the end.
///
/// `level(t) = min(burst, level(t0) + rate x (t - t0))`. A request needs `min(cost, burst)` in the bucket and takes its
/// whole cost, so one that is larger than the burst leaves a debt that is worked off before the next. Settling may leave a
/// debt as well.
public final class TenantBudget {
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private TenantBudget() {}

    /// Nanoseconds until a request of so many tokens can be accepted if the tenant sends nothing else, 0 = now.
    public static long waitNanos(TenantAccount account, long costTokens, long nowNanos) {
        TenantLimits limits = account.limits();
        if (!limits.hasTokenBudget()) {
            return 0;
        }
        double missing = Math.min(costTokens, limits.burstTokens()) - level(account, nowNanos);
        return missing <= 0
                ? 0
                : 1 + (long) Math.ceil(missing / limits.tokensPerSecond() * NANOS_PER_SECOND);
    }

    /// Takes an accepted request's expected tokens.
    public static void reserve(TenantAccount account, long costTokens, long nowNanos) {
        move(account, -costTokens, nowNanos);
    }

    /// Ends a reservation: gives back what was not used, or takes what was used beyond it.
    ///
    /// @param reservedTokens as given to [#reserve]
    public static void settle(
            TenantAccount account, long reservedTokens, long usedTokens, long nowNanos) {
        move(account, reservedTokens - usedTokens, nowNanos);
    }

    /// Tokens in the bucket; below 0 it is a debt. Without a budget, always full.
    static double level(TenantAccount account, long nowNanos) {
        TenantLimits limits = account.limits();
        if (!limits.hasTokenBudget()) {
            return limits.burstTokens();
        }
        double seconds = (nowNanos - account.budgetAtNanos) / NANOS_PER_SECOND;
        return Math.min(
                limits.burstTokens(), account.budgetTokens + limits.tokensPerSecond() * seconds);
    }

    private static void move(TenantAccount account, long tokens, long nowNanos) {
        if (account.limits().hasTokenBudget()) {
            account.budgetTokens = level(account, nowNanos) + tokens; // level() caps it
            account.budgetAtNanos = nowNanos;
        }
    }
}
