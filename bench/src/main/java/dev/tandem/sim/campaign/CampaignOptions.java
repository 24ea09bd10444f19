package dev.tandem.sim.campaign;

import dev.tandem.admission.AdmissionOptions;
import dev.tandem.admission.Lane;
import dev.tandem.admission.TenantLimits;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.batching.BatchingOptions;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.PlacementOptions;
import dev.tandem.routing.HedgePolicy;
import dev.tandem.routing.OutlierEjection;
import dev.tandem.routing.RetryBudget;
import dev.tandem.routing.RoutingOptions;
import dev.tandem.routing.RoutingPolicies;

import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;

/// The core's options of a scenario: the one place that knows their fields. Every policy gets its turn, at limits that small
/// runs reach. Either nothing may be refused, so that each failed request is the core's fault, or much is ([#refusing]).
final class CampaignOptions {
    private CampaignOptions() {}

    static CoreOptions draw(SplittableRandom random) {
        return CoreOptions.defaults()
                .withSteps(8 << random.nextInt(4), 2 + random.nextInt(8), 1 + random.nextInt(3))
                .withCache(
                        random.nextInt(4) > 0, random.nextInt(3) == 0 ? 2 + random.nextInt(5) : 0)
                .withRecovery(random.nextInt(3) == 0 ? 15 : 500, 1000, 600_000)
                .withPolicies(
                        batching(random), placement(random), routing(random), admission(random));
    }

    /// The same, but whoever can't be served in time or within the queue's and the tenants' limits is refused.
    static CoreOptions refusing(CoreOptions options, SplittableRandom random) {
        AdmissionOptions drawn = options.admission();
        var wanted =
                new WorkloadClass(
                        "default",
                        List.of(),
                        Lane.DEFAULT,
                        random.nextInt(3) * (1 + random.nextInt(100)),
                        random.nextInt(3) * (1 + random.nextInt(20)),
                        Integer.MAX_VALUE,
                        1 + random.nextInt(64));
        var limits =
                new TenantLimits(
                        "",
                        1,
                        random.nextInt(3) * (100.0 + random.nextInt(1000)),
                        1 + random.nextInt(200),
                        any(random, Lane.values()));
        PlacementOptions placement = options.placement();
        return options.withPolicies(
                options.batching(),
                random.nextBoolean() ? elastic(placement) : placement,
                options.routing(),
                new AdmissionOptions(
                        drawn.fairness(),
                        EnumSet.allOf(AdmissionOptions.Rule.class),
                        drawn.laneShares(),
                        drawn.promptTokenCost(),
                        drawn.outputTokenCost(),
                        drawn.overtakenMax(),
                        20 + random.nextInt(400),
                        1 + random.nextInt(12),
                        0.5 + random.nextInt(8),
                        0.5 + random.nextInt(4),
                        drawn.retryAfterMillisMax(),
                        1 + random.nextInt(3),
                        limits,
                        drawn.tenants(),
                        wanted,
                        drawn.classes()));
    }

    private static PlacementOptions elastic(PlacementOptions drawn) {
        return new PlacementOptions(
                PlacementOptions.Roles.ELASTIC,
                drawn.localPrefillTokensMax(),
                drawn.predictLocal(),
                drawn.aheadTokensMax(),
                drawn.stagingShare(),
                drawn.growthShare(),
                drawn.fetchMillisMax(),
                drawn.looksMax());
    }

    private static BatchingOptions batching(SplittableRandom random) {
        return new BatchingOptions(
                any(random, BatchingOptions.Budget.values()),
                any(random, BatchingOptions.Cap.values()),
                any(random, BatchingOptions.Order.values()),
                1 + random.nextInt(20),
                0.9,
                random.nextInt(8),
                1 + random.nextInt(16));
    }

    private static PlacementOptions placement(SplittableRandom random) {
        return new PlacementOptions(
                random.nextInt(4) == 0
                        ? PlacementOptions.Roles.MIXED
                        : PlacementOptions.Roles.FIXED,
                random.nextInt(3) * 8,
                random.nextInt(3) == 0,
                random.nextBoolean() ? 0 : 64,
                random.nextBoolean() ? 0.5 : 1,
                random.nextInt(3) * 0.25,
                random.nextInt(3) * 200,
                random.nextInt(9));
    }

    private static RoutingOptions routing(SplittableRandom random) {
        RoutingOptions defaults = RoutingOptions.defaults();
        List<String> names = RoutingPolicies.names();
        boolean eager = random.nextBoolean();
        return new RoutingOptions(
                names.get(random.nextInt(names.size())),
                names.get(random.nextInt(names.size())),
                random.nextLong(),
                eager ? 10 : defaults.refreshMillis(),
                defaults.absentNamesMax(),
                eager ? 100 : defaults.healthHalfLifeMillis(),
                defaults.roundRobin(),
                defaults.powerOfTwo(),
                defaults.affinity(),
                // Tables as large as in production would be most of a run's time.
                16,
                503,
                defaults.cost(),
                defaults.zones(),
                defaults.slowStart(),
                eager
                        ? new OutlierEjection.Options(
                                1, 0.2, 2, 2, 1.5, 2, 3, 50, 500, 0.5, 200, 500)
                        : defaults.ejection(),
                eager ? new HedgePolicy.Options(0.5, 1, 0, 1000, 1, 10) : defaults.hedge(),
                eager ? new RetryBudget.Options(0.2, 10, 100) : defaults.retry());
    }

    private static AdmissionOptions admission(SplittableRandom random) {
        AdmissionOptions defaults = AdmissionOptions.defaults();
        return new AdmissionOptions(
                any(random, AdmissionOptions.Fairness.values()),
                EnumSet.noneOf(AdmissionOptions.Rule.class),
                defaults.laneShares(),
                defaults.promptTokenCost(),
                defaults.outputTokenCost(),
                random.nextInt(10),
                1 << 20,
                4096,
                defaults.tenantQueueFactor(),
                defaults.sheddingFactor(),
                defaults.retryAfterMillisMax(),
                defaults.tenantsMax(),
                defaults.defaultTenant(),
                defaults.tenants(),
                defaults.defaultClass(),
                defaults.classes());
    }

    private static <T> T any(SplittableRandom random, T[] values) {
        return values[random.nextInt(values.length)];
    }
}
