package dev.tandem.cli;

import sun.misc.Signal;

/// Signals of the operating system. Java has no other way to end with code 0 on SIGTERM.
@SuppressWarnings({"sunapi", "removal"})
final class Signals {
    private Signals() {}

    /// Calls `stop` on SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal was closed), every time.
    static void onStop(Runnable stop) {
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            Signal.handle(new Signal(name), signal -> stop.run());
        }
    }
}
