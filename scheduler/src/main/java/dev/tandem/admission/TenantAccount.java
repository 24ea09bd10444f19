package dev.tandem.admission;

import org.jspecify.annotations.Nullable;

/// What one tenant has waiting, has had and may still use. [TenantAccounts] keeps one per tenant while it has a request
/// here or its state matters. Not thread-safe; owned by the core.
public final class TenantAccount {
    private final String tenant;
    private final TenantLimits limits;
    private final int order;
    private final @Nullable TenantFlow[] flows = new TenantFlow[Lane.COUNT];

    /// Requests that hold the account.
    int open;

    /// Tokens that it has waiting, kept by the queue.
    long queuedTokens;

    // The token budget, kept by TenantBudget. A level below 0 is a debt.
    double budgetTokens;
    long budgetAtNanos;

    TenantAccount(String tenant, TenantLimits limits, int order, long nowNanos) {
        this.tenant = tenant;
        this.limits = limits;
        this.order = order;
        this.budgetTokens = limits.burstTokens();
        this.budgetAtNanos = nowNanos;
    }

    public String tenant() {
        return tenant;
    }

    public TenantLimits limits() {
        return limits;
    }

    /// Tokens that it has waiting, all lanes.
    public long queuedTokens() {
        return queuedTokens;
    }

    TenantFlow flow(LaneQueue lane) {
        TenantFlow flow = flows[lane.order];
        if (flow == null) {
            flow = new TenantFlow(lane, limits.weight(), order);
            flows[lane.order] = flow;
        }
        return flow;
    }

    /// True if nothing holds it and a new account would be treated no differently.
    boolean equalsNew(long nowNanos) {
        if (open > 0 || TenantBudget.level(this, nowNanos) < limits.burstTokens()) {
            return false;
        }
        for (TenantFlow flow : flows) {
            if (flow != null && !flow.equalsNew()) {
                return false;
            }
        }
        return true;
    }
}
