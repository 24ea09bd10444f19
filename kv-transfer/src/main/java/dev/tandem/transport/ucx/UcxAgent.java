package dev.tandem.transport.ucx;

import org.jspecify.annotations.Nullable;
import org.openucx.jucx.UcxException;
import org.openucx.jucx.ucp.UcpWorker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.invoke.VarHandle;
import java.time.Duration;

/// A UCX worker and the one thread that uses it. The thread polls a little when there is nothing to do and then
/// sleeps until UCX or [#wake] has something for it.
abstract class UcxAgent {
    private static final Logger log = LoggerFactory.getLogger(UcxAgent.class);
    private static final int IDLE_POLLS_MAX = 64;

    private final UcxRuntime runtime;
    private final Thread thread;
    private final Object wakeLock = new Object();
    private @Nullable UcpWorker
            awake; // guarded by `wakeLock`: the worker while it may be signalled
    private volatile boolean asleep;
    private volatile boolean stopping;

    UcxAgent(UcxRuntime runtime, String name) {
        this.runtime = runtime;
        this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    }

    /// First of all, on the agent's thread.
    ///
    /// @throws UcxException the agent ends
    abstract void begin(UcpWorker worker);

    /// One round of work beside UCX's own, on the agent's thread.
    ///
    /// @return whether something was done
    abstract boolean work();

    /// Whether [#work] would find something; any thread.
    abstract boolean hasWork();

    /// Last of all, on the agent's thread; the worker is destroyed next.
    ///
    /// @param failure why the agent ends, null when it was stopped
    /// @return false when the worker must not be destroyed, since UCX would abort the process: it is left as it is
    abstract boolean end(UcpWorker worker, @Nullable String failure);

    /// What is left to do once the worker is gone: nothing comes in any more.
    abstract void ended(@Nullable String failure);

    final void start() {
        thread.start();
    }

    /// Lets the agent look at its work. Call it after having handed some over.
    final void wake() {
        VarHandle.fullFence(); // the work is there before `asleep` is read, see #sleep
        if (asleep) {
            signal();
        }
    }

    private void signal() {
        synchronized (wakeLock) {
            if (awake != null) {
                awake.signal();
            }
        }
    }

    /// Returns at once.
    final void stop() {
        stopping = true;
        signal();
    }

    final boolean isStopping() {
        return stopping;
    }

    /// @return false when the thread still runs after that time
    final boolean join(long millisMax) {
        try {
            return thread.join(Duration.ofMillis(millisMax));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void run() {
        String failure = null;
        UcpWorker worker = null;
        try {
            worker = runtime.newWorker();
            synchronized (wakeLock) {
                awake = worker;
            }
            begin(worker);
            for (int idle = 0; !stopping; ) {
                idle = work() | worker.progress() != 0 ? 0 : idle + 1;
                if (idle > IDLE_POLLS_MAX) {
                    sleep(worker);
                    idle = 0;
                }
            }
        } catch (Exception e) { // jucx's progress declares it
            log.debug("{} ends", thread.getName(), e);
            failure = String.valueOf(e.getMessage());
        } finally {
            shut(worker, failure);
        }
    }

    private void shut(@Nullable UcpWorker worker, @Nullable String failure) {
        try {
            if (worker != null) {
                boolean destroyable = end(worker, failure);
                synchronized (wakeLock) {
                    awake = null;
                }
                if (destroyable) {
                    worker.close();
                }
            }
        } catch (UcxException e) {
            log.warn("{} could not be closed", thread.getName(), e);
        } finally {
            ended(failure);
        }
    }

    /// A signal that comes between the check and the wait is not lost: it stays readable.
    private void sleep(UcpWorker worker) {
        asleep = true;
        if (!stopping && !hasWork()) {
            worker.waitForEvents();
        }
        asleep = false;
    }
}
