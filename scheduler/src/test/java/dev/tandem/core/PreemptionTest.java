package dev.tandem.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.admission.Terms;

import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.Random;
import java.util.Set;

/// Sequences that fit when they start and outgrow the pool together.
class PreemptionTest {
    @Test
    void theNewestLeavesWhenThePoolIsFullAndAllFinishWithTheRightTokens() {
        VirtualCluster cluster = new VirtualCluster(1, CoreOptions.defaults(), 16);
        cluster.join(ReplicaRole.DECODE, 60, 64, 512);
        Random random = new Random(1);
        for (long id = 1; id <= 13; id++) {
            Event.Submit submit =
                    new Event.Submit(
                            id,
                            Prompt.of(VirtualCluster.prompt(random, 40)),
                            96,
                            new SamplingParameters(1, 0, 1, 0, 1, 0, 0, id, Map.of(), false, 0),
                            Set.of(),
                            Terms.none());
            cluster.at(0, () -> cluster.submit(submit));
        }
        cluster.run();
        cluster.checkPromises();
        assertThat(cluster.snapshot().totals().preemptions()).isPositive();
        assertThat(cluster.snapshot().totals().recomputes()).isZero();
    }
}
