package dev.tandem.admission;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// All of admission's and the queue's configuration.
///
/// @param fairness what the queue is fair to
/// @param rules which rules judge a request
/// @param laneShares guaranteed shares of the computed tokens: interactive, default, batch; only their ratio counts
/// @param promptTokenCost w_p: service units of one computed prompt token
/// @param outputTokenCost w_q: service units of one output token
/// @param overtakenMax how many others may be placed before a sequence that did not fit; then all wait for it
/// @param queuedTokensMax tokens waiting at most
/// @param queuedSequencesMax sequences waiting at most
/// @param tenantQueueFactor while there are several tenants, one may queue at most this many times the free room
/// @param sheddingFactor refuse when the predicted TTFT is beyond this many times the objective
/// @param retryAfterMillisMax longest wait told for an overload; up to a quarter of jitter comes on top
/// @param tenantsMax accounts kept; further tenants share one
/// @param defaultTenant the limits of tenants that are not in `tenants`
/// @param tenants limits by tenant
/// @param defaultClass the class of requests that name none, or an unknown one
/// @param classes other workload classes
public record AdmissionOptions(
        Fairness fairness,
        Set<Rule> rules,
        List<Double> laneShares,
        int promptTokenCost,
        int outputTokenCost,
        int overtakenMax,
        long queuedTokensMax,
        int queuedSequencesMax,
        double tenantQueueFactor,
        double sheddingFactor,
        int retryAfterMillisMax,
        int tenantsMax,
        TenantLimits defaultTenant,
        Map<String, TenantLimits> tenants,
        WorkloadClass defaultClass,
        Map<String, WorkloadClass> classes) {

    /// What the waiting queue is fair to.
    public enum Fairness {
        /// To nobody: one queue in the order of rank.
        FIFO,
        /// To lanes; within a lane the order of rank.
        LANES,
        /// To lanes, and within a lane to tenants.
        LANES_AND_TENANTS
    }

    /// The rules of admission, asked in this order.
    public enum Rule {
        TENANT_BUDGET,
        QUEUE_LIMIT,
        DEADLINE,
        PREDICTED_TTFT
    }

    public static AdmissionOptions defaults() {
        return new AdmissionOptions(
                Fairness.LANES_AND_TENANTS,
                EnumSet.allOf(Rule.class),
                List.of(0.6, 0.3, 0.1),
                1,
                2,
                64,
                1 << 20,
                4096,
                8,
                4,
                48_000,
                10_000,
                TenantLimits.defaults(),
                Map.of(),
                WorkloadClass.defaults(),
                Map.of());
    }

    public AdmissionOptions {
        if (laneShares.size() != Lane.COUNT) {
            throw new IllegalArgumentException(
                    "laneShares must be %d numbers, are %d"
                            .formatted(Lane.COUNT, laneShares.size()));
        }
        for (double share : laneShares) {
            Limits.requirePositive("each of laneShares", share);
        }
        Limits.requireAtLeast("promptTokenCost", promptTokenCost, 1);
        Limits.requireAtLeast("outputTokenCost", outputTokenCost, 1);
        Limits.requireAtLeast("overtakenMax", overtakenMax, 0);
        Limits.requireAtLeast("queuedTokensMax", queuedTokensMax, 1);
        Limits.requireAtLeast("queuedSequencesMax", queuedSequencesMax, 1);
        Limits.requirePositive("tenantQueueFactor", tenantQueueFactor);
        Limits.requirePositive("sheddingFactor", sheddingFactor);
        Limits.requireAtLeast("retryAfterMillisMax", retryAfterMillisMax, 1000);
        Limits.requireAtLeast("tenantsMax", tenantsMax, 1);
        rules = Set.copyOf(rules);
        laneShares = List.copyOf(laneShares);
        tenants = Map.copyOf(tenants);
        classes = withRoutes(classes.values());
    }

    /// The same with other limits of the queue.
    public AdmissionOptions withQueue(long tokensMax, int sequencesMax) {
        return new AdmissionOptions(
                fairness,
                rules,
                laneShares,
                promptTokenCost,
                outputTokenCost,
                overtakenMax,
                tokensMax,
                sequencesMax,
                tenantQueueFactor,
                sheddingFactor,
                retryAfterMillisMax,
                tenantsMax,
                defaultTenant,
                tenants,
                defaultClass,
                classes);
    }

    /// The same with these tenants' limits, each under its own name.
    public AdmissionOptions withTenants(List<TenantLimits> limits) {
        var byName = new HashMap<String, TenantLimits>();
        limits.forEach(tenant -> byName.put(tenant.name(), tenant));
        return new AdmissionOptions(
                fairness,
                rules,
                laneShares,
                promptTokenCost,
                outputTokenCost,
                overtakenMax,
                queuedTokensMax,
                queuedSequencesMax,
                tenantQueueFactor,
                sheddingFactor,
                retryAfterMillisMax,
                tenantsMax,
                defaultTenant,
                byName,
                defaultClass,
                classes);
    }

    /// The same with these workload classes, each under its own name and its routes.
    public AdmissionOptions withClasses(List<WorkloadClass> workloads) {
        var byName = new HashMap<String, WorkloadClass>();
        workloads.forEach(workload -> byName.put(workload.name(), workload));
        return new AdmissionOptions(
                fairness,
                rules,
                laneShares,
                promptTokenCost,
                outputTokenCost,
                overtakenMax,
                queuedTokensMax,
                queuedSequencesMax,
                tenantQueueFactor,
                sheddingFactor,
                retryAfterMillisMax,
                tenantsMax,
                defaultTenant,
                tenants,
                defaultClass,
                byName);
    }

    /// By name and by route.
    private static Map<String, WorkloadClass> withRoutes(Iterable<WorkloadClass> classes) {
        var known = new HashMap<String, WorkloadClass>();
        for (WorkloadClass workload : classes) {
            put(known, workload.name(), workload);
            workload.routes().forEach(route -> put(known, route, workload));
        }
        return Map.copyOf(known);
    }

    private static void put(Map<String, WorkloadClass> known, String key, WorkloadClass workload) {
        WorkloadClass other = known.put(key, workload);
        if (other != null && !other.equals(workload)) {
            throw new IllegalArgumentException(
                    "'%s' is both workload class '%s' and '%s'"
                            .formatted(key, other.name(), workload.name()));
        }
    }

    /// The class of a request by name or route.
    public WorkloadClass classOf(String workload) {
        return classes.getOrDefault(workload, defaultClass);
    }

    public TenantLimits limitsOf(String tenant) {
        return tenants.getOrDefault(tenant, defaultTenant);
    }

    /// How long after its arrival a request may wait in the queue and still have its first token within
    /// `sheddingFactor x max(objective, TTFT on an idle system)`; infinite where nothing is refused for a prediction.
    ///
    /// @param idleSeconds TTFT of the same prompt on an idle system
    public double waitSecondsMax(AdmissionRequest request, double idleSeconds) {
        return rules.contains(Rule.PREDICTED_TTFT)
                ? PredictedTtftRule.limitSeconds(request, sheddingFactor, idleSeconds) - idleSeconds
                : Double.POSITIVE_INFINITY;
    }

    /// Cuts a request's wishes to what is allowed: the lane to the tenant's highest, the output to the class's cap.
    ///
    /// @param outputTokensMax what the client allows, at least 1
    public AdmissionRequest request(
            long sequence,
            Terms terms,
            TenantAccount account,
            int promptTokens,
            int outputTokensMax) {
        WorkloadClass workload = classOf(terms.workload());
        Lane asked = terms.lane();
        Lane lane = asked == null ? workload.lane() : asked;
        return new AdmissionRequest(
                sequence,
                account,
                workload,
                lane.atMost(account.limits().laneMax()),
                promptTokens,
                workload.outputTokens(outputTokensMax),
                terms.deadlineNanos());
    }
}
