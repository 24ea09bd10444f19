package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.Random;

/// Hedges and retries: when, and never more than their budgets.
class BudgetsTest {
    private static final long MILLI = 1_000_000;
    private final Random random = new Random(Seeds.SEED);

    @Test
    void hedgesNeverExceedTheirShareAtAnyMoment() {
        HedgeBudget budget = new HedgeBudget(3, 0.05, 10);
        int[] requests = new int[3];
        int[] hedges = new int[3];
        for (int i = 0; i < 200_000; i++) {
            int requestClass = random.nextInt(3);
            if (random.nextInt(1 + requestClass * 30) == 0) {
                budget.deposit(requestClass);
                requests[requestClass]++;
            } else if (budget.tryWithdraw(requestClass)) {
                hedges[requestClass]++;
            }
            assertThat(hedges[requestClass])
                    .as(Seeds.repeat(getClass()))
                    .isLessThanOrEqualTo(requests[requestClass] / 20);
        }
        assertThat(hedges[2]).isEqualTo(requests[2] / 20);
    }

    @Test
    void aQuietTimeSavesUpNoMoreThanTheBurst() {
        HedgeBudget budget = new HedgeBudget(1, 0.05, 10);
        for (int i = 0; i < 10_000; i++) {
            budget.deposit(0);
        }
        int hedges = 0;
        while (budget.tryWithdraw(0)) {
            hedges++;
        }
        assertThat(hedges).isEqualTo(10);
    }

    @Test
    void aHedgeIsDueAfterThePercentileOfItsOwnClass() {
        HedgePolicy policy = new HedgePolicy(HedgePolicy.Options.defaults(), 2);
        for (int i = 0; i < 99; i++) {
            policy.requested(0);
            policy.started(0, (100 + i) * MILLI, i);
        }
        assertThat(policy.dueAfterNanos(0)).as("too little is known").isEqualTo(HedgePolicy.NEVER);
        policy.requested(0);
        policy.started(0, 199 * MILLI, 100);
        assertThat(policy.dueAfterNanos(0) / 1e6).isCloseTo(195, within(195 * 0.0625));
        assertThat(policy.dueAfterNanos(1)).isEqualTo(HedgePolicy.NEVER);
        assertThat(policy.tryHedge(0, 150 * MILLI)).isFalse();
        int hedges = 0;
        while (policy.tryHedge(0, 250 * MILLI)) {
            hedges++;
        }
        assertThat(hedges).as("100 requests at 5 %").isEqualTo(5);
        assertThat(policy.tryHedge(1, Long.MAX_VALUE - 1)).isFalse();
    }

    @Test
    void fastStartsAreNotHedgedBelowTheLeastDelay() {
        HedgePolicy policy = new HedgePolicy(HedgePolicy.Options.defaults(), 1);
        for (int i = 0; i < 1000; i++) {
            policy.requested(0);
            policy.started(0, 10_000, i);
        }
        assertThat(policy.dueAfterNanos(0)).isEqualTo(20 * MILLI);
    }

    @Test
    void hedgingCutsTheTailForAFewPercentMoreWork() {
        HedgePolicy policy = new HedgePolicy(HedgePolicy.Options.defaults(), 1);
        int requests = 100_000;
        int hedges = 0;
        int slowPlain = 0;
        int slowHedged = 0;
        for (int i = 0; i < requests; i++) {
            long first = delayNanos();
            policy.requested(0);
            long delay = first;
            long due = policy.dueAfterNanos(0);
            if (first > due && policy.tryHedge(0, due)) {
                hedges++;
                delay = Math.min(first, due + delayNanos());
            }
            policy.started(0, delay, i * MILLI);
            slowPlain += first > 1000 * MILLI ? 1 : 0;
            slowHedged += delay > 1000 * MILLI ? 1 : 0;
        }
        assertThat(hedges).isLessThanOrEqualTo(requests / 20);
        assertThat(slowPlain).isGreaterThan(requests / 60); // 2 % are slow
        assertThat(slowHedged).as(Seeds.repeat(getClass())).isLessThan(slowPlain / 5);
    }

    /// 50 to 150 ms, one in fifty 2 seconds.
    private long delayNanos() {
        return (random.nextInt(50) == 0 ? 2000 : 50 + random.nextInt(100)) * MILLI;
    }

    @Test
    void retriesNeverExceedRequestsAndReserveOfTheWindow() {
        RetryBudget budget = new RetryBudget(RetryBudget.Options.defaults());
        ArrayDeque<Long> requests = new ArrayDeque<>();
        ArrayDeque<Long> retries = new ArrayDeque<>();
        long now = -50_000 * MILLI;
        int granted = 0;
        for (int i = 0; i < 200_000; i++) {
            now += random.nextInt(i % 1000 == 0 ? 30_000 : 20) * MILLI;
            if (random.nextInt(1 + (i / 20_000) % 4) == 0) {
                budget.deposit(now);
                requests.add(now);
            } else if (budget.tryWithdraw(now)) {
                retries.add(now);
                granted++;
                assertWithin(requests, retries, now);
            }
        }
        assertThat(granted).isGreaterThan(10_000);
    }

    /// The window is 9 to 10 tenths long: retries of the last 9 s are paid for by requests of the last 10 s.
    private void assertWithin(ArrayDeque<Long> requests, ArrayDeque<Long> retries, long now) {
        while (!requests.isEmpty() && now - requests.peek() > 10_000 * MILLI) {
            requests.remove();
        }
        while (now - retries.peek() > 9_000 * MILLI) {
            retries.remove();
        }
        assertThat((double) retries.size())
                .as(Seeds.repeat(getClass()))
                .isLessThanOrEqualTo(0.2 * requests.size() + 10 + 1e-9);
    }

    @Test
    void theReserveIsAllThereIsWithoutRequests() {
        RetryBudget budget = new RetryBudget(RetryBudget.Options.defaults());
        int granted = 0;
        for (int millis = 0; millis < 10_000; millis += 10) {
            granted += budget.tryWithdraw(millis * MILLI) ? 1 : 0;
        }
        assertThat(granted).isEqualTo(10);
        assertThat(budget.available(10_000 * MILLI)).isEqualTo(10);
    }
}
