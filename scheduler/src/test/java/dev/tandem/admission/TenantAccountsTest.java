package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.admission.FairQueue.Decision;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

class TenantAccountsTest {
    private final AdmissionOptions options = AdmissionOptions.defaults();
    private final TenantAccounts accounts = new TenantAccounts(options);
    private final FairQueue<Waiting> queue = new FairQueue<>(options);

    @Test
    void oneAccountForATenantWhileItHasRequests() {
        TenantAccount first = accounts.open("a", 0);
        assertThat(accounts.open("a", 1)).isSameAs(first);
        accounts.close(first);
        accounts.close(first);
        assertThatThrownBy(() -> accounts.close(first)).hasMessageContaining("too often");
    }

    @Test
    void tenantsThatOnlyPassByAreForgotten() {
        for (int i = 0; i < 10_000; i++) {
            TenantAccount account = accounts.open("t" + i, 0);
            Waiting entry = new Waiting(i, Lane.DEFAULT, account, 100, 10);
            queue.add(entry);
            queue.visit(e -> Decision.TAKE, 0);
            queue.charge(entry, 100, 1);
            queue.settle(entry);
            accounts.close(account);
        }
        assertThat(accounts.size()).isLessThan(10);
    }

    /// Its counter is above all others: forgetting it would be a gift.
    @Test
    void whoIsAheadIsRemembered() {
        TenantAccount ahead = accounts.open("ahead", 0);
        Waiting entry = new Waiting(0, Lane.DEFAULT, ahead, 10, 10);
        queue.add(entry);
        queue.visit(e -> Decision.TAKE, 0);
        queue.charge(entry, 10, 100_000);
        queue.settle(entry);
        accounts.close(ahead);
        openAndClose(1_000);
        assertThat(accounts.open("ahead", 0)).isSameAs(ahead);
    }

    @Test
    void whoHasADebtOrARequestIsRemembered() {
        AdmissionOptions limited =
                TestOptions.tenants(
                        Map.of("debt", new TenantLimits("debt", 1, 1, 10, Lane.INTERACTIVE)));
        TenantAccounts some = new TenantAccounts(limited);
        TenantAccount debt = some.open("debt", 0);
        TenantBudget.reserve(debt, 10, 0);
        some.close(debt);
        TenantAccount open = some.open("open", 0);
        for (int i = 0; i < 100; i++) {
            some.close(some.open("t" + i, 0));
        }
        assertThat(some.open("debt", 0)).isSameAs(debt);
        assertThat(some.open("open", 0)).isSameAs(open);
        some.close(debt);
        long later = TimeUnit.SECONDS.toNanos(10);
        for (int i = 0; i < 100; i++) {
            some.close(some.open("t" + i, later));
        }
        assertThat(some.open("debt", later)).isNotSameAs(debt);
    }

    @Test
    void accountsAreBoundedAndLateComersShareOne() {
        List<TenantAccount> open = new ArrayList<>();
        for (int i = 0; i < options.tenantsMax() + 5; i++) {
            open.add(accounts.open("t" + i, 0));
        }
        assertThat(accounts.size()).isEqualTo(options.tenantsMax());
        assertThat(open.getLast()).isSameAs(open.get(options.tenantsMax()));
        open.forEach(accounts::close);
        openAndClose(2 * options.tenantsMax());
        assertThat(accounts.size()).isLessThan(10);
    }

    private void openAndClose(int tenants) {
        for (int i = 0; i < tenants; i++) {
            accounts.close(accounts.open("passing" + i, 0));
        }
    }
}
