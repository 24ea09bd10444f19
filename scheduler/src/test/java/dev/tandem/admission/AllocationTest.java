package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import dev.tandem.admission.FairQueue.Decision;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;

/// Once warm, queueing, placing, charging and an accepting verdict allocate nothing.
class AllocationTest {
    private static final int TENANTS = 50;
    private static final int ENTRIES = 2_000;

    private final AdmissionOptions options = AdmissionOptions.defaults();
    private final TenantAccounts accounts = new TenantAccounts(options);
    private final AdmissionPolicy rules = new AdmissionRules(options, accounts);
    private final FairQueue<Waiting> queue = new FairQueue<>(options);
    private final LoadView idle = new FluidServer(options, 1_000);
    private final Waiting[] entries = new Waiting[ENTRIES];
    private final Waiting[] running = new Waiting[64];
    private int runningCount;
    private int offered;
    private final FairQueue.Visitor<Waiting> visitor = this::place;
    private final AdmissionRequest request;

    AllocationTest() {
        for (int i = 0; i < ENTRIES; i++) {
            TenantAccount account = accounts.open("t" + i % TENANTS, 0);
            entries[i] = new Waiting(i, Lane.of(i % Lane.COUNT), account, 10 + i % 90, 5);
            queue.add(entries[i]);
        }
        request = options.request(0, Terms.none(), entries[0].account(), 10, 5);
    }

    private Decision place(Waiting entry) {
        if (runningCount == running.length) {
            return Decision.STOP;
        }
        if (++offered % 5 == 0) {
            return Decision.SKIP;
        }
        running[runningCount++] = entry;
        return Decision.TAKE;
    }

    private void round(int number) {
        queue.visit(visitor, 16);
        for (int i = 0; i < runningCount; i++) {
            queue.charge(running[i], running[i].prompt, 0);
            queue.charge(running[i], 0, 1);
        }
        for (int i = 0; i < runningCount; i++) {
            Waiting entry = running[i];
            queue.settle(entry);
            entry.arrivalNanos += ENTRIES;
            queue.add(entry);
        }
        runningCount = 0;
        Waiting removed = entries[number % ENTRIES];
        queue.remove(removed);
        queue.add(removed);
        TenantAccount account = accounts.open("t1", number);
        TenantBudget.reserve(account, request.costTokens(), number);
        TenantBudget.settle(account, request.costTokens(), 3, number);
        accounts.close(account);
        if (rules.verdict(request, idle, number) != Verdict.ACCEPT) {
            throw new AssertionError("an idle server accepts");
        }
    }

    @Test
    void steadyStateAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < 20_000; i++) {
            round(i);
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 5_000; i++) {
            round(i);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(allocated).isLessThan(1_000); // not one byte a round
        assertThat(queue.size()).isEqualTo(ENTRIES);
    }
}
