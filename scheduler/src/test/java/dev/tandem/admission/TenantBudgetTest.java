package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

class TenantBudgetTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private final AdmissionOptions options =
            TestOptions.tenants(
                    Map.of("paid", new TenantLimits("paid", 1, 100, 1_000, Lane.INTERACTIVE)));
    private final TenantAccounts accounts = new TenantAccounts(options);
    private final TenantAccount account = accounts.open("paid", 0);

    @Test
    void theBurstIsThereAtOnceThenTheRateCounts() {
        assertThat(TenantBudget.waitNanos(account, 1_000, 0)).isZero();
        TenantBudget.reserve(account, 1_000, 0);
        long wait = TenantBudget.waitNanos(account, 200, 0);
        assertThat(wait).isBetween(2 * SECOND, 2 * SECOND + 2);
        assertThat(TenantBudget.waitNanos(account, 200, wait)).isZero();
        assertThat(TenantBudget.waitNanos(account, 200, wait - 1_000)).isPositive();
    }

    @Test
    void whatWasNotUsedComesBackAndNoMoreThanTheBurst() {
        TenantBudget.reserve(account, 900, 0);
        TenantBudget.settle(account, 900, 100, 0);
        assertThat(TenantBudget.level(account, 0)).isEqualTo(900);
        assertThat(TenantBudget.level(account, 60 * SECOND)).isEqualTo(1_000);
    }

    @Test
    void moreThanTheBurstIsWorkedOffAfterwards() {
        assertThat(TenantBudget.waitNanos(account, 5_000, 0)).isZero();
        TenantBudget.reserve(account, 5_000, 0);
        assertThat(TenantBudget.level(account, 0)).isEqualTo(-4_000);
        assertThat(TenantBudget.waitNanos(account, 1, 0)).isGreaterThan(40 * SECOND);
    }

    @Test
    void moreUsedThanReservedIsADebt() {
        TenantBudget.reserve(account, 1_000, 0);
        TenantBudget.settle(account, 1_000, 1_500, 0);
        assertThat(TenantBudget.level(account, 0)).isEqualTo(-500);
    }

    @Test
    void withoutABudgetNothingIsRefused() {
        TenantAccount free = accounts.open("free", 0);
        TenantBudget.reserve(free, Long.MAX_VALUE / 2, 0);
        assertThat(TenantBudget.waitNanos(free, Long.MAX_VALUE / 2, 0)).isZero();
    }

    /// In the long run a tenant uses no more than `burst + rate x time`, and it does get that.
    @Test
    void theRateIsKeptInTheLongRun() {
        Random random = new Random(5);
        long used = 0;
        long now = 0;
        for (int i = 0; i < 20_000; i++) {
            now += random.nextInt(1 << 29);
            long cost = 1 + random.nextInt(300);
            if (TenantBudget.waitNanos(account, cost, now) == 0) {
                TenantBudget.reserve(account, cost, now);
                long really = random.nextLong(cost + 1);
                TenantBudget.settle(account, cost, really, now);
                used += really;
            }
        }
        double allowed = 1_000 + 100.0 * now / SECOND;
        assertThat(used).isBetween((long) (0.95 * allowed), (long) allowed);
    }
}
