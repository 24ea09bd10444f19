package dev.tandem.core;

import dev.tandem.admission.Terms;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;

/// The promises under seeded faults: every sequence ends exactly once with the right tokens, and no block is leaked or
/// shared wrongly, whatever happens to workers and transfers.
class SchedulerCoreFaultTest {
    private static final int SEEDS = 400;

    static LongStream seeds() {
        String seed = System.getProperty("tandem.seed", "");
        return seed.isEmpty() ? LongStream.range(0, SEEDS) : LongStream.of(Long.parseLong(seed));
    }

    @ParameterizedTest(name = "repeat with -Dtest=SchedulerCoreFaultTest -Dtandem.seed={0}")
    @MethodSource("seeds")
    void promisesHold(long seed) {
        Random random = new Random(seed);
        int blockTokens = 4;
        CoreOptions options =
                CoreOptions.defaults()
                        .withSteps(
                                8 << random.nextInt(4),
                                2 + random.nextInt(8),
                                1 + random.nextInt(3))
                        .withCache(
                                random.nextInt(4) > 0,
                                random.nextInt(3) == 0 ? 2 + random.nextInt(5) : 0)
                        .withRecovery(random.nextInt(3) == 0 ? 15 : 500, 1000, 600_000);
        VirtualCluster cluster = new VirtualCluster(seed, options, blockTokens);
        cluster.transferFailure(random.nextInt(3) == 0 ? 0.2 : 0);
        int poolBlocks = 20 + random.nextInt(40);
        int prefillWorkers = random.nextInt(3);
        int decodeWorkers = 1 + random.nextInt(2);
        for (int i = 0; i < prefillWorkers; i++) {
            cluster.join(ReplicaRole.PREFILL, poolBlocks, 2 + random.nextInt(6), 64);
        }
        for (int i = 0; i < decodeWorkers; i++) {
            cluster.join(ReplicaRole.DECODE, poolBlocks, 2 + random.nextInt(6), 64);
        }
        submitAll(cluster, random, poolBlocks * blockTokens);
        int kills = random.nextInt(4);
        for (int i = 0; i < kills; i++) {
            cluster.at(random.nextInt(400), () -> killAndReplace(cluster, random, poolBlocks));
        }
        cluster.run();
        cluster.checkPromises();
    }

    private static void submitAll(VirtualCluster cluster, Random random, int poolTokens) {
        List<int[]> prompts = new ArrayList<>();
        int requests = 1 + random.nextInt(25);
        for (long id = 1; id <= requests; id++) {
            int length = 1 + random.nextInt(Math.min(60, poolTokens / 2));
            int[] prompt = VirtualCluster.prompt(random, length);
            if (!prompts.isEmpty() && random.nextBoolean()) {
                int[] shared = prompts.get(random.nextInt(prompts.size()));
                System.arraycopy(shared, 0, prompt, 0, Math.min(shared.length, length));
            }
            prompts.add(prompt);
            Set<Integer> stops = new HashSet<>();
            for (int i = random.nextInt(30); i > 0; i--) {
                stops.add(random.nextInt(1000));
            }
            int maxTokens = 1 + random.nextInt(Math.min(40, poolTokens - length));
            SamplingParameters sampling =
                    new SamplingParameters(
                            1, 0, 1, 0, 1, 0, 0, random.nextLong(), Map.of(), false, 0);
            Event.Submit submit =
                    new Event.Submit(
                            id,
                            Prompt.of(Arrays.copyOf(prompt, length)),
                            maxTokens,
                            sampling,
                            stops,
                            Terms.none());
            cluster.at(random.nextInt(200), () -> cluster.submit(submit));
            if (random.nextInt(5) == 0) {
                long cancelled = id;
                cluster.at(random.nextInt(400), () -> cluster.cancel(cancelled));
            }
        }
    }

    /// A worker dies; later one of a random role joins. For a while there may be none of a role, or none at all.
    private static void killAndReplace(VirtualCluster cluster, Random random, int poolBlocks) {
        List<Integer> living = cluster.living();
        if (!living.isEmpty()) {
            cluster.kill(living.get(random.nextInt(living.size())));
        }
        ReplicaRole role = random.nextBoolean() ? ReplicaRole.PREFILL : ReplicaRole.DECODE;
        cluster.at(
                random.nextInt(300),
                () -> cluster.join(role, poolBlocks, 2 + random.nextInt(6), 64));
    }
}
