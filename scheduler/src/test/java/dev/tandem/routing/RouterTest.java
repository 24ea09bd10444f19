package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tandem.routing.Health.State;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Everything together: a policy with ejection, probes, slow start and zones around it.
class RouterTest {
    private static final long MILLI = 1_000_000;
    private static final int POOL = Router.DECODE_POOL;
    private final TestRequest request = new TestRequest();
    private Router router = new Router(RoutingOptions.defaults());

    @Test
    void anEjectedReplicaGetsNothingButOneProbe() {
        TestReplica[] replicas = join(3, "");
        Candidates candidates = TestReplica.candidates(replicas);
        for (int i = 0; i < 5; i++) {
            router.failed(replicas[0].health, i, 0);
        }
        long now = 0;
        for (; now < 10_000 * MILLI; now += MILLI) {
            assertThat(router.choose(POOL, request.sequence(now), candidates, now)).isNotZero();
        }
        request.attempt = 1;
        assertThat(router.choose(POOL, request.sequence(5), candidates, now))
                .as("a second attempt is no probe")
                .isNotZero();
        request.attempt = 0;
        assertThat(router.choose(POOL, request.sequence(6), candidates, now)).isZero();
        for (int i = 0; i < 1000; i++) {
            assertThat(router.choose(POOL, request.sequence(7 + i), candidates, now)).isNotZero();
        }
        router.succeeded(replicas[0].health, 6, 1, 1.1, now);
        assertThat(replicas[0].health.state()).isEqualTo(State.ADMITTED);
        replicas[1].sequences = 30;
        replicas[2].sequences = 30;
        assertThat(router.choose(POOL, request.sequence(5000), candidates, now)).isZero();
    }

    @Test
    void aCancelledProbeIsFollowedByAnother() {
        TestReplica[] replicas = join(3, "");
        Candidates candidates = TestReplica.candidates(replicas);
        for (int i = 0; i < 5; i++) {
            router.failed(replicas[0].health, i, 0);
        }
        long now = 10_000 * MILLI;
        assertThat(router.choose(POOL, request.sequence(6), candidates, now)).isZero();
        router.abandoned(replicas[0].health, 6);
        assertThat(router.choose(POOL, request.sequence(7), candidates, now)).isZero();
        assertThat(router.choose(POOL, request.sequence(8), candidates, now)).isNotZero();
    }

    @Test
    void aFlappingWorkerComesBackEjected() {
        TestReplica[] replicas = join(4, "");
        long now = 0;
        for (int i = 0; i < 5; i++) {
            router.lost(replicas[0].health, false, now);
            now += 100 * MILLI;
            replicas[0].health = router.joined("worker-0", POOL, "", 1000, now);
        }
        assertThat(replicas[0].health.state()).isEqualTo(State.EJECTED);
        Candidates candidates = TestReplica.candidates(replicas);
        assertThat(router.choose(POOL, request, candidates, now)).isNotZero();
        router.lost(replicas[1].health, true, now);
        assertThat(router.joined("worker-1", POOL, "", 1000, now).state())
                .isEqualTo(State.ADMITTED);
    }

    @Test
    void suspectReplicasAreBetterThanNone() {
        TestReplica[] replicas = join(2, "");
        for (int i = 0; i < 5; i++) {
            router.failed(replicas[0].health, i, 0);
        }
        assertThat(router.choose(POOL, request, TestReplica.candidates(replicas[0]), 0)).isZero();
        assertThat(router.choose(POOL, request, new Candidates(), 0)).isEqualTo(-1);
    }

    @Test
    void requestsStayInTheirZoneAndSpillOnlyThePartItCantCarry() {
        TestReplica[] local = join(0, 4, "a");
        TestReplica[] other = join(4, 4, "b");
        request.zone = "a";
        Candidates all = new Candidates();
        for (TestReplica[] zone : List.of(local, other)) {
            for (TestReplica replica : zone) {
                all.add(replica);
            }
        }
        assertThat(shareOf(other, all, 0)).isZero();
        router.lost(local[0].health, false, 0);
        router.lost(local[1].health, false, 0);
        Candidates rest =
                TestReplica.candidates(local[2], local[3], other[0], other[1], other[2], other[3]);
        assertThat(shareOf(other, rest, 0)).isCloseTo(0.3, within(0.01));
        Candidates full = TestReplica.candidates(other);
        assertThat(shareOf(other, full, 0)).as("the zone has no free slot").isEqualTo(1);
        request.zone = "nowhere";
        assertThat(shareOf(other, all, 0)).isCloseTo(0.5, within(0.001));
        assertThat(router.admissibleShare(POOL, "a", 0)).isEqualTo(1);
    }

    private double shareOf(TestReplica[] zone, Candidates candidates, long now) {
        for (int i = 0; i < candidates.size(); i++) {
            ((TestReplica) candidates.get(i)).sequences = 0;
        }
        int inZone = 0;
        int picks = 20_000;
        for (int i = 0; i < picks; i++) {
            int pick = router.choose(POOL, request.sequence(i), candidates, now);
            TestReplica replica = (TestReplica) candidates.get(pick);
            inZone += Arrays.asList(zone).contains(replica) ? 1 : 0;
            replica.sequences++;
        }
        return inZone / (double) picks;
    }

    /// Random storms of errors, slowness, silence, losses and returns: the rules of ejection hold at every moment.
    @ParameterizedTest
    @MethodSource("dev.tandem.routing.RoutingPolicies#names")
    void stormsNeverEjectTooManyNorSendTwoProbes(String policy) {
        for (long seed = Seeds.SEED; seed < Seeds.SEED + 10; seed++) {
            new Storm(policy, seed).run(3_000);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.tandem.routing.RoutingPolicies#names")
    void theSameStormGivesTheSameChoices(String policy) {
        Storm first = new Storm(policy, Seeds.SEED);
        Storm second = new Storm(policy, Seeds.SEED);
        first.run(5_000);
        second.run(5_000);
        assertThat(first.choices).isEqualTo(second.choices);
        assertThat(first.choices.stream().distinct().count()).isGreaterThan(5);
        assertThat(first.probesSent).isPositive();
    }

    @Test
    void badOptionsAreRefusedWithAClearLine() {
        RoutingOptions options = RoutingOptions.defaults();
        assertThatThrownBy(() -> options.withPolicies("random", "maglev"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no routing policy random, there are [least-loaded,");
        assertThatThrownBy(() -> new Maglev(options.affinity(), 16_384, 0))
                .hasMessageStartingWith("maglevTableSize must be a prime");
        assertThatThrownBy(() -> new SlowStart.Options(0, 2, 8, 1000, 1.5, 0.05))
                .hasMessage("slowStart.weightMin must be above 0 and at most 1, is 0.0");
        assertThatThrownBy(() -> new WeightedRoundRobin.Options(Double.NaN))
                .hasMessage("roundRobin.queueSecondsTypical must be above 0.0, is NaN");
        assertThatThrownBy(() -> router.joined("a", POOL, "", 0, 0))
                .hasMessage("tokensPerSecond of a must be above 0.0, is 0.0");
        assertThatThrownBy(() -> router.joined("a", 2, "", 1, 0)).hasMessage("no pool 2");
    }

    private TestReplica[] join(int count, String zone) {
        return join(0, count, zone);
    }

    private TestReplica[] join(int firstId, int count, String zone) {
        TestReplica[] replicas = new TestReplica[count];
        for (int i = 0; i < count; i++) {
            replicas[i] = new TestReplica(firstId + i);
            replicas[i].health = router.joined(replicas[i].name, POOL, zone, 1000, 0);
        }
        return replicas;
    }

    /// A random history of one pool, checked after each event.
    private static final class Storm {
        private record Work(TestReplica replica, long sequence, boolean probe) {}

        private final Random random;
        private final Router router;
        private final String story;
        private final TestRequest request = new TestRequest();
        private final List<TestReplica> present = new ArrayList<>();
        private final List<String> away = new ArrayList<>();
        private final List<Work> running = new ArrayList<>();
        final List<Integer> choices = new ArrayList<>();
        int probesSent;
        private int nextId;
        private long now;

        Storm(String policy, long seed) {
            random = new Random(seed);
            router = new Router(RoutingOptions.defaults().withPolicies("cost", policy));
            story =
                    "repeat with: mvn -pl scheduler test -Dtest=RouterTest -Dtandem.seed="
                            + seed
                            + " ("
                            + policy
                            + ")";
            for (int i = 0; i < 7; i++) {
                away.add("worker-" + i);
            }
            while (!away.isEmpty()) {
                join();
            }
        }

        void run(int events) {
            for (int i = 0; i < events; i++) {
                now += random.nextInt(100) * MILLI;
                switch (random.nextInt(200)) {
                    case 0 -> lose();
                    case 1, 2 -> join();
                    default -> {
                        if (random.nextBoolean()) {
                            place(i);
                        } else {
                            end();
                        }
                    }
                }
                check();
            }
        }

        private void join() {
            if (!away.isEmpty()) {
                String name = away.remove(random.nextInt(away.size()));
                TestReplica replica = new TestReplica(nextId++, name);
                String zone = name.hashCode() % 2 == 0 ? "a" : "b";
                replica.health = router.joined(name, POOL, zone, 1000, now);
                present.add(replica);
                membersChanged();
            }
        }

        private void lose() {
            if (!present.isEmpty()) {
                TestReplica replica = present.remove(random.nextInt(present.size()));
                away.add(replica.name);
                router.lost(replica.health, random.nextBoolean(), now);
                running.removeIf(work -> work.replica == replica);
                membersChanged();
            }
        }

        private void membersChanged() {
            router.replicasChanged(
                    POOL, TestReplica.candidates(present.toArray(new TestReplica[0])));
        }

        private void place(long sequence) {
            Candidates candidates = new Candidates();
            for (TestReplica replica : present) {
                if (random.nextInt(10) != 0) {
                    candidates.add(replica);
                }
            }
            request.zone = random.nextBoolean() ? "a" : "b";
            request.attempt = random.nextInt(3);
            State[] before = new State[candidates.size()];
            for (int i = 0; i < before.length; i++) {
                before[i] = candidates.get(i).health().state();
            }
            int pick =
                    router.choose(
                            POOL, request.sequence(sequence).key(sequence % 50), candidates, now);
            assertThat(pick == -1).as(story).isEqualTo(candidates.isEmpty());
            choices.add(pick < 0 ? -1 : candidates.get(pick).id());
            if (pick >= 0) {
                TestReplica replica = (TestReplica) candidates.get(pick);
                Health health = replica.health;
                boolean probe = health.probeSequence == sequence;
                if (probe) {
                    assertThat(before[pick]).as(story).isEqualTo(State.EJECTED);
                } else if (health.state() != State.ADMITTED && !router.isPanicking(POOL)) {
                    assertThat(anyAdmitted(candidates)).as(story).isFalse();
                }
                probesSent += probe ? 1 : 0;
                replica.sequences++;
                running.add(new Work(replica, sequence, probe));
            }
        }

        private static boolean anyAdmitted(Candidates candidates) {
            for (int i = 0; i < candidates.size(); i++) {
                if (candidates.get(i).health().state() == State.ADMITTED) {
                    return true;
                }
            }
            return false;
        }

        /// Workers 0 to 2 are bad, with a probability that comes and goes; some work never ends.
        private void end() {
            if (running.isEmpty()) {
                return;
            }
            Work work = running.remove(random.nextInt(running.size()));
            work.replica.sequences--;
            Health health = work.replica.health;
            boolean bad = work.replica.name.compareTo("worker-2") <= 0 || random.nextInt(50) == 0;
            boolean storm = (now / (60_000 * MILLI)) % 2 == 0;
            State before = health.state();
            if (random.nextInt(30) == 0) {
                router.abandoned(health, work.sequence);
            } else if (bad && storm && random.nextInt(4) != 0) {
                router.failed(health, work.sequence, now);
                if (before == State.PROBING && health.probeSequence == Health.NO_SEQUENCE) {
                    assertThat(work.probe).as(story).isTrue();
                }
            } else {
                router.succeeded(
                        health, work.sequence, 1, bad ? 6 : 0.9 + 0.2 * random.nextDouble(), now);
                if (before != State.ADMITTED && health.state() == State.ADMITTED) {
                    assertThat(work.probe).as("only a probe lets it back in; " + story).isTrue();
                }
            }
        }

        private void check() {
            int out = 0;
            int there = 0;
            for (TestReplica replica : present) {
                there++;
                out += replica.health.state() != State.ADMITTED ? 1 : 0;
            }
            if (out > Math.max(0, Math.min(there / 2, there - 1))) { // checked after every event
                throw new AssertionError(out + " of " + there + " are out; " + story);
            }
        }
    }
}
