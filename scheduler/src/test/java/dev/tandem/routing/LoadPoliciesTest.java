package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.Random;

/// The policies that look at load: least loaded, cost in seconds, two choices, round robin.
class LoadPoliciesTest {
    private static final int PICKS = 100_000;
    private final TestRequest request = new TestRequest();

    @Test
    void nobodyIsChosenAmongNone() {
        for (String name : RoutingPolicies.names()) {
            RoutingPolicy policy = RoutingPolicies.create(name, RoutingOptions.defaults());
            assertThat(policy.choose(request, new Candidates(), 0)).as(name).isEqualTo(-1);
            TestReplica only = new TestReplica(7);
            only.sequences = only.sequencesMax;
            assertThat(policy.choose(request, TestReplica.candidates(only), 0)).as(name).isZero();
        }
    }

    @Test
    void leastLoadedComparesSharesThenQueueThenId() {
        LeastLoaded policy = new LeastLoaded();
        TestReplica[] replicas = TestReplica.replicas(3);
        Candidates candidates = TestReplica.candidates(replicas);
        assertThat(policy.choose(request, candidates, 0)).isZero();
        replicas[0].queueSeconds = 0.1;
        assertThat(policy.choose(request, candidates, 0)).isEqualTo(1);
        replicas[1].sequences = 1;
        replicas[2].sequences = 3;
        replicas[2].sequencesMax = 256; // 4/256 beats 2/64, and equals 1/64
        replicas[0].sequences = 1;
        assertThat(policy.choose(request, candidates, 0)).isEqualTo(2);
    }

    @Test
    void leastLoadedDoesNotFloodAFreshReplica() {
        LeastLoaded policy = new LeastLoaded();
        TestReplica[] replicas = TestReplica.replicas(2);
        replicas[0].sequences = 5;
        replicas[1].health.weight = 0.1;
        assertThat(policy.choose(request, TestReplica.candidates(replicas), 0)).isZero();
        replicas[1].health.weight = 0.2;
        assertThat(policy.choose(request, TestReplica.candidates(replicas), 0)).isEqualTo(1);
    }

    @Test
    void costWeighsCacheAgainstQueueAndTransferInSeconds() {
        CostInSeconds policy = new CostInSeconds(CostInSeconds.Options.defaults());
        TestReplica[] replicas = TestReplica.replicas(2);
        Candidates candidates = TestReplica.candidates(replicas);
        assertThat(policy.choose(request, candidates, 0)).isZero();
        replicas[1].prefillSeconds = 0.02; // 0.08 s are cached there
        assertThat(policy.choose(request, candidates, 0)).isEqualTo(1);
        replicas[1].queueSeconds = 0.079;
        assertThat(policy.choose(request, candidates, 0)).isEqualTo(1);
        replicas[1].queueSeconds = 0.081;
        assertThat(policy.choose(request, candidates, 0)).isZero();
        replicas[0].transferSeconds = 0.01;
        assertThat(policy.choose(request, candidates, 0)).isEqualTo(1);
        replicas[1].kvPressure = 0.9; // half of 0.2 s
        assertThat(policy.choose(request, candidates, 0)).isZero();
    }

    @Test
    void costCorrectsPredictionsThatProvedWrongAndCountsRetries() {
        CostInSeconds policy = new CostInSeconds(CostInSeconds.Options.defaults());
        TestReplica slow = new TestReplica(0).withLatency(3);
        TestReplica other = new TestReplica(1);
        other.queueSeconds = 0.15;
        assertThat(policy.choose(request, TestReplica.candidates(slow, other), 0)).isEqualTo(1);
        TestReplica failing = new TestReplica(0).withErrors(8, 8); // two attempts on average
        other.queueSeconds = 0.09;
        assertThat(policy.choose(request, TestReplica.candidates(failing, other), 0)).isEqualTo(1);
        other.queueSeconds = 0.11;
        assertThat(policy.choose(request, TestReplica.candidates(failing, other), 0)).isZero();
    }

    @Test
    void aFleetThatIsFreshAltogetherIsNotMistakenForASlowOne() {
        CostInSeconds policy = new CostInSeconds(CostInSeconds.Options.defaults());
        TestReplica[] replicas = TestReplica.replicas(2);
        replicas[0].transferSeconds = 0.05;
        replicas[1].queueSeconds = 0.04;
        replicas[0].health.weight = 0.1;
        replicas[1].health.weight = 0.1;
        assertThat(policy.choose(request, TestReplica.candidates(replicas), 0)).isEqualTo(1);
    }

    @Test
    void roundRobinSharesAreExactForConstantWeights() {
        WeightedRoundRobin policy = roundRobin();
        TestReplica[] replicas = TestReplica.replicas(4);
        for (int i = 0; i < 4; i++) {
            replicas[i].speed = i + 1;
        }
        Candidates candidates = TestReplica.candidates(replicas);
        int last = -1;
        int repeats = 0;
        for (int i = 0; i < PICKS; i++) {
            int pick = policy.choose(request, candidates, 0);
            replicas[pick].picks++;
            repeats += pick == last ? 1 : 0;
            last = pick;
        }
        for (int i = 0; i < 4; i++) {
            assertThat(replicas[i].picks).isEqualTo(PICKS * (i + 1) / 10);
        }
        assertThat(repeats)
                .as("the heaviest has 40 %, so no replica need come twice in a row")
                .isLessThan(PICKS / 10 + 1);
    }

    @Test
    void roundRobinFollowsItsLiveWeights() {
        TestReplica[] replicas = TestReplica.replicas(7);
        replicas[1].queueSeconds = 1; // 1/2
        replicas[2].withLatency(2); // about 1/2, within a bucket of the histogram
        replicas[3].withErrors(100, 100); // 1/4
        replicas[4].health.weight = 0.1;
        replicas[5].modelResidency = 0.25;
        replicas[6].speed = 2;
        double[] expected = {1, 0.5, 0.5, 0.25, 0.1, 0.25, 2};
        WeightedRoundRobin policy = roundRobin();
        Candidates candidates = TestReplica.candidates(replicas);
        for (int i = 0; i < PICKS; i++) {
            replicas[policy.choose(request, candidates, 0)].picks++;
        }
        for (int i = 0; i < 7; i++) {
            double share = replicas[i].picks / (double) replicas[0].picks;
            assertThat(share)
                    .as("replica %d", i)
                    .isCloseTo(expected[i], within(0.06 * expected[i]));
        }
        replicas[0].queueSeconds = 99; // at once, not after a turn of the old weights
        for (TestReplica replica : replicas) {
            replica.picks = 0;
        }
        for (int i = 0; i < 3600; i++) {
            replicas[policy.choose(request, candidates, 0)].picks++;
        }
        assertThat(replicas[0].picks).isBetween(9, 11);
    }

    @Test
    void roundRobinServesCandidatesThatComeAndGo() {
        WeightedRoundRobin policy = roundRobin();
        TestReplica[] replicas = TestReplica.replicas(3);
        Random random = new Random(Seeds.SEED);
        Candidates candidates = new Candidates();
        int[] offered = new int[3];
        for (int i = 0; i < PICKS; i++) {
            candidates.clear();
            for (TestReplica replica : replicas) {
                if (random.nextInt(10) != 0) {
                    candidates.add(replica);
                    offered[replica.id]++;
                }
            }
            int pick = policy.choose(request, candidates, 0);
            if (pick >= 0) {
                ((TestReplica) candidates.get(pick)).picks++;
            }
        }
        for (TestReplica replica : replicas) {
            assertThat(replica.picks)
                    .as(Seeds.repeat(getClass()))
                    .isCloseTo(PICKS / 3, within(PICKS / 100));
        }
        policy.replicasChanged(TestReplica.candidates(replicas[1]));
        assertThat(policy.choose(request, TestReplica.candidates(replicas[1]), 0)).isZero();
    }

    @Test
    void twoChoicesKeepTheFullestReplicaCloseToTheAverage() {
        int bins = 100;
        TestReplica[] replicas = TestReplica.replicas(bins);
        Candidates candidates = TestReplica.candidates(replicas);
        PowerOfTwoChoices policy =
                new PowerOfTwoChoices(PowerOfTwoChoices.Options.defaults(), Seeds.SEED);
        for (int i = 0; i < PICKS; i++) {
            TestReplica replica = replicas[policy.choose(request.sequence(i), candidates, 0)];
            replica.picks++;
            replica.inFlightTokens += 100;
        }
        int most = 0;
        int least = PICKS;
        for (TestReplica replica : replicas) {
            most = Math.max(most, replica.picks);
            least = Math.min(least, replica.picks);
        }
        // One random choice would give 1000 + about 80; two give an average + O(log log n).
        assertThat(most).as(Seeds.repeat(getClass())).isLessThanOrEqualTo(PICKS / bins + 5);
        assertThat(least).as(Seeds.repeat(getClass())).isGreaterThanOrEqualTo(PICKS / bins - 15);
    }

    @Test
    void twoChoicesOfTwoAreAlwaysBoth() {
        PowerOfTwoChoices policy =
                new PowerOfTwoChoices(PowerOfTwoChoices.Options.defaults(), Seeds.SEED);
        for (int better = 0; better < 2; better++) {
            TestReplica[] replicas = TestReplica.replicas(2);
            replicas[1 - better].inFlightTokens = 1;
            Candidates candidates = TestReplica.candidates(replicas);
            for (int i = 0; i < 100; i++) {
                assertThat(policy.choose(request.sequence(i), candidates, 0)).isEqualTo(better);
            }
        }
    }

    @Test
    void twoChoicesDrawEveryPairEquallyOften() {
        TestReplica[] replicas = TestReplica.replicas(5);
        replicas[4].inFlightTokens = 1_000_000; // loses every comparison: is never picked
        replicas[0].kvPressure = 0.99; // loses all but one
        Candidates candidates = TestReplica.candidates(replicas);
        PowerOfTwoChoices policy =
                new PowerOfTwoChoices(PowerOfTwoChoices.Options.defaults(), Seeds.SEED);
        for (int i = 0; i < PICKS; i++) {
            replicas[policy.choose(request.sequence(i), candidates, 0)].picks++;
        }
        assertThat(replicas[4].picks).isZero();
        assertThat(replicas[0].picks).isCloseTo(PICKS / 10, within(PICKS / 200));
        assertThat(replicas[2].picks).isCloseTo(PICKS * 3 / 10, within(PICKS / 100));
    }

    @Test
    void twoChoicesCompareTokensSpeedLatencyErrorsAndPressure() {
        PowerOfTwoChoices policy =
                new PowerOfTwoChoices(PowerOfTwoChoices.Options.defaults(), Seeds.SEED);
        request.promptTokens = 0;
        TestReplica replica = new TestReplica(0);
        assertThat(policy.load(request, replica)).isEqualTo(1);
        replica.inFlightTokens = 1024;
        assertThat(policy.load(request, replica)).isEqualTo(3);
        replica.speed = 2;
        assertThat(policy.load(request, replica)).isEqualTo(2);
        replica.kvPressure = 1;
        assertThat(policy.load(request, replica)).isCloseTo(10, within(1e-9));
        replica.health.weight = 0.5;
        assertThat(policy.load(request, replica)).isCloseTo(20, within(1e-9));
        replica.withErrors(10, 10);
        assertThat(policy.load(request, replica)).isCloseTo(120, within(1e-9));
        replica.withLatency(3);
        assertThat(replica.health.errorRate()).isCloseTo(10 / 220.0, within(1e-9));
        assertThat(policy.load(request, replica))
                .isCloseTo(20 * 3 * (1 + 100 / 220.0), within(1e-6));
    }

    private static WeightedRoundRobin roundRobin() {
        return new WeightedRoundRobin(WeightedRoundRobin.Options.defaults());
    }
}
