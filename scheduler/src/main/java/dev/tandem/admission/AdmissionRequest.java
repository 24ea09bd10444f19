package dev.tandem.admission;

/// One request before the door, its terms already cut to what tenant and class allow
/// ([AdmissionOptions#request]).
///
/// @param sequence its future number, also the source of its jitter
/// @param outputTokensMax after the class's cap
/// @param deadlineNanos monotonic time, 0 = none
public record AdmissionRequest(
        long sequence,
        TenantAccount account,
        WorkloadClass workload,
        Lane lane,
        int promptTokens,
        int outputTokensMax,
        long deadlineNanos) {

    public int expectedOutputTokens() {
        return workload.expectedOutputTokens(outputTokensMax);
    }

    /// Tokens that its tenant's budget is asked for; settled at the end with what was used.
    public long costTokens() {
        return (long) promptTokens + expectedOutputTokens();
    }
}
