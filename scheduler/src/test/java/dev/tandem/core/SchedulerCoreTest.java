package dev.tandem.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.admission.AdmissionOptions;
import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.batching.DeviceFacts;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// Decisions of the core that need no cluster to be seen.
class SchedulerCoreTest {
    private static final long MILLIS = 1_000_000;

    private SchedulerCore core = new SchedulerCore(CoreOptions.defaults());
    private long now = 1_000 * MILLIS;
    private long nextSequence = 1;
    private Lane lane = Lane.DEFAULT;

    @Test
    void aZoneIsServedByAClusterWithoutPrefillReplicas() {
        join(1, ReplicaRole.DECODE, "a");
        for (int i = 0; i < 2_000; i++) {
            now += 20 * MILLIS;
            core.on(new Event.Tick(), now);
            Commands commands = submit(8, "a", 0);
            assertThat(commands.failed()).isEmpty();
            core.on(new Event.Cancel(nextSequence - 1), now);
        }
    }

    @Test
    void whatCanNotBeDoneByItsDeadlineIsToldSoAtOnce() {
        join(1, ReplicaRole.DECODE, "");
        Commands commands = submit(100, "", now + MILLIS / 1_000);
        assertThat(commands.failed())
                .singleElement()
                .satisfies(
                        failed -> {
                            assertThat(failed.code()).isEqualTo("deadline_unreachable");
                            assertThat(failed.category()).isEqualTo(ErrorCategory.CAPACITY);
                        });
        assertThat(core.sequences()).isZero();
    }

    @Test
    void whatRunsPastItsDeadlineIsStopped() {
        join(1, ReplicaRole.DECODE, "");
        assertThat(submit(100, "", now + 60_000 * MILLIS).failed()).isEmpty();
        now += 60_001 * MILLIS;
        Commands commands = core.on(new Event.Tick(), now);
        assertThat(commands.failed())
                .singleElement()
                .satisfies(failed -> assertThat(failed.code()).isEqualTo("deadline_exceeded"));
        assertThat(core.sequences()).isZero();
        assertThat(core.audit()).isEmpty();
    }

    @Test
    void whatNobodyCouldStartInTimeIsGivenUpButNotInTheBatchLane() {
        core = new SchedulerCore(answeringWithin(100));
        join(1, ReplicaRole.DECODE, "");
        submit(3_000, "", 0); // two steps in flight, and more to come
        assertThat(submit(100, "", 0).failed()).isEmpty();
        lane = Lane.BATCH;
        submit(100, "", 0);
        now += 50 * MILLIS;
        assertThat(core.on(new Event.Tick(), now).failed()).as("it may still do").isEmpty();
        assertThat(core.snapshot().waiting()).isEqualTo(2);
        now += 50 * MILLIS;
        assertThat(core.on(new Event.Tick(), now).failed())
                .singleElement()
                .satisfies(
                        failed -> {
                            assertThat(failed.sequence()).isEqualTo(2);
                            assertThat(failed.code()).isEqualTo("overloaded");
                            assertThat(failed.retryAfterMillis()).isGreaterThanOrEqualTo(1_000);
                        });
        assertThat(core.snapshot().waiting()).isEqualTo(1);
        assertThat(core.audit()).isEmpty();
    }

    @Test
    void anIdleSystemRefusesNobodyForWhatWasLateBefore() {
        core = new SchedulerCore(answeringWithin(100));
        join(1, ReplicaRole.DECODE, "");
        for (int i = 0; i < 300; i++) {
            Commands commands = submit(8, "", 0);
            assertThat(commands.failed()).as("request %d", nextSequence - 1).isEmpty();
            now += 1_000 * MILLIS; // far later than predicted
            answerAll(commands);
            assertThat(core.sequences()).isZero();
        }
    }

    /// Answers plans until the only replica has nothing to do; no step's time is measured.
    private void answerAll(Commands first) {
        Deque<Event.StepDone> answers = new ArrayDeque<>();
        Commands commands = first;
        while (true) {
            for (StepPlan plan : commands.plans()) {
                long[] sequences =
                        IntStream.range(0, plan.rows())
                                .filter(plan::rowSamples)
                                .mapToLong(plan::rowSequence)
                                .toArray();
                int samples = sequences.length;
                answers.add(
                        new Event.StepDone(
                                1, plan.number(), samples, sequences, new int[samples], null, 0));
            }
            if (answers.isEmpty()) {
                return;
            }
            commands = core.on(answers.removeFirst(), now);
            assertThat(commands.disconnects()).isEmpty();
        }
    }

    @Test
    void stepsAreShortWhereFirstTokensAreWantedSoon() {
        assertThat(CoreOptions.defaults().stepMillis()).isEqualTo(100);
        assertThat(answeringWithin(2_000).stepMillis()).isEqualTo(100);
        assertThat(answeringWithin(500).stepMillis()).isEqualTo(50);
        assertThat(answeringWithin(100).stepMillis()).as("a quarter of the TPOT").isEqualTo(25);
    }

    /// Requests that are predicted to miss the objective are refused.
    private static CoreOptions answeringWithin(int ttftMillis) {
        CoreOptions defaults = CoreOptions.defaults();
        AdmissionOptions d = defaults.admission();
        var wanted =
                new WorkloadClass(
                        "default", List.of(), Lane.DEFAULT, ttftMillis, 0, Integer.MAX_VALUE, 256);
        var admission =
                new AdmissionOptions(
                        d.fairness(),
                        d.rules(),
                        d.laneShares(),
                        d.promptTokenCost(),
                        d.outputTokenCost(),
                        d.overtakenMax(),
                        d.queuedTokensMax(),
                        d.queuedSequencesMax(),
                        d.tenantQueueFactor(),
                        1,
                        d.retryAfterMillisMax(),
                        d.tenantsMax(),
                        d.defaultTenant(),
                        d.tenants(),
                        wanted,
                        d.classes());
        return defaults.withPolicies(
                defaults.batching(), defaults.placement(), defaults.routing(), admission);
    }

    @Test
    void aPromptGoesToAPrefillReplicaAndAShortOneStaysWhereItDecodes() {
        join(1, ReplicaRole.PREFILL, "");
        join(2, ReplicaRole.DECODE, "");
        assertThat(submit(8, "", 0).plans())
                .isNotEmpty()
                .allSatisfy(plan -> assertThat(plan.replica().id()).isEqualTo(2));
        assertThat(submit(400, "", 0).plans())
                .isNotEmpty()
                .allSatisfy(plan -> assertThat(plan.replica().id()).isEqualTo(1));
        assertThat(core.snapshot().transferring()).isEqualTo(1);
        assertThat(core.audit()).isEmpty();
    }

    @Test
    void strangersAndRepeatsChangeNothing() {
        join(1, ReplicaRole.DECODE, "");
        submit(8, "", 0);
        Event.StepDone foreign = new Event.StepDone(7, 1, 0, new long[0], new int[0], null, MILLIS);
        assertThat(core.on(foreign, now).disconnects()).isEmpty();
        core.on(new Event.LeaseEnded(1, 99, true, 10), now);
        core.on(new Event.SendEnded(1, 99, false), now);
        core.on(new Event.ReplicaLost(42, "never there"), now);
        assertThat(core.sequences()).isEqualTo(1);
        assertThat(core.audit()).isEmpty();
    }

    @Test
    void aResultThatFitsNoPlanCostsTheWorkerItsPlace() {
        join(1, ReplicaRole.DECODE, "");
        submit(8, "", 0);
        Event.StepDone wrong =
                new Event.StepDone(1, 1, 1, new long[] {77}, new int[] {5}, null, MILLIS);
        assertThat(core.on(wrong, now).disconnects()).hasSize(1);
        assertThat(core.sequences()).as("it waits for another worker").isEqualTo(1);
        assertThat(core.snapshot().waiting()).isEqualTo(1);
    }

    private void join(int id, ReplicaRole role, String zone) {
        ReplicaFacts facts =
                new ReplicaFacts(
                        "w" + id, 1, role, "", zone, 1_000, 16, 64, 512, DeviceFacts.unknown(), 0);
        assertThat(core.on(new Event.ReplicaJoined(id, facts), now).disconnects()).isEmpty();
    }

    private Commands submit(int promptTokens, String zone, long deadlineNanos) {
        int[] tokens = new int[promptTokens];
        Arrays.fill(tokens, (int) nextSequence);
        Event.Submit submit =
                new Event.Submit(
                        nextSequence++,
                        Prompt.of(tokens),
                        16,
                        SamplingParameters.greedy(),
                        Set.of(),
                        new Terms("", "", lane, "", zone, 0, deadlineNanos));
        return core.on(submit, now);
    }
}
