package dev.tandem.admission;

import org.agrona.collections.Object2ObjectHashMap;

import java.util.ArrayList;

/// The accounts of all tenants that have requests here or had them lately. Each new account looks at two old ones and
/// forgets those that a new one would equal, so idle tenants cost nothing in the long run. At most `tenantsMax` accounts:
/// tenants beyond share one, with the limits of unknown tenants. Not thread-safe; owned by the core.
public final class TenantAccounts {
    /// Two for each new one: the sweep is faster than the growth.
    private static final int LOOKS_PER_NEW = 2;

    private final AdmissionOptions options;
    private final Object2ObjectHashMap<String, TenantAccount> byTenant =
            new Object2ObjectHashMap<>();

    /// The same accounts in an order that does not depend on hashing.
    private final ArrayList<TenantAccount> accounts = new ArrayList<>();

    private final TenantAccount others;
    private int hand;
    private int made;

    public TenantAccounts(AdmissionOptions options) {
        this.options = options;
        this.others = new TenantAccount("(others)", options.defaultTenant(), made++, 0);
    }

    /// The account of a request that came in. Each open is followed by one [#close].
    ///
    /// @param nowNanos monotonic time
    public TenantAccount open(String tenant, long nowNanos) {
        TenantAccount account = byTenant.get(tenant);
        if (account == null) {
            account = create(tenant, nowNanos);
        }
        account.open++;
        return account;
    }

    /// The request was refused or has ended, and its charges and its budget are settled.
    public void close(TenantAccount account) {
        if (account.open == 0) {
            throw new IllegalStateException(
                    "the account of tenant '" + account.tenant() + "' is closed too often");
        }
        account.open--;
    }

    /// Accounts kept.
    public int size() {
        return accounts.size();
    }

    private TenantAccount create(String tenant, long nowNanos) {
        for (int i = 0; i < LOOKS_PER_NEW && !accounts.isEmpty(); i++) {
            lookAtOne(nowNanos);
        }
        if (accounts.size() >= options.tenantsMax()) {
            return others;
        }
        TenantAccount account =
                new TenantAccount(tenant, options.limitsOf(tenant), made++, nowNanos);
        byTenant.put(tenant, account);
        accounts.add(account);
        return account;
    }

    private void lookAtOne(long nowNanos) {
        hand = hand >= accounts.size() - 1 ? 0 : hand + 1;
        TenantAccount account = accounts.get(hand);
        if (account.equalsNew(nowNanos)) {
            byTenant.remove(account.tenant());
            TenantAccount last = accounts.removeLast();
            if (last != account) {
                accounts.set(hand, last);
            }
        }
    }
}
