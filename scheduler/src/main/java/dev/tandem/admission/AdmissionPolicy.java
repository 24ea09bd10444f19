package dev.tandem.admission;

/// Says whether a request may join the queue. Decides and changes nothing: after an accepting verdict the caller reserves
/// the tenant's budget ([TenantBudget#reserve]), sheds what has to go, and adds the sequence to the [FairQueue].
public interface AdmissionPolicy {
    /// @param nowNanos monotonic time
    Verdict verdict(AdmissionRequest request, LoadView load, long nowNanos);
}
