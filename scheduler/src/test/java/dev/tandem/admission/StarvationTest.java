package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.admission.AdmissionOptions.Fairness;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;

/// The bound on waiting of the package page: how much is computed, for everybody, before an entry is placed.
class StarvationTest {
    private static final int TENANTS = 4;
    private static final int MEMORY_TOKENS = 1_024;
    private static final int PROMPT_MAX = 200;
    private static final int OUTPUT_MAX = 30;
    private static final int STEPS = 6_000;

    static LongStream seeds() {
        return Seeds.upTo(60);
    }

    @ParameterizedTest(name = "repeat with -Dtest=StarvationTest -Dtandem.seed={0}")
    @MethodSource("seeds")
    void nobodyWaitsLongerThanTheBound(long seed) {
        assertThat(new Flood(seed, Fairness.LANES_AND_TENANTS).worst()).isBetween(0.01, 1.0);
    }

    /// Shows that the check can fail.
    @Test
    void oneQueueForAllBreaksTheBound() {
        int broken = 0;
        for (long seed = 0; seed < 10; seed++) {
            broken += new Flood(seed, Fairness.FIFO).worst() > 1 ? 1 : 0;
        }
        assertThat(broken).isGreaterThan(5);
    }

    /// In each lane one tenant floods, the others send a request now and then.
    private static final class Flood {
        private final Random random;
        private final AdmissionOptions options;
        private final VirtualServer server;
        private final TenantAccount[] tenants = new TenantAccount[TENANTS];
        private final double[][] ownUnits = new double[Lane.COUNT][TENANTS];
        private double unitsServed;
        private double worst;
        private long nextId;

        Flood(long seed, Fairness fairness) {
            random = new Random(seed);
            options =
                    TestOptions.with(
                            fairness,
                            AdmissionOptions.defaults().laneShares(),
                            64,
                            Map.of(),
                            1 << 20,
                            8);
            TenantAccounts accounts = new TenantAccounts(options);
            for (int i = 0; i < TENANTS; i++) {
                tenants[i] = accounts.open("t" + i, 0);
            }
            server = new VirtualServer(options, new FairQueue<>(options), MEMORY_TOKENS, 256);
            server.onRow = (entry, prompt, output) -> unitsServed += prompt + 2 * output;
            server.onPlaced =
                    entry -> {
                        ownUnits[entry.lane().ordinal()][index(entry)] -= units(entry);
                        double waited = unitsServed - entry.unitsServedBefore;
                        worst = Math.max(worst, waited / bound(entry));
                    };
        }

        double worst() {
            for (int step = 0; step < STEPS; step++) {
                for (int lane = 0; lane < Lane.COUNT; lane++) {
                    int flooding = (lane + 1) % TENANTS;
                    while (tenants[flooding].queuedTokens() < 60_000) {
                        add(lane, flooding);
                    }
                    if (random.nextInt(40) == 0) {
                        add(lane, random.nextInt(TENANTS));
                    }
                }
                server.step();
            }
            return worst;
        }

        private void add(int lane, int tenant) {
            Waiting entry =
                    new Waiting(
                            nextId++,
                            Lane.of(lane),
                            tenants[tenant],
                            1 + random.nextInt(PROMPT_MAX),
                            1 + random.nextInt(OUTPUT_MAX));
            entry.unitsAhead = ownUnits[lane][tenant];
            entry.unitsServedBefore = unitsServed;
            ownUnits[lane][tenant] += units(entry);
            server.queue.add(entry);
        }

        /// `((W / w) x (A + U) + 2 x U x W / w_min) / share + 2 x U / share_min`, all weights 1 here.
        private double bound(Waiting entry) {
            double u = Math.max(PROMPT_MAX, 2 * MEMORY_TOKENS);
            double share = options.laneShares().get(entry.lane().ordinal());
            return (TENANTS * (entry.unitsAhead + u) + 2 * u * TENANTS) / share + 2 * u / 0.1;
        }

        private static double units(Waiting entry) {
            return entry.prompt + 2 * entry.output;
        }

        private int index(Waiting entry) {
            return Integer.parseInt(entry.account().tenant().substring(1));
        }
    }
}
