package dev.tandem.sim.cost;

import java.util.Arrays;
import java.util.SplittableRandom;

/// One replica under Poisson arrivals of equal requests, scheduled as in vLLM 0.x and DistServe's simulator: waiting prompts first
/// and whole, decodes only while no prompt waits, first come first served. From it the goodput of a replica that does
/// both phases, or only one of them.
///
/// Prefill alone is an M/D/1 queue (with bulk service when several prompts fit a step). Decode alone starts a request at its
/// arrival with its KV in place. Deterministic: arrivals come from a seed, and every rate stretches the same arrivals.
final class PhaseQueue {
    /// Which phases the replica does.
    enum Role {
        COLOCATED,
        PREFILL_ONLY,
        DECODE_ONLY
    }

    /// What each request is, and when it counts as good.
    ///
    /// @param attainment share of the requests that must be within both limits
    record Goal(
            int promptTokens,
            int outputTokens,
            double ttftMillisMax,
            double tpotMillisMax,
            double attainment) {}

    private static final int BISECTIONS = 16;
    private static final double RATE_MAX = 64;

    private final StepCost cost;
    private final Goal goal;
    private final int promptsPerStepMax;
    private final double[] unitArrivals;

    /// @param promptsPerStepMax prompts computed together
    /// @param requests          simulated per rate
    PhaseQueue(StepCost cost, Goal goal, int promptsPerStepMax, int requests, long seed) {
        this.cost = cost;
        this.goal = goal;
        this.promptsPerStepMax = promptsPerStepMax;
        SplittableRandom random = new SplittableRandom(seed);
        unitArrivals = new double[requests];
        double at = 0;
        for (int i = 0; i < requests; i++) {
            unitArrivals[i] = at;
            at -= Math.log1p(-random.nextDouble());
        }
    }

    /// @return the highest rate, requests per second, at which `goal.attainment` of the requests are good; found by bisection
    double goodput(Role role) {
        double good = 0;
        double bad = RATE_MAX;
        for (int i = 0; i < BISECTIONS; i++) {
            double rate = (good + bad) / 2;
            if (attainment(role, rate) >= goal.attainment) {
                good = rate;
            } else {
                bad = rate;
            }
        }
        return good;
    }

    /// @return the share of the requests within both limits at `rate` requests per second
    double attainment(Role role, double rate) {
        return new Run(role, 1e9 / rate).play();
    }

    /// One simulated run; sequences are numbers in order of arrival.
    private final class Run {
        private final Role role;
        private final double nanosPerUnit;
        private final StepShape shape = new StepShape();
        private final long[] firstTokenAt = new long[unitArrivals.length];
        private final int[] produced = new int[unitArrivals.length];
        private int[] running = new int[64];
        private int runningCount;
        private int arrived;
        private int prefilled;
        private int ended;
        private int good;
        private long now;

        Run(Role role, double nanosPerUnit) {
            this.role = role;
            this.nanosPerUnit = nanosPerUnit;
        }

        double play() {
            while (ended < unitArrivals.length) {
                while (arrived < unitArrivals.length && arrivalOf(arrived) <= now) {
                    arrive();
                }
                if (prefilled < arrived) {
                    prefill();
                } else if (runningCount > 0) {
                    decode();
                } else {
                    now = arrivalOf(arrived);
                }
            }
            return (double) good / ended;
        }

        private long arrivalOf(int request) {
            return (long) (unitArrivals[request] * nanosPerUnit);
        }

        private void arrive() {
            if (role == Role.DECODE_ONLY) {
                start(arrived, arrivalOf(arrived));
                prefilled++;
            }
            arrived++;
        }

        private void start(int request, long firstToken) {
            firstTokenAt[request] = firstToken;
            produced[request] = 1;
            if (runningCount == running.length) {
                running = Arrays.copyOf(running, 2 * runningCount);
            }
            running[runningCount++] = request;
        }

        private void prefill() {
            int prompts = Math.min(promptsPerStepMax, arrived - prefilled);
            shape.clear();
            for (int i = 0; i < prompts; i++) {
                shape.addPrefill(0, goal.promptTokens, true);
            }
            now += cost.nanos(shape);
            for (int i = 0; i < prompts; i++, prefilled++) {
                if (role == Role.PREFILL_ONLY) {
                    end(now - arrivalOf(prefilled), 0);
                } else {
                    start(prefilled, now);
                }
            }
        }

        private void decode() {
            shape.clear();
            for (int i = 0; i < runningCount; i++) {
                shape.addDecode(goal.promptTokens + produced[running[i]] + 1);
            }
            now += cost.nanos(shape);
            int kept = 0;
            for (int i = 0; i < runningCount; i++) {
                int request = running[i];
                if (++produced[request] < goal.outputTokens) {
                    running[kept++] = request;
                } else {
                    long ttft =
                            role == Role.DECODE_ONLY
                                    ? 0
                                    : firstTokenAt[request] - arrivalOf(request);
                    end(ttft, (double) (now - firstTokenAt[request]) / (goal.outputTokens - 1));
                }
            }
            runningCount = kept;
        }

        private void end(double ttftNanos, double tpotNanos) {
            ended++;
            if (ttftNanos <= goal.ttftMillisMax * 1e6 && tpotNanos <= goal.tpotMillisMax * 1e6) {
                good++;
            }
        }
    }
}
