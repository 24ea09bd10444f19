package dev.tandem.bench;

import dev.tandem.core.Event;
import dev.tandem.core.StepPlan;

/// A worker that answers plans in order and at once, from arrays that exist already. The answer to a plan is only made when it
/// is asked for, since the core reuses a plan's buffer after its result. Not thread-safe.
final class EchoWorker {
    private static final int TOKEN = 17;
    private static final long STEP_NANOS = 20_000_000;

    private final int replica;
    private final long[][] sequences;
    private final int[] samples;
    private final long[] numbers;
    private final int[] tokens;
    private long accepted;
    private long answered;

    /// @param plansMax in flight at most
    /// @param rowsMax of one plan
    EchoWorker(int replica, int plansMax, int rowsMax) {
        this.replica = replica;
        this.sequences = new long[plansMax][rowsMax];
        this.samples = new int[plansMax];
        this.numbers = new long[plansMax];
        this.tokens = new int[rowsMax];
        java.util.Arrays.fill(tokens, TOKEN);
    }

    /// Notes whom the plan samples.
    void accept(StepPlan plan) {
        int slot = (int) (accepted++ % numbers.length);
        numbers[slot] = plan.number();
        int sampled = 0;
        for (int row = 0; row < plan.rows(); row++) {
            if (plan.rowSamples(row)) {
                sequences[slot][sampled++] = plan.rowSequence(row);
            }
        }
        samples[slot] = sampled;
    }

    int inFlight() {
        return (int) (accepted - answered);
    }

    /// The result of the oldest plan that has none yet.
    Event.StepDone answer() {
        int slot = (int) (answered++ % numbers.length);
        return new Event.StepDone(
                replica, numbers[slot], samples[slot], sequences[slot], tokens, null, STEP_NANOS);
    }
}
