package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/// The rules against a server whose predictions are exact: 1,000 tokens per second.
class AdmissionRulesTest {
    private AdmissionOptions options = TestOptions.queue(1 << 20, 8);
    private TenantAccounts accounts = new TenantAccounts(options);
    private AdmissionPolicy rules = new AdmissionRules(options, accounts);
    private FluidServer server = new FluidServer(options, 1_000);
    private long nextId = 1;

    private void use(AdmissionOptions other) {
        options = other;
        accounts = new TenantAccounts(options);
        rules = new AdmissionRules(options, accounts);
        server = new FluidServer(options, 1_000);
    }

    @Test
    void anIdleServerAccepts() {
        assertThat(verdict("", null, 100, 0)).isSameAs(Verdict.ACCEPT);
    }

    /// The objective is 2 s, the factor 4: 8 s of work may wait, a request behind more is refused.
    @Test
    void aFirstTokenFarTooLateIsRefusedAndTheWaitIsHonest() {
        addAll(Lane.DEFAULT, 12, 1_000);
        Verdict.Refuse refuse = refused(verdict("", Lane.DEFAULT, 500, 0), Reason.OVERLOAD);
        assertThat(refuse.message())
                .isEqualTo("The first token is predicted in 12.5 s, the objective is 2.0 s.");
        assertThat(refuse.retryAfterMillis()).isBetween(5_000, 6_250);
        server.advanceMillis(3_000);
        refused(verdict("", Lane.DEFAULT, 500, 0), Reason.OVERLOAD);
        server.advanceMillis(refuse.retryAfterMillis() - 3_000);
        assertThat(verdict("", Lane.DEFAULT, 500, 0)).isSameAs(Verdict.ACCEPT);
    }

    @Test
    void theBatchLaneWaitsWhereOthersAreRefused() {
        addAll(Lane.DEFAULT, 12, 1_000);
        assertThat(verdict("", Lane.BATCH, 500, 0)).isSameAs(Verdict.ACCEPT);
    }

    /// 30 s of computing are nobody's fault: refusing would refuse it for ever.
    @Test
    void aLongPromptIsJudgedByItsOwnTime() {
        assertThat(verdict("", Lane.DEFAULT, 30_000, 0)).isSameAs(Verdict.ACCEPT);
        addAll(Lane.DEFAULT, 12, 1_000);
        assertThat(verdict("", Lane.DEFAULT, 30_000, 0)).isSameAs(Verdict.ACCEPT);
        refused(verdict("", Lane.DEFAULT, 500, 0), Reason.OVERLOAD);
    }

    @Test
    void lowerLanesAreShedAsFarAsNeededAndNoFurther() {
        addAll(Lane.INTERACTIVE, 2, 1_000);
        addAll(Lane.DEFAULT, 4, 1_000);
        addAll(Lane.BATCH, 6, 1_000);
        Verdict.AcceptByShedding shedding =
                shedding(verdict("", Lane.INTERACTIVE, 500, 0)); // 12.5 s, may be 8
        assertThat(shedding.tokens()).isBetween(4_500L, 4_501L);
        server.shed(shedding);
        assertThat(server.queue.size(Lane.BATCH)).isEqualTo(1);
        assertThat(server.queue.size(Lane.DEFAULT)).isEqualTo(4);
        assertThat(verdict("", Lane.INTERACTIVE, 500, 0)).isSameAs(Verdict.ACCEPT);
    }

    @Test
    void neitherTheOwnNorAHigherLaneIsShed() {
        addAll(Lane.INTERACTIVE, 6, 1_000);
        addAll(Lane.DEFAULT, 6, 1_000);
        refused(verdict("", Lane.DEFAULT, 500, 0), Reason.OVERLOAD);
    }

    @Test
    void theQueueHoldsItsLimitAndTheWaitIsHonest() {
        use(TestOptions.queue(5_000, 8));
        addAll(Lane.DEFAULT, 10, 500);
        Verdict.Refuse refuse = refused(verdict("", Lane.BATCH, 1_000, 0), Reason.QUEUE_FULL);
        assertThat(refuse.message())
                .isEqualTo("The queue is full: 10 requests with 5000 tokens are waiting.");
        assertThat(refuse.retryAfterMillis()).isBetween(1_000, 1_250);
        server.advanceMillis(refuse.retryAfterMillis());
        assertThat(verdict("", Lane.BATCH, 1_000, 0)).isSameAs(Verdict.ACCEPT);
    }

    @Test
    void aFullQueueMakesRoomForAHigherLane() {
        use(TestOptions.queue(5_000, 8));
        addAll(Lane.BATCH, 10, 500);
        Verdict.AcceptByShedding shedding = shedding(verdict("", Lane.DEFAULT, 700, 0));
        assertThat(shedding.tokens()).isEqualTo(700);
        assertThat(server.shed(shedding)).isEqualTo(2);
        assertThat(verdict("", Lane.DEFAULT, 700, 0)).isSameAs(Verdict.ACCEPT);
    }

    @Test
    void aPromptThatNeverFitsIsToldSo() {
        use(TestOptions.queue(5_000, 8));
        Verdict.Refuse refuse = refused(verdict("", null, 5_001, 0), Reason.QUEUE_FULL);
        assertThat(refuse.retryAfterMillis()).isZero();
    }

    /// With factor 1 a tenant may have half of the queue while there are others; alone, all of it.
    @Test
    void oneTenantDoesNotFillTheQueueForAll() {
        use(TestOptions.queue(10_000, 1));
        TenantAccount greedy = accounts.open("greedy", 0);
        int alone = fill(greedy);
        assertThat(alone).isEqualTo(10);
        server.queue.remove(Objects.requireNonNull(server.queue.oldest(Lane.BATCH)));
        accounts.open("other", 0);
        Verdict.Refuse refuse = refused(verdict("greedy", Lane.BATCH, 1_000, 0), Reason.QUEUE_FULL);
        // 9,000 of 10,000 wait; after 4,500 it would have 5,500 with its request, and as much is
        // free.
        assertThat(refuse.retryAfterMillis()).isBetween(5_000, 6_250);
        assertThat(verdict("other", Lane.BATCH, 1_000, 0)).isSameAs(Verdict.ACCEPT);
        server.advanceMillis(refuse.retryAfterMillis());
        assertThat(verdict("greedy", Lane.BATCH, 1_000, 0)).isSameAs(Verdict.ACCEPT);
    }

    @Test
    void aDeadlineThatCannotBeKeptIsRefusedAndTheWaitIsHonest() {
        addAll(Lane.DEFAULT, 3, 1_000);
        // 3.5 s to the first token, 255 tokens more at 10 ms: 6.05 s
        assertThat(verdict("", Lane.DEFAULT, 500, 6_100)).isSameAs(Verdict.ACCEPT);
        Verdict.Refuse refuse = refused(verdict("", Lane.DEFAULT, 500, 4_000), Reason.DEADLINE);
        assertThat(refuse.message())
                .isEqualTo(
                        "The deadline is 4.000 s away, the answer is predicted to take 6.050 s.");
        assertThat(refuse.retryAfterMillis()).isBetween(3_000, 3_750);
        server.advanceMillis(refuse.retryAfterMillis());
        assertThat(verdict("", Lane.DEFAULT, 500, 4_000)).isSameAs(Verdict.ACCEPT);
    }

    @Test
    void aDeadlineThatNoIdleServerKeepsNeedsNoRetry() {
        Verdict.Refuse refuse = refused(verdict("", Lane.DEFAULT, 500, 100), Reason.DEADLINE);
        assertThat(refuse.retryAfterMillis()).isZero();
    }

    @Test
    void aDeadlineIsKeptByShedding() {
        addAll(Lane.BATCH, 5, 1_000);
        Verdict.AcceptByShedding shedding = shedding(verdict("", Lane.DEFAULT, 500, 4_060));
        assertThat(server.shed(shedding)).isEqualTo(4);
    }

    @Test
    void aTenantBeyondItsBudgetIsRefusedAndTheWaitIsHonest() {
        use(
                TestOptions.tenants(
                        Map.of("paid", new TenantLimits("paid", 1, 10, 1_000, Lane.DEFAULT))));
        TenantAccount paid = accounts.open("paid", 0);
        TenantBudget.reserve(paid, 1_000, 0);
        Verdict.Refuse refuse = refused(verdict("paid", null, 744, 0), Reason.TENANT_BUDGET);
        assertThat(refuse.message())
                .isEqualTo(
                        "The budget of 10.0 tokens per second is used up; this request needs 1000"
                                + " tokens.");
        assertThat(refuse.retryAfterMillis()).isBetween(100_000, 126_250);
        server.advanceMillis(99_000);
        refused(verdict("paid", null, 744, 0), Reason.TENANT_BUDGET);
        server.advanceMillis(refuse.retryAfterMillis() - 99_000);
        assertThat(verdict("paid", null, 744, 0)).isSameAs(Verdict.ACCEPT);
        assertThat(verdict("other", null, 744, 0)).isSameAs(Verdict.ACCEPT);
    }

    static LongStream seeds() {
        return Seeds.upTo(300);
    }

    /// Whatever the backlog: who is refused and comes back as told, when nobody else came, is accepted. Waits longer than
    /// the longest that is told are left out.
    @ParameterizedTest(name = "repeat with -Dtest=AdmissionRulesTest -Dtandem.seed={0}")
    @MethodSource("seeds")
    void whoComesBackAsToldIsAccepted(long seed) {
        Random random = new Random(seed);
        use(TestOptions.queue(20_000 + random.nextInt(20_000), 0.5 + 4 * random.nextDouble()));
        allComeBackAsTold(random);
    }

    /// Without an objective only the queue's limits tell how long to wait.
    @ParameterizedTest(name = "repeat with -Dtest=AdmissionRulesTest -Dtandem.seed={0}")
    @MethodSource("seeds")
    void whoComesBackAsToldIsAcceptedWithoutObjectivesToo(long seed) {
        Random random = new Random(seed);
        AdmissionOptions limits =
                TestOptions.queue(20_000 + random.nextInt(20_000), 0.5 + 4 * random.nextDouble());
        use(
                new AdmissionOptions(
                        limits.fairness(),
                        limits.rules(),
                        limits.laneShares(),
                        limits.promptTokenCost(),
                        limits.outputTokenCost(),
                        limits.overtakenMax(),
                        limits.queuedTokensMax(),
                        limits.queuedSequencesMax(),
                        limits.tenantQueueFactor(),
                        limits.sheddingFactor(),
                        limits.retryAfterMillisMax(),
                        limits.tenantsMax(),
                        limits.defaultTenant(),
                        limits.tenants(),
                        WorkloadClass.defaults(),
                        limits.classes()));
        allComeBackAsTold(random);
    }

    private void allComeBackAsTold(Random random) {
        for (int i = 0; i < 100; i++) {
            Lane lane = Lane.of(random.nextInt(3));
            String tenant = "t" + random.nextInt(3);
            int prompt = 1 + random.nextInt(2_000);
            int deadlineMillis = random.nextInt(4) == 0 ? 5_000 + random.nextInt(9_000) : 0;
            Verdict verdict = verdict(tenant, lane, prompt, deadlineMillis);
            if (verdict instanceof Verdict.Refuse refuse && refuse.retryAfterMillis() > 0) {
                server.advanceMillis(refuse.retryAfterMillis());
                verdict = verdict(tenant, lane, prompt, deadlineMillis);
            }
            assertThat(verdict)
                    .satisfiesAnyOf(
                            v -> assertThat(v).isNotInstanceOf(Verdict.Refuse.class),
                            v -> assertThat(((Verdict.Refuse) v).retryAfterMillis()).isZero());
            if (verdict instanceof Verdict.AcceptByShedding shedding) {
                server.shed(shedding);
            }
            if (!(verdict instanceof Verdict.Refuse)) {
                server.queue.add(new Waiting(nextId++, lane, accounts.open(tenant, 0), prompt, 1));
            }
            assertThat(server.queue.tokens()).isLessThanOrEqualTo(options.queuedTokensMax());
        }
    }

    @Test
    void waitsAreSpreadAndTheSameEachTime() {
        int[] waits = new int[1_000];
        for (int i = 0; i < waits.length; i++) {
            waits[i] = RetryAfter.millis(9.2, i, 48_000);
            assertThat(waits[i]).isBetween(10_000, 12_500);
            assertThat(RetryAfter.millis(9.2, i, 48_000)).isEqualTo(waits[i]);
        }
        assertThat(Arrays.stream(waits).distinct().count()).isGreaterThan(500);
        assertThat(RetryAfter.millis(0, 1, 48_000)).isBetween(1_000, 1_250);
        assertThat(RetryAfter.millis(Double.POSITIVE_INFINITY, 1, 48_000))
                .isBetween(48_000, 60_000);
    }

    @ParameterizedTest
    @EnumSource(AdmissionOptions.Rule.class)
    void rulesCanBeLeftOut(AdmissionOptions.Rule rule) {
        AdmissionOptions base = TestOptions.queue(8_000, 8);
        Map<String, TenantLimits> tenants =
                Map.of("t", new TenantLimits("t", 1, 1, 1, Lane.INTERACTIVE));
        use(
                new AdmissionOptions(
                        base.fairness(),
                        Set.of(rule),
                        base.laneShares(),
                        1,
                        2,
                        64,
                        8_000,
                        100,
                        8,
                        0.5,
                        48_000,
                        10,
                        base.defaultTenant(),
                        tenants,
                        base.defaultClass(),
                        Map.of()));
        TenantAccount tenant = accounts.open("t", 0);
        TenantBudget.reserve(tenant, 1_000, 0);
        addAll(Lane.DEFAULT, 16, 500);
        Reason expected =
                switch (rule) {
                    case TENANT_BUDGET -> Reason.TENANT_BUDGET;
                    case QUEUE_LIMIT -> Reason.QUEUE_FULL;
                    case DEADLINE -> Reason.DEADLINE;
                    case PREDICTED_TTFT -> Reason.OVERLOAD;
                };
        refused(verdict("t", Lane.DEFAULT, 500, 4_000), expected);
    }

    private int fill(TenantAccount account) {
        int added = 0;
        while (verdict(account.tenant(), Lane.BATCH, 1_000, 0) == Verdict.ACCEPT) {
            server.queue.add(new Waiting(nextId++, Lane.BATCH, account, 1_000, 1));
            added++;
        }
        return added;
    }

    private void addAll(Lane lane, int count, int prompt) {
        TenantAccount account = accounts.open("", 0);
        for (int i = 0; i < count; i++) {
            server.queue.add(new Waiting(nextId++, lane, account, prompt, 1));
        }
    }

    private Verdict verdict(String tenant, @Nullable Lane lane, int prompt, int deadlineMillis) {
        long now = server.nowNanos();
        TenantAccount account = accounts.open(tenant, now);
        long deadline =
                deadlineMillis == 0 ? 0 : now + TimeUnit.MILLISECONDS.toNanos(deadlineMillis);
        Terms terms = new Terms(tenant, "", lane, "", "", 0, deadline);
        Verdict verdict =
                rules.verdict(options.request(nextId, terms, account, prompt, 1_000), server, now);
        accounts.close(account);
        return verdict;
    }

    private static Verdict.Refuse refused(Verdict verdict, Reason reason) {
        Verdict.Refuse refuse =
                assertThat(verdict)
                        .asInstanceOf(InstanceOfAssertFactories.type(Verdict.Refuse.class))
                        .actual();
        assertThat(refuse.reason()).isEqualTo(reason);
        assertThat(refuse.code()).isEqualTo(reason.code());
        return refuse;
    }

    private static Verdict.AcceptByShedding shedding(Verdict verdict) {
        return assertThat(verdict)
                .asInstanceOf(InstanceOfAssertFactories.type(Verdict.AcceptByShedding.class))
                .actual();
    }

    @Test
    void codesAreDistinct() {
        assertThat(List.of(Reason.values())).extracting(Reason::code).doesNotHaveDuplicates();
    }
}
