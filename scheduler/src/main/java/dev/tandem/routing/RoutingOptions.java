package dev.tandem.routing;

/// Everything configurable of routing.
///
/// @param prefillPolicy name of the policy that chooses where a prompt is computed ([RoutingPolicies])
/// @param decodePolicy name of the policy that chooses where it is decoded
/// @param seed of all draws and affinity tables; coordinators with the same seed agree on a key's home
/// @param refreshMillis how often health is judged and zones take stock
/// @param absentNamesMax names of absent workers that are remembered
/// @param healthHalfLifeMillis half-life of outcomes and latencies
/// @param ringPoints points of a typical replica on the ring
/// @param maglevTableSize a prime, at least 100 times the replicas
public record RoutingOptions(
        String prefillPolicy,
        String decodePolicy,
        long seed,
        int refreshMillis,
        int absentNamesMax,
        int healthHalfLifeMillis,
        WeightedRoundRobin.Options roundRobin,
        PowerOfTwoChoices.Options powerOfTwo,
        AffinityPolicy.Options affinity,
        int ringPoints,
        int maglevTableSize,
        CostInSeconds.Options cost,
        ZonePolicy.Options zones,
        SlowStart.Options slowStart,
        OutlierEjection.Options ejection,
        HedgePolicy.Options hedge,
        RetryBudget.Options retry) {
    public static RoutingOptions defaults() {
        return new RoutingOptions(
                RoutingPolicies.COST,
                RoutingPolicies.LEAST_LOADED,
                0,
                1_000,
                1_024,
                30_000,
                WeightedRoundRobin.Options.defaults(),
                PowerOfTwoChoices.Options.defaults(),
                AffinityPolicy.Options.defaults(),
                160,
                16_381,
                CostInSeconds.Options.defaults(),
                ZonePolicy.Options.defaults(),
                SlowStart.Options.defaults(),
                OutlierEjection.Options.defaults(),
                HedgePolicy.Options.defaults(),
                RetryBudget.Options.defaults());
    }

    public RoutingOptions {
        RoutingPolicies.requireKnown(prefillPolicy);
        RoutingPolicies.requireKnown(decodePolicy);
        Require.atLeast("refreshMillis", refreshMillis, 1);
        Require.atLeast("absentNamesMax", absentNamesMax, 0);
        Require.atLeast("healthHalfLifeMillis", healthHalfLifeMillis, 1);
        Require.atLeast("ringPoints", ringPoints, 1);
        Maglev.requireTableSize(maglevTableSize);
    }

    public RoutingOptions withPolicies(String prefill, String decode) {
        return new RoutingOptions(
                prefill,
                decode,
                seed,
                refreshMillis,
                absentNamesMax,
                healthHalfLifeMillis,
                roundRobin,
                powerOfTwo,
                affinity,
                ringPoints,
                maglevTableSize,
                cost,
                zones,
                slowStart,
                ejection,
                hedge,
                retry);
    }
}
