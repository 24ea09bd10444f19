package dev.tandem.sim.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.admission.Terms;
import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.Prompt;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.campaign.ListWorkload;
import dev.tandem.sim.fault.Fault;
import dev.tandem.sim.fault.FaultKind;
import dev.tandem.sim.fault.FaultPlan;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Runs of checked workers whose outcome is known.
class CheckedSimulationTest {
    private static final long MILLIS = 1_000_000;

    private static ReplicaSpec replica(String name, ReplicaRole role) {
        DeviceFacts device = new DeviceFacts("", 0, 0, 0, 0, 0, 0, 1e3);
        return new ReplicaSpec(name, role, "", "", 60, 16, 64, 512, device, shape -> 2 * MILLIS);
    }

    private static List<Arrival> arrivals(int count, int prompt, int output) {
        SplittableRandom random = new SplittableRandom(1);
        List<Arrival> arrivals = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] tokens = random.ints(prompt, 0, 1000).toArray();
            arrivals.add(new Arrival(i, Prompt.of(tokens), output, Terms.none(), 0));
        }
        return arrivals;
    }

    private static SimulationResult run(
            List<Arrival> arrivals, FaultPlan plan, ReplicaSpec... replicas) {
        ClusterSpec cluster = new ClusterSpec(List.of(replicas), Links.uniform(1e9, 5_000), 50_000);
        return Simulation.checked(
                        cluster,
                        CoreOptions.defaults(),
                        new ListWorkload(arrivals),
                        List.of(),
                        plan,
                        1)
                .run();
    }

    private static FaultPlan plan(Fault... faults) {
        return FaultPlan.none().with(List.of(faults));
    }

    @Test
    void sequencesThatOutgrowThePoolTogetherAllFinish() {
        SimulationResult result =
                run(arrivals(13, 40, 96), FaultPlan.none(), replica("a", ReplicaRole.DECODE));
        assertThat(result.completed()).isEqualTo(13);
        assertThat(result.totals().preemptions()).isPositive();
        assertThat(result.totals().recomputes()).isZero();
        assertThat(result.blocksHeld()).isZero();
    }

    @Test
    void aCrashAmongTwoCostsTimeAndNoRequest() {
        ReplicaSpec[] two = {replica("a", ReplicaRole.DECODE), replica("b", ReplicaRole.DECODE)};
        SimulationResult calm = run(arrivals(8, 40, 60), FaultPlan.none(), two);
        SimulationResult hit =
                run(
                        arrivals(8, 40, 60),
                        plan(new Fault(FaultKind.CRASH, 30 * MILLIS, 0, 0, 10_000 * MILLIS, 0)),
                        two);
        assertThat(calm.totals().recomputes()).isZero();
        assertThat(hit.completed()).isEqualTo(8);
        assertThat(hit.totals().recomputes()).isPositive();
    }

    @Test
    void aShortPartitionOnlyDelays() {
        Fault cut = new Fault(FaultKind.PARTITION, 30 * MILLIS, 0, 0, 500 * MILLIS, 0);
        SimulationResult calm =
                run(arrivals(1, 40, 60), FaultPlan.none(), replica("a", ReplicaRole.DECODE));
        SimulationResult hit =
                run(arrivals(1, 40, 60), plan(cut), replica("a", ReplicaRole.DECODE));
        assertThat(hit.totals().recomputes()).isZero();
        assertThat(hit.virtualNanos() - calm.virtualNanos()).isBetween(490 * MILLIS, 510 * MILLIS);
    }

    @Test
    void aSlowWorkerTakesItsFactor() {
        Fault slow = new Fault(FaultKind.SLOW, 0, 0, 0, 3_600_000 * MILLIS, 10);
        SimulationResult calm =
                run(arrivals(1, 40, 60), FaultPlan.none(), replica("a", ReplicaRole.DECODE));
        SimulationResult hit =
                run(arrivals(1, 40, 60), plan(slow), replica("a", ReplicaRole.DECODE));
        assertThat((double) hit.virtualNanos() / calm.virtualNanos()).isBetween(9.5, 10.1);
    }

    @Test
    void aLostTransferIsComputedAgainAfterItsLease() {
        Fault lost = new Fault(FaultKind.TRANSFER_LOST, 0, 0, 0, 0, 0);
        SimulationResult hit =
                run(
                        arrivals(1, 40, 5),
                        plan(lost),
                        replica("p", ReplicaRole.PREFILL),
                        replica("d", ReplicaRole.DECODE));
        assertThat(hit.completed()).isEqualTo(1);
        assertThat(hit.totals().handoffsFailed()).isEqualTo(1);
        // The lease lives 30 s from its grant on.
        assertThat(hit.virtualNanos()).isBetween(30_000 * MILLIS, 30_200 * MILLIS);
    }

    /// One sequence at a time, and prompts that are slow to compute: the same prompt goes to the other replica.
    private static ReplicaSpec slowToCompute(String name) {
        DeviceFacts device = new DeviceFacts("", 0, 0, 0, 0, 0, 0, 1e3);
        return new ReplicaSpec(
                name,
                ReplicaRole.DECODE,
                "",
                "",
                60,
                16,
                1,
                512,
                device,
                shape -> MILLIS + MILLIS * shape.tokens());
    }

    private static List<Arrival> samePromptTwice() {
        int[] tokens = new SplittableRandom(1).ints(400, 0, 1000).toArray();
        return List.of(
                new Arrival(0, Prompt.of(tokens), 300, Terms.none(), 0),
                new Arrival(450 * MILLIS, Prompt.of(tokens), 5, Terms.none(), 0));
    }

    @Test
    void aPrefixIsFetchedFromWhereItIsCached() {
        SimulationResult result =
                run(samePromptTwice(), FaultPlan.none(), slowToCompute("a"), slowToCompute("b"));
        assertThat(result.completed()).isEqualTo(2);
        assertThat(result.totals().prefixFetches()).isEqualTo(1);
        assertThat(result.totals().prefixFetchedTokens()).isEqualTo(384);
        assertThat(result.totals().computedTokens()).isLessThan(400 + 300 + 16 + 5);
        assertThat(result.blocksHeld()).isZero();
    }

    @Test
    void aPrefixThatDoesNotComeIsComputed() {
        for (FaultKind kind : List.of(FaultKind.TRANSFER_LOST, FaultKind.BLOCK_CORRUPTED)) {
            SimulationResult result =
                    run(
                            samePromptTwice(),
                            plan(new Fault(kind, 0, 0, 0, 0, 0)),
                            slowToCompute("a"),
                            slowToCompute("b"));
            assertThat(result.completed()).isEqualTo(2);
            assertThat(result.totals().prefixFetches()).isEqualTo(1);
            assertThat(result.totals().prefixFetchedTokens()).isZero();
            assertThat(result.blocksHeld()).isZero();
        }
    }

    @Test
    void aLenderThatDiesIsNotWaitedFor() {
        // The fetch begins within the step that is in flight, and the lender dies in it.
        SimulationResult result =
                run(
                        samePromptTwice(),
                        plan(new Fault(FaultKind.CRASH, 451 * MILLIS, 0, 0, 10_000 * MILLIS, 0)),
                        slowToCompute("a"),
                        slowToCompute("b"));
        assertThat(result.completed()).isEqualTo(2);
        assertThat(result.totals().prefixFetchedTokens()).isZero();
        assertThat(result.blocksHeld()).isZero();
    }

    @Test
    void aGarbledBlockEndsTheLeaseAtOnce() {
        Fault garbled = new Fault(FaultKind.BLOCK_CORRUPTED, 0, 0, 0, 0, 0);
        SimulationResult hit =
                run(
                        arrivals(1, 40, 5),
                        plan(garbled),
                        replica("p", ReplicaRole.PREFILL),
                        replica("d", ReplicaRole.DECODE));
        assertThat(hit.completed()).isEqualTo(1);
        assertThat(hit.totals().handoffsFailed()).isEqualTo(1);
        assertThat(hit.virtualNanos()).isLessThan(1_000 * MILLIS);
    }
}
