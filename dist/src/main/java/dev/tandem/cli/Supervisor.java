package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Keeps child processes alive and stops them in order. One thread, the caller of [#run], owns all
/// state; ends of processes, the ready line and the wish to stop reach it through one queue.
///
/// The leading child (the coordinator) is stopped first and may finish its work while the others still
/// live; then the others. A child that ends unasked is started again, see [RestartPolicy]. But before
/// the first ready line code 2 (wrong usage) of any child ends everything with the same message and code,
/// since no restart would heal it.
final class Supervisor {
    private static final String READY_PREFIX = "tandem ready on ";

    /// The JVM says this to everyone who uses the Vector API, and can't be told not to.
    private static final String VECTOR_NOTICE =
            "WARNING: Using incubator modules: jdk.incubator.vector";

    private static final int EVENTS_MAX = 4_096;
    private static final int USAGE = 2;
    private static final int NOT_STARTED = 127; // what a shell says when there is no such program

    /// What can happen, in the supervisor's eyes.
    private sealed interface Event {
        record Ended(Child child, int code) implements Event {}

        record Ready() implements Event {}

        record Stop() implements Event {}
    }

    /// One child over all its lives.
    private static final class Child {
        final ChildSpec spec;
        @Nullable ChildProcess process; // null while it is down
        long startedNanos;
        long restartNanos; // when down: time of the next start
        int deaths; // in a row, since it was last stable

        Child(ChildSpec spec) {
            this.spec = spec;
        }
    }

    private final List<Child> children = new ArrayList<>();
    private final Set<String> hidden;
    private final RestartPolicy policy;
    private final PrintStream out;
    private final PrintStream err;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>(EVENTS_MAX);
    private boolean ready;
    private boolean killed;

    /// @param hidden environment variables that no child gets
    /// @param out takes the ready line, nothing else
    /// @param err takes everything that the children print, and what the supervisor does
    Supervisor(
            List<ChildSpec> specs,
            Set<String> hidden,
            RestartPolicy policy,
            PrintStream out,
            PrintStream err) {
        specs.forEach(spec -> children.add(new Child(spec)));
        this.hidden = Set.copyOf(hidden);
        this.policy = policy;
        this.out = out;
        this.err = err;
    }

    /// Asks for an orderly stop; asked again, the children are killed. Any thread.
    void stop() {
        boolean unused = events.offer(new Event.Stop()); // full: it is stopping already
    }

    /// Whether every child ended by itself when it was asked to. After [#run].
    boolean endedWell() {
        return !killed;
    }

    /// Starts the children and keeps them alive until [#stop].
    ///
    /// @return 0 after a stop, 2 when a child was started wrongly, 1 when a child can't be kept alive
    int run() throws InterruptedException {
        for (Child child : children) {
            start(child);
        }
        while (true) {
            Event event = events.poll(nanosToNextRestart(), TimeUnit.NANOSECONDS);
            Integer code =
                    switch (event) {
                        case null -> null;
                        case Event.Stop stop -> 0;
                        case Event.Ready line -> {
                            ready = true;
                            yield null;
                        }
                        case Event.Ended(Child child, int exit) -> ended(child, exit);
                    };
            if (code != null) {
                return stopAll(code);
            }
            startDue();
        }
    }

    private long nanosToNextRestart() {
        long now = System.nanoTime();
        long nanos = TimeUnit.HOURS.toNanos(1);
        for (Child child : children) {
            if (child.process == null) {
                nanos = Math.min(nanos, Math.max(0, child.restartNanos - now));
            }
        }
        return nanos;
    }

    private void startDue() {
        for (Child child : children) {
            if (child.process == null && child.restartNanos - System.nanoTime() <= 0) {
                start(child);
            }
        }
    }

    private void start(Child child) {
        child.startedNanos = System.nanoTime();
        String prefix = "[" + child.spec.name() + "] ";
        try {
            var process =
                    new ChildProcess(
                            child.spec,
                            hidden,
                            line -> printed(child, prefix, line),
                            line -> {
                                if (!line.equals(VECTOR_NOTICE)) {
                                    err.println(prefix + line);
                                }
                            });
            child.process = process;
            process.onExit(code -> put(new Event.Ended(child, code)));
        } catch (IOException e) {
            err.println("[serve] " + child.spec.name() + " can't be started: " + e.getMessage());
            child.restartNanos = child.startedNanos + TimeUnit.HOURS.toNanos(1); // until decided
            boolean unused = events.offer(new Event.Ended(child, NOT_STARTED));
        }
    }

    private void printed(Child child, String prefix, String line) {
        if (child.spec.leads() && line.startsWith(READY_PREFIX)) {
            out.println(line);
            out.flush();
            put(new Event.Ready());
        } else {
            err.println(prefix + line);
        }
    }

    private void put(Event event) {
        try {
            events.put(event);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// @return the code to end with, or null to go on
    private @Nullable Integer ended(Child child, int code) throws InterruptedException {
        ChildProcess process = child.process;
        child.process = null;
        String message = process == null ? null : process.lastErrorLine();
        if (code == USAGE && !ready) {
            err.println(message == null ? child.spec.name() + " was started wrongly" : message);
            return USAGE;
        }
        restartLater(child);
        if (!ready && child.deaths >= policy.startsMax()) {
            err.printf(
                    "tandem: %s ended %d times before Tandem was ready, the last time with code"
                            + " %d; see its lines above%n",
                    child.spec.name(), child.deaths, code);
            return 1;
        }
        long waitMillis = TimeUnit.NANOSECONDS.toMillis(child.restartNanos - System.nanoTime());
        err.printf(
                "[serve] %s ended with code %d; starting it again in %d ms%n",
                child.spec.name(), code, Math.max(0, waitMillis));
        return null;
    }

    private void restartLater(Child child) {
        long now = System.nanoTime();
        long livedMillis = TimeUnit.NANOSECONDS.toMillis(now - child.startedNanos);
        child.deaths = livedMillis >= policy.stableMillis() ? 1 : child.deaths + 1;
        child.restartNanos = now + TimeUnit.MILLISECONDS.toNanos(policy.waitMillis(child.deaths));
    }

    private int stopAll(int code) throws InterruptedException {
        stop(children.stream().filter(child -> child.spec.leads()).toList());
        stop(children);
        return code;
    }

    private void stop(List<Child> some) throws InterruptedException {
        int waitMillis = 0;
        for (Child child : some) {
            if (child.process != null) {
                child.process.terminate();
                waitMillis = Math.max(waitMillis, child.spec.stopMillisMax());
            }
        }
        if (!awaitEnds(some, waitMillis)) {
            killed = true;
            for (Child child : some) {
                if (child.process != null) {
                    err.println("[serve] " + child.spec.name() + " does not end; killing it");
                    child.process.kill();
                }
            }
            boolean unused = awaitEnds(some, waitMillis);
        }
    }

    /// @return false when time is up, or when a second stop says that there is no time
    private boolean awaitEnds(List<Child> some, int millisMax) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millisMax);
        while (some.stream().anyMatch(child -> child.process != null)) {
            Event event = events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            switch (event) {
                case null -> {
                    return false;
                }
                case Event.Stop again -> {
                    return false;
                }
                case Event.Ready tooLate -> {}
                case Event.Ended(Child child, int exit) -> {
                    ChildProcess process = child.process;
                    child.process = null;
                    if (process != null) {
                        String unused = process.lastErrorLine(); // its last lines are out
                    }
                }
            }
        }
        return true;
    }
}
