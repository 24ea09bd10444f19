package dev.tandem.engine;

import dev.tandem.wire.StepPlan;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;

/// Plans on their way from the stream's thread to the engine thread, in order, bounded. Once closed it is empty for
/// good: plans of a lost stream are not executed.
final class PlanQueue {
    private final int plansMax;
    private final ArrayDeque<StepPlan> plans = new ArrayDeque<>();
    private boolean closed;

    PlanQueue(int plansMax) {
        this.plansMax = plansMax;
    }

    /// Adds a plan if there is room.
    ///
    /// @return false, and nothing changed, when `plansMax` wait already; true when taken, or closed
    synchronized boolean offer(StepPlan plan) {
        if (closed) {
            return true;
        }
        if (plans.size() == plansMax) {
            return false;
        }
        plans.add(plan);
        notifyAll();
        return true;
    }

    /// Waits for a plan, for as long as the stream lives; heartbeats bound the stream's life.
    ///
    /// @return null when closed
    synchronized @Nullable StepPlan take() throws InterruptedException {
        while (plans.isEmpty() && !closed) {
            wait();
        }
        return plans.poll();
    }

    /// Drops what waits and wakes the engine thread. Closing twice does nothing.
    synchronized void close() {
        closed = true;
        plans.clear();
        notifyAll();
    }
}
