package dev.tandem.sim.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.admission.Terms;
import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.Prompt;
import dev.tandem.core.ReplicaRole;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;
import dev.tandem.sim.cost.StepCost;
import dev.tandem.sim.fault.FaultPlan;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/// The times that a run yields, against ones computed by hand.
///
/// Every step costs 1 ms and 10 us a token; the coordinator is 50 us away from each worker.
class EngineTimingTest {
    private static final long MICROS = 1_000;
    private static final StepCost COST = shape -> 1_000 * MICROS + 10 * MICROS * shape.tokens();

    /// When which sequence got a token, in microseconds.
    private static final class Times implements SimulationObserver {
        final List<String> tokens = new ArrayList<>();

        @Override
        public void arrived(long sequence, Arrival arrival, long nanos) {}

        @Override
        public void token(long sequence, long nanos) {
            tokens.add(sequence + "@" + nanos / MICROS);
        }

        @Override
        public void finished(long sequence, long nanos) {}

        @Override
        public void failed(
                long sequence, ErrorCategory category, String code, long retry, long nanos) {}

        @Override
        public void cancelled(long sequence, long nanos) {}

        @Override
        public void sampled(CoreSnapshot snapshot, long nanos) {}
    }

    private static ReplicaSpec replica(String name, ReplicaRole role) {
        // 1 MB of KV a token.
        DeviceFacts device = new DeviceFacts("", 0, 0, 0, 0, 0, 0, 1e6);
        return new ReplicaSpec(name, role, "", "", 100, 16, 8, 64, device, COST);
    }

    private static Arrival arrival(long micros, int prompt, int output) {
        int[] tokens = new int[prompt];
        Arrays.setAll(tokens, i -> (int) micros + i);
        return new Arrival(micros * MICROS, Prompt.of(tokens), output, Terms.none(), 0);
    }

    private static List<String> run(ClusterSpec cluster, Arrival... arrivals) {
        Times times = new Times();
        SimulationResult result =
                new Simulation(
                                cluster,
                                CoreOptions.defaults(),
                                new ListWorkload(List.of(arrivals)),
                                List.of(times),
                                FaultPlan.none(),
                                1)
                        .run();
        assertThat(result.completed()).isEqualTo(arrivals.length);
        assertThat(result.unfinished()).isZero();
        return times.tokens;
    }

    private static ClusterSpec cluster(ReplicaSpec... replicas) {
        return new ClusterSpec(List.of(replicas), Links.uniform(10e9, 5 * MICROS), 50 * MICROS);
    }

    @Test
    void oneRequestAloneTakesItsStepsAndTheWayThereAndBack() {
        // 100 tokens in steps of 64 and 36: 50 + 1640 + 1360 + 50; then 1010 a token, since the
        // next plan is there
        // before the step before it ends.
        assertThat(run(cluster(replica("a", ReplicaRole.DECODE)), arrival(0, 100, 3)))
                .containsExactly("1@3100", "1@4110", "1@5120");
    }

    @Test
    void theSecondRequestWaitsForThePlansThatAreUnderWay() {
        // Plan 1: 16 tokens of sequence 1, ends at 1210. Sequence 2 comes while plan 2, the first
        // decode, is sent
        // already: it ends at 2220. The place for plan 3 is there at 1260, when plan 1's result is
        // back: a decode and
        // 20 tokens, 1210 us, ends at 3430.
        assertThat(
                        run(
                                cluster(replica("a", ReplicaRole.DECODE)),
                                arrival(0, 16, 3),
                                arrival(100, 20, 1)))
                .containsExactly("1@1260", "1@2270", "1@3480", "2@3480");
    }

    @Test
    void aDisaggregatedRequestDecodesWhenItsLastBlockIsAcknowledged() {
        // 48 tokens prefill: 50 + 1480, so the first token is there at 1580. Three blocks of 16 MB
        // at 10 GB/s take
        // 4800 us and 5 us of latency from 1530 on: the receiver's word is at the core at 6335 +
        // 50; the decode takes
        // 50 + 1010 + 50 from there.
        assertThat(
                        run(
                                cluster(
                                        replica("p", ReplicaRole.PREFILL),
                                        replica("d", ReplicaRole.DECODE)),
                                arrival(0, 48, 2)))
                .containsExactly("1@1580", "1@7495");
    }

    @Test
    void twoTransfersFromOneSenderShareItsCard() {
        // Sequence 1 as above. Sequence 2 is in the plan after: 1530 + 1480 = 3010 (token at 3060).
        // Its 4800 us begin
        // when the card is free at 6330: 11130 + 5 + 50, then 1110 more.
        List<String> tokens =
                run(
                        cluster(
                                replica("p", ReplicaRole.PREFILL),
                                replica("d", ReplicaRole.DECODE)),
                        arrival(0, 48, 2),
                        arrival(10, 48, 2));
        assertThat(tokens).containsExactly("1@1580", "2@3060", "1@7495", "2@12295");
    }

    /// Arrivals from a list.
    private static final class ListWorkload implements dev.tandem.sim.Workload {
        private final Iterator<Arrival> arrivals;
        private final int size;

        ListWorkload(List<Arrival> arrivals) {
            this.arrivals = arrivals.iterator();
            this.size = arrivals.size();
        }

        @Override
        public @org.jspecify.annotations.Nullable Arrival next() {
            return arrivals.hasNext() ? arrivals.next() : null;
        }

        @Override
        public long size() {
            return size;
        }
    }
}
