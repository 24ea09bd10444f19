package dev.tandem.engine;

import dev.tandem.process.ProcessLife;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;

/// A worker as an operating system process; see [ProcessLife] for what makes it stop.
public final class WorkerMain {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerMain.class);

    /// A step under way and the Goodbye may take this long; then the process halts.
    private static final long STOP_MILLIS_MAX = 15_000;

    private WorkerMain() {}

    /// Loads the model and runs a worker on the caller's thread until the process is told to stop.
    ///
    /// @return the exit code: 0 stopped, 1 failed, 2 started with options that can't work (no such model or device, a
    ///     value out of range): starting again would not help. A failure is logged in one line
    public static int run(WorkerOptions options) {
        WorkerProcess worker;
        try {
            worker = WorkerProcess.open(options);
        } catch (IOException | IllegalArgumentException e) {
            LOG.error("worker {}: {}", options.name(), e.getMessage());
            return 2;
        }
        return run(worker);
    }

    /// Runs a worker on the caller's thread, with this process's signals and standard input.
    ///
    /// @return the exit code: 0 stopped, 1 failed
    static int run(WorkerProcess worker) {
        return ProcessLife.run(worker, STOP_MILLIS_MAX);
    }
}
