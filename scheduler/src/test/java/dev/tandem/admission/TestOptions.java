package dev.tandem.admission;

import dev.tandem.admission.AdmissionOptions.Fairness;

import java.util.List;
import java.util.Map;

/// Options of the tests: the defaults but for one thing, and with objectives.
final class TestOptions {
    private static final AdmissionOptions BASE = AdmissionOptions.defaults();

    /// Objectives of MLPerf's server scenario for an 8B model.
    private static final WorkloadClass OBJECTIVES =
            new WorkloadClass(
                    "default", List.of(), Lane.DEFAULT, 2_000, 100, Integer.MAX_VALUE, 256);

    private TestOptions() {}

    static AdmissionOptions fairness(Fairness fairness) {
        return with(fairness, BASE.laneShares(), BASE.overtakenMax(), Map.of(), 1 << 20, 8);
    }

    static AdmissionOptions shares(List<Double> shares) {
        return with(BASE.fairness(), shares, BASE.overtakenMax(), Map.of(), 1 << 20, 8);
    }

    static AdmissionOptions overtaken(int overtakenMax) {
        return with(BASE.fairness(), BASE.laneShares(), overtakenMax, Map.of(), 1 << 20, 8);
    }

    static AdmissionOptions tenants(Map<String, TenantLimits> tenants) {
        return with(BASE.fairness(), BASE.laneShares(), BASE.overtakenMax(), tenants, 1 << 20, 8);
    }

    static AdmissionOptions queue(long tokensMax, double tenantFactor) {
        return with(
                BASE.fairness(),
                BASE.laneShares(),
                BASE.overtakenMax(),
                Map.of(),
                tokensMax,
                tenantFactor);
    }

    static AdmissionOptions with(
            Fairness fairness,
            List<Double> shares,
            int overtakenMax,
            Map<String, TenantLimits> tenants,
            long queuedTokensMax,
            double tenantFactor) {
        return new AdmissionOptions(
                fairness,
                BASE.rules(),
                shares,
                BASE.promptTokenCost(),
                BASE.outputTokenCost(),
                overtakenMax,
                queuedTokensMax,
                BASE.queuedSequencesMax(),
                tenantFactor,
                BASE.sheddingFactor(),
                BASE.retryAfterMillisMax(),
                BASE.tenantsMax(),
                BASE.defaultTenant(),
                tenants,
                OBJECTIVES,
                BASE.classes());
    }
}
