package dev.tandem.sim.campaign;

import dev.tandem.core.CoreOptions;

import java.util.SplittableRandom;

/// The core's options of a scenario: the one place that knows their fields. Nothing may be refused, so that each failed
/// request is the core's fault.
final class CampaignOptions {
    private CampaignOptions() {}

    static CoreOptions draw(SplittableRandom random) {
        return new CoreOptions(
                8 << random.nextInt(4),
                2 + random.nextInt(8),
                1 + random.nextInt(3),
                random.nextInt(4) > 0,
                random.nextBoolean() ? 0 : 8,
                1 << 20,
                4096,
                random.nextInt(3) == 0 ? 15 : 500,
                1000,
                600_000,
                random.nextInt(3) == 0 ? 2 + random.nextInt(5) : 0);
    }
}
