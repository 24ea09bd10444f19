package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.LongStream;

/// Lanes get their shares of the computed tokens while they have work waiting.
class LaneShareTest {
    private static final int STEPS = 20_000;
    private final double[] units = new double[Lane.COUNT];

    static LongStream seeds() {
        return Seeds.upTo(50);
    }

    @ParameterizedTest(name = "repeat with -Dtest=LaneShareTest -Dtandem.seed={0}")
    @MethodSource("seeds")
    void saturatedLanesGetTheirShares(long seed) {
        Random random = new Random(seed);
        List<Double> shares =
                List.of(
                        0.2 + random.nextDouble(),
                        0.1 + random.nextDouble(),
                        0.05 + random.nextDouble());
        double sum = shares.stream().mapToDouble(d -> d).sum();
        serve(seed, TestOptions.shares(shares), lane -> true);
        for (int i = 0; i < Lane.COUNT; i++) {
            assertThat(part(i)).isCloseTo(shares.get(i) / sum, within(0.02));
        }
    }

    @Test
    void aLaneWithNothingWaitingGivesItsShareToTheOthers() {
        serve(7, AdmissionOptions.defaults(), lane -> lane != 0);
        assertThat(part(0)).isZero();
        assertThat(part(1)).isCloseTo(0.75, within(0.02));
        assertThat(part(2)).isCloseTo(0.25, within(0.02));
    }

    @Test
    void oneLaneAloneGetsEverything() {
        serve(7, AdmissionOptions.defaults(), lane -> lane == 2);
        assertThat(part(2)).isEqualTo(1);
    }

    /// A lane that was idle for a long time gets its share when it returns, not what it missed.
    @Test
    void idleLanesSaveUpNothing() {
        AdmissionOptions options = AdmissionOptions.defaults();
        VirtualServer server = server(options);
        Load load = new Load(options, server, 3);
        for (int step = 0; step < 2 * STEPS; step++) {
            if (step == STEPS) {
                Arrays.fill(units, 0);
            }
            load.fill(0);
            if (step >= STEPS) {
                load.fill(2);
            }
            server.step();
        }
        assertThat(part(2)).isCloseTo(0.1 / 0.7, within(0.02));
    }

    private double part(int lane) {
        return units[lane] / (units[0] + units[1] + units[2]);
    }

    private VirtualServer server(AdmissionOptions options) {
        VirtualServer server = new VirtualServer(options, new FairQueue<>(options), 4_096, 256);
        server.onRow =
                (entry, prompt, output) -> units[entry.lane().ordinal()] += prompt + 2 * output;
        return server;
    }

    private void serve(long seed, AdmissionOptions options, IntPredicate isSaturated) {
        VirtualServer server = server(options);
        Load load = new Load(options, server, seed);
        for (int step = 0; step < STEPS; step++) {
            for (int lane = 0; lane < Lane.COUNT; lane++) {
                if (isSaturated.test(lane)) {
                    load.fill(lane);
                }
            }
            server.step();
        }
    }

    /// Keeps a lane's queue from running dry, with sizes that differ between the lanes.
    private static final class Load {
        private final VirtualServer server;
        private final Random random;
        private final TenantAccount[] tenants = new TenantAccount[3];
        private long nextId;

        Load(AdmissionOptions options, VirtualServer server, long seed) {
            this.server = server;
            this.random = new Random(seed);
            TenantAccounts accounts = new TenantAccounts(options);
            for (int i = 0; i < tenants.length; i++) {
                tenants[i] = accounts.open("t" + i, 0);
            }
        }

        void fill(int lane) {
            while (server.queue.tokens(Lane.of(lane)) < 2_000) {
                server.queue.add(
                        new Waiting(
                                nextId++,
                                Lane.of(lane),
                                tenants[random.nextInt(tenants.length)],
                                50 + random.nextInt(100 * (lane + 1)),
                                20 + random.nextInt(60 * (3 - lane))));
            }
        }
    }
}
