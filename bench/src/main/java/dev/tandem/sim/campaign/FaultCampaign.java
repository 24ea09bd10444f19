package dev.tandem.sim.campaign;

import dev.tandem.sim.engine.SimulationResult;
import dev.tandem.sim.fault.FaultKind;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/// Runs the scenarios of many seeds, several at once, each on one thread.
public final class FaultCampaign {
    /// Failing seeds after which a campaign stops: one would do, a few more help to see what they share.
    private static final int FAILURES_MAX = 5;

    private FaultCampaign() {}

    /// What came of it.
    ///
    /// @param seeds runs made
    /// @param failures by seed, shrunk; empty if every promise was kept
    /// @param requests submitted in all runs
    /// @param refused of them, by admission, a full zone or a deadline
    /// @param preemptions and the next ones: what the core had to deal with, by its own counts
    /// @param decisionHash of all runs' decisions together, whatever the order they were made in
    public record Report(
            long seeds,
            List<Failure> failures,
            long requests,
            long cancelled,
            long refused,
            long steps,
            long outputTokens,
            long faults,
            long preemptions,
            long recomputes,
            long hedges,
            long fetches,
            long tierLoads,
            long handoffs,
            long handoffsFailed,
            long prefixHitTokens,
            long wallNanos,
            long cpuNanos,
            long decisionHash) {}

    /// Runs seeds `from` to `to`, both included, or up to the first few failures.
    ///
    /// @param progress is told the number of runs made, now and then, from any of the threads
    public static Report run(
            long from, long to, int threads, Set<FaultKind> kinds, LongConsumer progress) {
        if (to < from || threads < 1) {
            throw new IllegalArgumentException(
                    "seeds %d..%d on %d threads".formatted(from, to, threads));
        }
        long started = System.nanoTime();
        Tally tally = new Tally(from, to, kinds, progress);
        List<Thread> running = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            running.add(Thread.ofPlatform().name("campaign-" + i).start(tally::work));
        }
        tally.work();
        for (Thread thread : running) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while seeds run", e);
            }
        }
        return tally.report(System.nanoTime() - started);
    }

    /// Runs one scenario.
    ///
    /// @return what went wrong, not shrunk; null if every promise was kept
    public static @Nullable Throwable problem(Scenario scenario) {
        try {
            scenario.run();
            return null;
        } catch (RuntimeException | AssertionError e) {
            return e;
        }
    }

    /// The sums of a campaign; its threads share it.
    private static final class Tally {
        private static final int PROGRESS_EVERY = 100;

        private final AtomicLong next;
        private final long from;
        private final long to;
        private final Set<FaultKind> kinds;
        private final LongConsumer progress;
        private final ConcurrentSkipListMap<Long, Failure> failures = new ConcurrentSkipListMap<>();
        private final LongAdder runs = new LongAdder();
        private final LongAdder requests = new LongAdder();
        private final LongAdder cancelled = new LongAdder();
        private final LongAdder refused = new LongAdder();
        private final LongAdder steps = new LongAdder();
        private final LongAdder outputTokens = new LongAdder();
        private final LongAdder faults = new LongAdder();
        private final LongAdder preemptions = new LongAdder();
        private final LongAdder recomputes = new LongAdder();
        private final LongAdder hedges = new LongAdder();
        private final LongAdder fetches = new LongAdder();
        private final LongAdder tierLoads = new LongAdder();
        private final LongAdder handoffs = new LongAdder();
        private final LongAdder handoffsFailed = new LongAdder();
        private final LongAdder prefixHitTokens = new LongAdder();
        private final LongAdder cpuNanos = new LongAdder();
        private final LongAdder hashes = new LongAdder();

        Tally(long from, long to, Set<FaultKind> kinds, LongConsumer progress) {
            this.from = from;
            this.next = new AtomicLong(from);
            this.to = to;
            this.kinds = Set.copyOf(kinds);
            this.progress = progress;
        }

        void work() {
            for (long seed = next.getAndIncrement();
                    seed <= to && failures.size() < FAILURES_MAX;
                    seed = next.getAndIncrement()) {
                one(seed);
                runs.increment();
                if ((seed - from + 1) % PROGRESS_EVERY == 0) {
                    progress.accept(seed - from + 1);
                }
            }
        }

        private void one(long seed) {
            Scenario scenario = Scenario.of(seed, kinds);
            try {
                SimulationResult result = scenario.run();
                requests.add(result.submitted());
                cancelled.add(result.cancelled());
                refused.add(result.refused());
                steps.add(result.steps());
                outputTokens.add(result.outputTokens());
                faults.add(scenario.faults().faults().size());
                preemptions.add(result.totals().preemptions());
                recomputes.add(result.totals().recomputes());
                hedges.add(result.totals().hedges());
                fetches.add(result.totals().prefixFetches());
                tierLoads.add(result.totals().tierLoads());
                handoffs.add(result.totals().handoffs());
                handoffsFailed.add(result.totals().handoffsFailed());
                prefixHitTokens.add(result.totals().prefixHitTokens());
                cpuNanos.add(result.cpuNanos());
                hashes.add(result.decisionHash() * (seed | 1));
            } catch (RuntimeException | AssertionError e) {
                failures.put(seed, Shrinker.shrink(scenario, e));
            }
        }

        Report report(long wallNanos) {
            return new Report(
                    runs.sum(),
                    List.copyOf(failures.values()),
                    requests.sum(),
                    cancelled.sum(),
                    refused.sum(),
                    steps.sum(),
                    outputTokens.sum(),
                    faults.sum(),
                    preemptions.sum(),
                    recomputes.sum(),
                    hedges.sum(),
                    fetches.sum(),
                    tierLoads.sum(),
                    handoffs.sum(),
                    handoffsFailed.sum(),
                    prefixHitTokens.sum(),
                    wallNanos,
                    cpuNanos.sum(),
                    hashes.sum());
        }
    }
}
