package dev.tandem.cli;

import sun.misc.Signal;
import sun.misc.SignalHandler;

/// Signals of the operating system. Java has no other way to end with code 0 on SIGTERM, or to leave
/// a Ctrl-C at the terminal to the parent.
@SuppressWarnings({"sunapi", "removal"})
final class Signals {
    private Signals() {}

    /// Calls `stop` on SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal was closed), every time.
    static void onStop(Runnable stop) {
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            Signal.handle(new Signal(name), signal -> stop.run());
        }
    }

    /// A Ctrl-C goes to all processes of the terminal; children leave it to the supervisor, which
    /// stops them in the right order.
    static void leaveToParent() {
        Signal.handle(new Signal("INT"), SignalHandler.SIG_IGN);
        Signal.handle(new Signal("HUP"), SignalHandler.SIG_IGN);
    }
}
