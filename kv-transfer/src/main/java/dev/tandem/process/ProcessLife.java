package dev.tandem.process;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import sun.misc.Signal;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Runs a [ManagedProcess] as an operating system process. SIGTERM and SIGINT stop it in order, with exit code 0. With
/// the system property `tandem.parentWatch` = true the process is a child: it stops when its standard input ends, since
/// then its parent has died (however that happened), and it leaves SIGINT, which a terminal sends to the whole group,
/// to the parent.
public final class ProcessLife {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessLife.class);

    private ProcessLife() {}

    /// @param stopMillisMax how long an orderly stop may take; then the process halts with code 1
    /// @return the exit code
    public static int run(ManagedProcess process, long stopMillisMax) {
        var finished = new CountDownLatch(1);
        boolean child = Boolean.getBoolean("tandem.parentWatch");
        Signal.handle(
                new Signal("TERM"), signal -> stop(process, "SIGTERM", finished, stopMillisMax));
        Signal.handle(
                new Signal("INT"),
                signal -> {
                    if (!child) {
                        stop(process, "SIGINT", finished, stopMillisMax);
                    }
                });
        if (child) {
            daemon(
                    "parent-watch",
                    () -> {
                        awaitEnd(System.in);
                        stop(process, "the parent process has ended", finished, stopMillisMax);
                    });
        }
        try {
            return process.run();
        } finally {
            finished.countDown();
        }
    }

    private static void stop(
            ManagedProcess process, String reason, CountDownLatch finished, long stopMillisMax) {
        LOG.info("stopping: {}", reason);
        daemon("stop-limit", () -> haltUnless(finished, stopMillisMax));
        process.stop(reason);
    }

    private static void daemon(String name, Runnable body) {
        Thread.ofPlatform().daemon().name(name).start(body);
    }

    private static void haltUnless(CountDownLatch finished, long stopMillisMax) {
        try {
            if (finished.await(stopMillisMax, TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        LOG.error("not stopped within {} ms, halting", stopMillisMax);
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
