package dev.tandem.engine;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import sun.misc.Signal;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A worker as an operating system process: what makes it stop. SIGTERM says Goodbye and ends with exit code 0.
/// With the system property `tandem.parentWatch` = true the process is a child: it stops when its standard input
/// ends, because then the parent has died, and leaves SIGINT, which a terminal sends to the whole group, to the
/// parent to act upon.
public final class WorkerMain {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerMain.class);

    /// A step under way and the Goodbye may take this long; then the process halts.
    private static final long STOP_MILLIS_MAX = 15_000;

    private WorkerMain() {}

    /// Loads the model and runs a worker on the caller's thread until the process is told to stop.
    ///
    /// @return the exit code: 0 stopped, 1 failed, 2 an option is out of range; a failure is logged in one line
    public static int run(WorkerOptions options) {
        WorkerProcess worker;
        try {
            LoadedModel model = WorkerWiring.loadModel(options);
            try {
                worker = new WorkerProcess(options, model, WorkerWiring.kvSides(options));
            } catch (RuntimeException e) {
                model.backend().close();
                throw e;
            }
        } catch (IOException e) {
            LOG.error("worker {}: {}", options.name(), e.getMessage());
            return 1;
        } catch (IllegalArgumentException e) {
            LOG.error("worker {}: {}", options.name(), e.getMessage());
            return 2;
        }
        return run(worker);
    }

    /// Runs a worker on the caller's thread, with this process's signals and standard input.
    ///
    /// @return the exit code: 0 stopped, 1 failed
    static int run(WorkerProcess worker) {
        var finished = new CountDownLatch(1);
        boolean child = Boolean.getBoolean("tandem.parentWatch");
        onSignal("TERM", () -> stop(worker, "SIGTERM", finished));
        onSignal(
                "INT",
                () -> {
                    if (!child) {
                        stop(worker, "SIGINT", finished);
                    }
                });
        if (child) {
            Thread.ofPlatform()
                    .daemon()
                    .name("parent-watch")
                    .start(
                            () -> {
                                awaitEnd(System.in);
                                stop(worker, "the parent process has ended", finished);
                            });
        }
        try {
            return worker.run();
        } finally {
            finished.countDown();
        }
    }

    /// A shutdown hook would not do: the JVM then ends with 128 + the signal's number.
    private static void onSignal(String name, Runnable action) {
        Signal.handle(new Signal(name), _ -> action.run());
    }

    private static void stop(WorkerProcess worker, String reason, CountDownLatch finished) {
        LOG.info("stopping: {}", reason);
        Thread.ofPlatform().daemon().name("stop-limit").start(() -> haltUnless(finished));
        worker.stop(reason);
    }

    private static void haltUnless(CountDownLatch finished) {
        try {
            if (finished.await(STOP_MILLIS_MAX, TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        LOG.error("not stopped within {} ms, halting", STOP_MILLIS_MAX);
        Runtime.getRuntime().halt(1);
    }

    private static void awaitEnd(InputStream in) {
        byte[] ignored = new byte[1024];
        try {
            while (in.read(ignored) >= 0) {
                // a parent has nothing to say
            }
        } catch (IOException e) {
            LOG.debug("standard input can't be read: taken for its end", e);
        }
    }
}
