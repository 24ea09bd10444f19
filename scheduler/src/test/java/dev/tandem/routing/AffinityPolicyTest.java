package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Random;

/// Ring hash and Maglev: even parts, few moves, bounded load, hot keys.
class AffinityPolicyTest {
    private static final int KEYS = 100_000;
    private final TestRequest request = new TestRequest();

    @ParameterizedTest
    @ValueSource(strings = {RoutingPolicies.RING_HASH, RoutingPolicies.MAGLEV})
    void partsAreEvenForTheirSpeed(String name) {
        TestReplica[] replicas = TestReplica.replicas(16);
        for (int i = 0; i < 16; i += 4) {
            replicas[i].speed = 2;
            replicas[i + 1].speed = 1.5;
        }
        int[] homes = homes(policy(name, replicas), replicas);
        for (int home : homes) {
            replicas[home].picks++;
        }
        // The ring's parts differ by about 1/sqrt(160) = 8 %; the table's by one slot in 682 and
        // the keys' own noise.
        double tolerance = name.equals(RoutingPolicies.MAGLEV) ? 0.06 : 0.3;
        for (TestReplica replica : replicas) {
            double fair = KEYS * replica.speed / 22;
            assertThat(Math.abs(replica.picks - fair) / fair).isLessThan(tolerance);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {RoutingPolicies.RING_HASH, RoutingPolicies.MAGLEV})
    void littleMovesWhenAReplicaLeavesAndAllComesBackWithANewId(String name) {
        TestReplica[] replicas = TestReplica.replicas(10);
        int[] before = homes(policy(name, replicas), replicas);
        TestReplica[] rest = new TestReplica[9];
        for (int i = 0; i < 9; i++) {
            rest[i] = replicas[i < 4 ? i : i + 1]; // without 4
        }
        int[] after = homes(policy(name, rest), rest);
        int needlessly = 0;
        for (int key = 0; key < KEYS; key++) {
            if (before[key] != 4 && before[key] != after[key]) {
                needlessly++;
            }
        }
        if (name.equals(RoutingPolicies.RING_HASH)) {
            assertThat(needlessly).isZero();
        } else {
            assertThat(needlessly).isLessThan(KEYS * 4 / 100);
        }
        TestReplica[] again = Arrays.copyOf(rest, 10);
        again[9] = new TestReplica(99, "worker-4");
        int[] back = homes(policy(name, again), again);
        for (int key = 0; key < KEYS; key++) {
            before[key] = before[key] == 4 ? 99 : before[key];
        }
        assertThat(back).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {RoutingPolicies.RING_HASH, RoutingPolicies.MAGLEV})
    void boundedLoadIsNeverExceeded(String name) {
        Random random = new Random(Seeds.SEED);
        TestReplica[] replicas = TestReplica.replicas(8);
        replicas[3].speed = 0.5;
        replicas[5].health.weight = 0.25;
        RoutingPolicy policy = policy(name, replicas);
        Candidates candidates = TestReplica.candidates(replicas);
        ArrayDeque<TestReplica> running = new ArrayDeque<>();
        double sizes = 6 + 0.5 + 0.25;
        for (int i = 0; i < KEYS; i++) {
            // Keys by a steep power law: the first few make up most of the requests.
            request.sequence(i).key((long) Math.pow(1000, Math.pow(random.nextDouble(), 3)));
            TestReplica replica = replicas[policy.choose(request, candidates, i * 1_000_000L)];
            replica.sequences++;
            running.add(replica);
            double size = replica.speed * replica.health.weight;
            assertThat(replica.sequences)
                    .as(Seeds.repeat(getClass()))
                    .isLessThanOrEqualTo((int) Math.ceil(1.25 * running.size() * size / sizes));
            while (running.size() > random.nextInt(200)) {
                running.remove().sequences--;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {RoutingPolicies.RING_HASH, RoutingPolicies.MAGLEV})
    void aHotKeySpreadsAsFarAsItsShareAsksAndOthersStayHome(String name) {
        TestReplica[] replicas = TestReplica.replicas(8);
        RoutingPolicy policy = policy(name, replicas);
        int[] homes = homes(policy(name, replicas), replicas);
        Candidates candidates = TestReplica.candidates(replicas);
        Random random = new Random(Seeds.SEED);
        int[] hot = new int[8];
        for (TestReplica replica : replicas) {
            replica.sequences = 1000; // no cap is near
        }
        int moved = 0;
        int hotKey = -7;
        for (int i = 0; i < KEYS; i++) {
            boolean isHot = i % 5 == 0; // 20 %: ceil(0.2 x 8 / 0.5) = 4 replicas
            int key = isHot ? hotKey : random.nextInt(KEYS);
            int pick = policy.choose(request.sequence(i).key(key), candidates, i * 1_000_000L);
            if (isHot && i > 1000) {
                hot[pick]++;
                replicas[pick].sequences = 1000 + hot[pick] / 1000; // so the least loaded changes
            } else if (!isHot) {
                moved += replicas[pick].id == homes[key] ? 0 : 1;
            }
        }
        int used = 0;
        for (int picks : hot) {
            used += picks > 1000 ? 1 : 0;
            assertThat(picks).isLessThan(KEYS / 5 / 3);
        }
        assertThat(used).as(Seeds.repeat(getClass())).isEqualTo(4);
        assertThat(moved).as(Seeds.repeat(getClass())).isZero();
    }

    @Test
    void aHotKeyGoesHomeWhenItHasCooledDown() {
        TestReplica[] replicas = TestReplica.replicas(8);
        RoutingPolicy policy = policy(RoutingPolicies.MAGLEV, replicas);
        int home = homes(policy(RoutingPolicies.MAGLEV, replicas), replicas)[42];
        Candidates candidates = TestReplica.candidates(replicas);
        for (TestReplica replica : replicas) {
            replica.sequences =
                    replica.id == home ? 11 : 10; // below the cap of 13, but fewer elsewhere
        }
        long now = 0;
        int away = 0;
        for (int i = 0; i < 1000; i++) {
            now += 1_000_000;
            away += policy.choose(request.key(42), candidates, now) == home ? 0 : 1;
        }
        assertThat(away).isGreaterThan(900);
        for (int i = 0; i < 10_000; i++) {
            now += 10_000_000; // 10 half-lives
            policy.choose(request.key(1000 + i), candidates, now);
        }
        assertThat(policy.choose(request.key(42), candidates, now)).isEqualTo(home);
    }

    @Test
    void aReplicaThatIsFullOrUnknownIsPassedBy() {
        TestReplica[] replicas = TestReplica.replicas(4);
        RoutingPolicy policy = policy(RoutingPolicies.RING_HASH, replicas);
        int home = homes(policy, replicas)[1];
        Candidates rest = new Candidates();
        for (TestReplica replica : replicas) {
            if (replica.id != home) {
                rest.add(replica);
            }
        }
        int pick = policy.choose(request.key(1), rest, 0);
        assertThat(rest.get(pick).id()).isNotEqualTo(home);
        assertThat(policy.choose(request.key(1), rest, 0)).isEqualTo(pick);
        Candidates strangers = TestReplica.candidates(new TestReplica(50), new TestReplica(51));
        assertThat(policy.choose(request.key(1), strangers, 0)).isZero();
    }

    @Test
    void theSketchFindsHeavyKeysAndNeverOverstatesThem() {
        Random random = new Random(Seeds.SEED);
        HotKeys sketch = new HotKeys(16, 1L << 40);
        int[] exact = new int[2000];
        for (int i = 1; i <= KEYS; i++) {
            int key = random.nextInt(4) == 0 ? 5 : random.nextInt(2000);
            exact[key]++;
            double share = sketch.record(key, i);
            assertThat(share)
                    .as(Seeds.repeat(getClass()))
                    .isLessThanOrEqualTo(exact[key] / (double) i + 1e-9);
            if (key == 5 && i > 1000) {
                assertThat(share).as(Seeds.repeat(getClass())).isGreaterThan(0.15);
            }
        }
    }

    private static RoutingPolicy policy(String name, TestReplica[] replicas) {
        RoutingPolicy policy = RoutingPolicies.create(name, RoutingOptions.defaults());
        policy.replicasChanged(TestReplica.candidates(replicas));
        return policy;
    }

    /// Ids of the homes of the keys 0..KEYS-1, told apart in time so that none is hot.
    private int[] homes(RoutingPolicy policy, TestReplica[] replicas) {
        Candidates candidates = TestReplica.candidates(replicas);
        int[] homes = new int[KEYS];
        for (int key = 0; key < KEYS; key++) {
            homes[key] = candidates.get(policy.choose(request.key(key), candidates, 0)).id();
        }
        return homes;
    }
}
