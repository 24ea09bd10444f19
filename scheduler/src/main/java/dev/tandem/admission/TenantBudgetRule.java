package dev.tandem.admission;

import java.util.concurrent.TimeUnit;

/// Refuses what the tenant's token bucket can't pay. The wait told is the bucket's own, however long: it is exact as long
/// as the tenant sends nothing else.
final class TenantBudgetRule implements AdmissionPolicy {
    private static final long NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    @Override
    public Verdict verdict(AdmissionRequest request, LoadView load, long nowNanos) {
        TenantAccount account = request.account();
        long waitNanos = TenantBudget.waitNanos(account, request.costTokens(), nowNanos);
        if (waitNanos == 0) {
            return Verdict.ACCEPT;
        }
        return new Verdict.Refuse(
                Reason.TENANT_BUDGET,
                "The budget of %s tokens per second is used up; this request needs %d tokens."
                        .formatted(account.limits().tokensPerSecond(), request.costTokens()),
                RetryAfter.millis(
                        (double) waitNanos / NANOS_PER_SECOND,
                        request.sequence(),
                        Integer.MAX_VALUE / 2));
    }
}
