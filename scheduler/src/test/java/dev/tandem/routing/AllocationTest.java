package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.management.ManagementFactory;

/// A choice and the news of its outcome allocate nothing once warm.
class AllocationTest {
    private static final int CALLS = 100_000;
    private static final int POOL = Router.PREFILL_POOL;
    private static final long MILLI = 1_000_000;

    @ParameterizedTest
    @MethodSource("dev.tandem.routing.RoutingPolicies#names")
    void nothingIsAllocatedPerChoice(String policy) {
        Script script = new Script(policy);
        script.run(2 * CALLS);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        threads.getCurrentThreadAllocatedBytes();
        long before = threads.getCurrentThreadAllocatedBytes();
        script.run(CALLS);
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        // Asking for the figure may allocate a little itself; one object a call would be 1.6 MB.
        assertThat(bytes).isLessThan(CALLS / 100);
        assertThat(script.checksum).isNotZero();
    }

    private static final class Script {
        private final Router router;
        private final TestReplica[] replicas = TestReplica.replicas(16);
        private final Candidates candidates = new Candidates();
        private final TestRequest request = new TestRequest();
        private final HedgePolicy hedges = new HedgePolicy(HedgePolicy.Options.defaults(), 2);
        private final RetryBudget retries = new RetryBudget(RetryBudget.Options.defaults());
        private long now;
        long checksum;

        Script(String policy) {
            router = new Router(RoutingOptions.defaults().withPolicies(policy, policy));
            for (TestReplica replica : replicas) {
                String zone = replica.id % 2 == 0 ? "a" : "b";
                replica.health = router.joined(replica.name, POOL, zone, 1000, 0);
            }
            router.replicasChanged(POOL, TestReplica.candidates(replicas));
        }

        void run(int calls) {
            for (int i = 0; i < calls; i++) {
                now += MILLI;
                candidates.clear();
                for (TestReplica replica : replicas) {
                    if ((i + replica.id) % 13 != 0) {
                        candidates.add(replica);
                    }
                }
                request.sequence(now).key(now % 100);
                request.zone = i % 2 == 0 ? "a" : "b";
                router.arrived(POOL, request.zone, 100, now);
                retries.deposit(now);
                hedges.requested(i % 2);
                int pick = router.choose(POOL, request, candidates, now);
                TestReplica replica = (TestReplica) candidates.get(pick);
                replica.sequences = (replica.sequences + 1) % 64;
                if (replica.id == 3 && i % 3 != 0) {
                    router.failed(replica.health, now, now); // ejected and probed from time to time
                    checksum += retries.tryWithdraw(now) ? 1 : 0;
                } else {
                    router.succeeded(replica.health, now, 1, 1.2, now);
                }
                hedges.started(i % 2, (i % 100) * MILLI, now);
                checksum += hedges.tryHedge(i % 2, 99 * MILLI) ? 1 : 0;
                checksum = checksum * 31 + pick;
                if (router.admissibleShare(POOL, "a", now) < 0.5) {
                    checksum++;
                }
            }
        }
    }
}
