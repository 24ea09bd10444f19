package dev.tandem.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Ends this process when its parent is gone, however it went: the parent holds the other end of
/// standard input and never writes, so the end of input means that it no longer exists.
final class ParentWatch {
    private static final int EXIT_MILLIS_MAX = 5_000;

    private ParentWatch() {}

    /// Starts the watch. The process then exits with code 1: in order if that takes no longer than
    /// five seconds, else at once.
    static void start(InputStream input) {
        Thread.ofPlatform()
                .name("parent-watch")
                .daemon()
                .start(
                        () -> {
                            awaitEnd(input);
                            exit();
                        });
    }

    private static void awaitEnd(InputStream input) {
        byte[] ignored = new byte[256];
        try {
            while (input.read(ignored) >= 0) {
                // the parent says nothing that would matter
            }
        } catch (IOException e) {
            return; // a broken pipe is an end too
        }
    }

    private static void exit() {
        Thread.ofPlatform()
                .name("parent-watch-exit")
                .daemon()
                .start(
                        () -> {
                            try {
                                new CountDownLatch(1).await(EXIT_MILLIS_MAX, TimeUnit.MILLISECONDS);
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                            Runtime.getRuntime().halt(1);
                        });
        System.exit(1);
    }
}
