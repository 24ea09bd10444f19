package dev.tandem.admission;

import dev.tandem.admission.AdmissionOptions.Fairness;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/// Tenants in one lane of a virtual server, each busy and idle in turns, with sizes of their own. Watches, for every pair
/// while both have work waiting, how far the service of one moves away from that of the other, as a part of the bound.
final class TenantLoad {
    private final Random random;
    private final VirtualServer server;
    private final TenantAccount[] accounts;
    private final int[] promptMax;
    private final int[] outputMax;
    private final boolean[] isBusy;
    private final int[] phaseSteps;
    private final double[] placedUnits;
    private final double[] computedUnits;
    private final Spread placed;
    private final Spread computed;
    private final double bound;
    private int pairsSeen;
    private long nextId;

    TenantLoad(long seed, Fairness fairness) {
        random = new Random(seed);
        int tenants = 2 + random.nextInt(5);
        Map<String, TenantLimits> limits = new HashMap<>();
        double leastWeight = 1;
        for (int i = 0; i < tenants; i++) {
            double weight = random.nextBoolean() ? 1 : 0.5 + random.nextInt(4) / 2.0;
            leastWeight = Math.min(leastWeight, weight);
            limits.put("t" + i, new TenantLimits("t" + i, weight, 0, 0, Lane.INTERACTIVE));
        }
        AdmissionOptions options =
                TestOptions.with(
                        fairness, AdmissionOptions.defaults().laneShares(), 64, limits, 1 << 20, 8);
        TenantAccounts registry = new TenantAccounts(options);
        int memory = 512 + random.nextInt(4_096);
        server =
                new VirtualServer(
                        options, new FairQueue<>(options), memory, 16 + random.nextInt(512));
        accounts = new TenantAccount[tenants];
        promptMax = new int[tenants];
        outputMax = new int[tenants];
        isBusy = new boolean[tenants];
        phaseSteps = new int[tenants];
        placedUnits = new double[tenants];
        computedUnits = new double[tenants];
        int longest = 1;
        for (int i = 0; i < tenants; i++) {
            accounts[i] = registry.open("t" + i, 0);
            promptMax[i] = 1 + random.nextInt(memory / 2);
            outputMax[i] = 1 + random.nextInt(memory / 4);
            longest = Math.max(longest, promptMax[i]);
        }
        bound =
                2
                        * Math.max(
                                options.promptTokenCost() * longest,
                                options.outputTokenCost() * memory)
                        / leastWeight;
        placed = new Spread(tenants);
        computed = new Spread(tenants);
        server.onPlaced = entry -> placedUnits[index(entry)] += weighted(entry, entry.prompt);
        server.onRow =
                (entry, promptTokens, outputTokens) -> {
                    int output = options.outputTokenCost() * outputTokens;
                    placedUnits[index(entry)] += weighted(entry, output);
                    computedUnits[index(entry)] += weighted(entry, promptTokens + output);
                };
    }

    void run(int steps) {
        for (int step = 0; step < steps; step++) {
            for (int i = 0; i < accounts.length; i++) {
                arrive(i);
            }
            server.step();
            for (int i = 0; i < accounts.length; i++) {
                for (int j = 0; j < i; j++) {
                    boolean both = accounts[i].queuedTokens() > 0 && accounts[j].queuedTokens() > 0;
                    pairsSeen += both ? 1 : 0;
                    placed.watch(i, j, both, placedUnits[i] - placedUnits[j]);
                    computed.watch(i, j, both, computedUnits[i] - computedUnits[j]);
                }
            }
        }
    }

    /// Steps in which two tenants were backlogged, counted by pair.
    int pairsSeen() {
        return pairsSeen;
    }

    /// The largest difference, prompts counted when placed, over the bound.
    double worstSpread() {
        return placed.worst / bound;
    }

    /// The largest difference of service computed, over the bound.
    double worstComputedSpread() {
        return computed.worst / bound;
    }

    private void arrive(int tenant) {
        if (--phaseSteps[tenant] <= 0) {
            isBusy[tenant] = random.nextInt(3) > 0;
            phaseSteps[tenant] = 50 + random.nextInt(600);
        }
        int arrivals = isBusy[tenant] ? random.nextInt(3) : 0;
        for (int i = 0; i < arrivals && accounts[tenant].queuedTokens() < 50_000; i++) {
            server.queue.add(
                    new Waiting(
                            nextId++,
                            Lane.DEFAULT,
                            accounts[tenant],
                            1 + random.nextInt(promptMax[tenant]),
                            1 + random.nextInt(outputMax[tenant])));
        }
    }

    private int index(Waiting entry) {
        return Integer.parseInt(entry.account().tenant().substring(1));
    }

    private static double weighted(Waiting entry, int units) {
        return units / entry.account().limits().weight();
    }

    /// The range of a difference while both of a pair are backlogged.
    private static final class Spread {
        private final double[][] least;
        private final double[][] most;
        double worst;

        Spread(int parties) {
            least = new double[parties][parties];
            most = new double[parties][parties];
            for (double[] row : least) {
                Arrays.fill(row, Double.NaN);
            }
        }

        void watch(int i, int j, boolean both, double difference) {
            if (!both) {
                least[i][j] = Double.NaN;
            } else if (Double.isNaN(least[i][j])) {
                least[i][j] = difference;
                most[i][j] = difference;
            } else {
                least[i][j] = Math.min(least[i][j], difference);
                most[i][j] = Math.max(most[i][j], difference);
                worst = Math.max(worst, most[i][j] - least[i][j]);
            }
        }
    }
}
