package dev.tandem.decode;

import dev.tandem.engine.WorkerMain;
import dev.tandem.engine.WorkerOptions;
import dev.tandem.wire.WorkerRole;

/// Entry point of the decode worker process.
public final class DecodeWorker {
    private DecodeWorker() {}

    /// Runs the worker on the caller's thread until the process is told to stop.
    ///
    /// @return the exit code: 0 stopped, 1 failed, 2 started with options that can't work
    /// @throws IllegalArgumentException the options are those of another role
    public static int run(WorkerOptions options) {
        if (options.role() != WorkerRole.WORKER_ROLE_DECODE) {
            throw new IllegalArgumentException("a decode worker with the role " + options.role());
        }
        return WorkerMain.run(options);
    }
}
