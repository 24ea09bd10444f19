package dev.tandem.coordinator;

import org.agrona.concurrent.IdleStrategy;
import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/// Parks an idle agent until somebody signals work, or for a bounded time. Saves a core on small hosts without the
/// latency of a timed back-off: the signal is one volatile read while the agent is busy.
final class SignalIdleStrategy implements IdleStrategy {
    private final long parkNanosMax;
    private volatile @Nullable Thread parked;

    SignalIdleStrategy(long parkNanosMax) {
        this.parkNanosMax = parkNanosMax;
    }

    /// Called by a producer after its work can be seen by the agent.
    void signal() {
        Thread thread = parked;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /// Announces that the agent is about to park; it must look for work once more after this.
    void announce() {
        parked = Thread.currentThread();
    }

    @Override
    public void idle(int workCount) {
        if (workCount > 0) {
            reset();
        } else {
            idle();
        }
    }

    /// Parks only after [#announce], so that a signal between the last look and the park is not lost: an unpark
    /// makes the next park return at once.
    @Override
    public void idle() {
        if (parked != null) {
            LockSupport.parkNanos(this, parkNanosMax);
            parked = null;
        } else {
            announce();
        }
    }

    @Override
    public void reset() {
        parked = null;
    }
}
