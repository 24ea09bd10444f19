package dev.tandem.admission;

/// Why a request is refused, or a waiting one shed. In every case the caller may come back later: the limit was ours.
public enum Reason {
    /// It could not have been done by its deadline.
    DEADLINE("deadline_unreachable"),
    /// Its tenant's token budget is used up.
    TENANT_BUDGET("tenant_budget_exceeded"),
    /// It would have waited far longer than its objective allows.
    OVERLOAD("overloaded"),
    /// The queue holds as much as it may.
    QUEUE_FULL("rate_limit_exceeded");

    private final String code;

    Reason(String code) {
        this.code = code;
    }

    /// The error code for clients; says nothing of HTTP.
    public String code() {
        return code;
    }
}
