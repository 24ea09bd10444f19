package dev.tandem.sim.campaign;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;
import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.Prompt;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.engine.ClusterSpec;
import dev.tandem.sim.engine.Links;
import dev.tandem.sim.engine.ReplicaSpec;
import dev.tandem.sim.engine.Simulation;
import dev.tandem.sim.engine.SimulationResult;
import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.fault.FaultPlan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/// One small run: a cluster, options, requests and faults, all drawn from a seed. Every fault ends, and in three of
/// four runs every request can be served, so the core has no excuse; in the fourth there are deadlines, zones and limits. Immutable.
///
/// @param arrivals by time
public record Scenario(
        long seed,
        ClusterSpec cluster,
        CoreOptions options,
        List<Arrival> arrivals,
        FaultPlan faults) {
    private static final long MILLIS = 1_000_000;
    private static final int BLOCK_TOKENS = 4;
    private static final long HORIZON_NANOS = 500 * MILLIS;

    /// So many seeds have one in which requests may be refused.
    private static final int STRICT_ONE_IN = 4;

    /// Token ids are below: those of the checked workers.
    private static final int VOCABULARY = 1000;

    public Scenario {
        arrivals = List.copyOf(arrivals);
    }

    /// Draws one. The same seed and kinds give the same scenario.
    public static Scenario of(long seed, Set<FaultKind> kinds) {
        SplittableRandom random = new SplittableRandom(seed);
        CoreOptions options = CampaignOptions.draw(random);
        int blocks = 20 + random.nextInt(40);
        List<ReplicaSpec> replicas = new ArrayList<>();
        int prefills = random.nextInt(4);
        int decodes = 1 + random.nextInt(2);
        int slowness = random.nextInt(4) == 0 ? 10 : 1;
        for (int i = 0; i < prefills + decodes; i++) {
            ReplicaRole role = i < prefills ? ReplicaRole.PREFILL : ReplicaRole.DECODE;
            replicas.add(replica(random, i, role, blocks, slowness));
        }
        ClusterSpec cluster =
                new ClusterSpec(
                        replicas,
                        Links.uniform(1e6 * (1 + random.nextInt(100)), 50_000),
                        1 + random.nextLong(MILLIS / 2));
        List<Arrival> arrivals =
                arrivals(random, blocks * BLOCK_TOKENS, kinds.contains(FaultKind.CANCEL));
        FaultPlan faults = FaultPlan.random(random, replicas.size(), HORIZON_NANOS, kinds);
        SplittableRandom strict = new SplittableRandom(seed * 0x9E37_79B9_7F4A_7C15L);
        return strict.nextInt(STRICT_ONE_IN) == 0
                ? new Scenario(
                        seed,
                        cluster,
                        CampaignOptions.refusing(options, strict),
                        arrivals.stream().map(arrival -> demanding(arrival, strict)).toList(),
                        faults)
                : new Scenario(seed, cluster, options, arrivals, faults);
    }

    private static ReplicaSpec replica(
            SplittableRandom random, int index, ReplicaRole role, int blocks, int slowness) {
        // 100 bytes of KV a token.
        DeviceFacts device = new DeviceFacts("", 0, 0, 0, 0, 0, 0, 100);
        long fixed = 1 + random.nextLong(2 * MILLIS * slowness);
        long perToken = random.nextLong(MILLIS / 10 * slowness);
        int sequencesMax = 2 + random.nextInt(6);
        int stepTokensMax = 8 << random.nextInt(4);
        return new ReplicaSpec(
                "w" + index,
                role,
                "",
                "zone-" + random.nextInt(2),
                blocks,
                BLOCK_TOKENS,
                sequencesMax,
                stepTokensMax,
                device,
                shape -> fixed + perToken * shape.tokens(),
                random.nextInt(3) * 30);
    }

    private static List<Arrival> arrivals(SplittableRandom random, int poolTokens, boolean cancel) {
        List<int[]> prompts = new ArrayList<>();
        List<Arrival> arrivals = new ArrayList<>();
        int requests = 1 + random.nextInt(25);
        for (int i = 0; i < requests; i++) {
            int length = 1 + random.nextInt(Math.min(60, poolTokens / 2));
            int[] prompt = new int[length];
            for (int k = 0; k < length; k++) {
                prompt[k] = random.nextInt(VOCABULARY);
            }
            if (!prompts.isEmpty() && random.nextBoolean()) {
                int[] shared = prompts.get(random.nextInt(prompts.size()));
                System.arraycopy(shared, 0, prompt, 0, Math.min(shared.length, length));
            }
            prompts.add(prompt);
            int output = 1 + random.nextInt(Math.min(40, poolTokens - length));
            long at = random.nextLong(HORIZON_NANOS / 2);
            Terms terms = terms(random);
            boolean cancelled = random.nextInt(5) == 0;
            long after = 1 + random.nextLong(HORIZON_NANOS / 2);
            arrivals.add(
                    new Arrival(
                            at, Prompt.of(prompt), output, terms, cancelled && cancel ? after : 0));
        }
        arrivals.sort(Comparator.comparingLong(Arrival::nanos));
        return arrivals;
    }

    /// The same request, but it names a zone, which may be full or have failed, or has a deadline.
    private static Arrival demanding(Arrival arrival, SplittableRandom random) {
        Terms terms = arrival.terms();
        int zone = random.nextInt(3);
        long deadline =
                random.nextBoolean() ? 0 : arrival.nanos() + 1 + random.nextLong(HORIZON_NANOS);
        return new Arrival(
                arrival.nanos(),
                arrival.prompt(),
                arrival.outputTokens(),
                new Terms(
                        terms.tenant(),
                        terms.workload(),
                        terms.lane(),
                        terms.model(),
                        zone == 2 ? "" : "zone-" + zone,
                        terms.affinityKey(),
                        deadline),
                arrival.cancelAfterNanos());
    }

    private static Terms terms(SplittableRandom random) {
        Lane[] lanes = Lane.values();
        return new Terms(
                "tenant-" + random.nextInt(3),
                "",
                lanes[random.nextInt(lanes.length)],
                "",
                "", // a zone may refuse, see demanding
                random.nextInt(4),
                0);
    }

    /// Runs it among checked workers.
    ///
    /// @throws dev.tandem.sim.engine.BrokenPromiseException at the first promise that the core breaks
    public SimulationResult run() {
        return Simulation.checked(
                        cluster, options, new ListWorkload(arrivals), List.of(), faults, seed)
                .run();
    }

    Scenario with(List<Arrival> otherArrivals, FaultPlan otherFaults) {
        return new Scenario(seed, cluster, options, otherArrivals, otherFaults);
    }
}
