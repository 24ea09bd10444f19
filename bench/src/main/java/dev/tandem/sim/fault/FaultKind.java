package dev.tandem.sim.fault;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/// What can break. Each kind can be switched off by its name.
public enum FaultKind {
    /// A worker's process ends; what it has said already may still arrive. It comes back as a new incarnation.
    CRASH,
    /// A worker stands still (SIGSTOP, a page fault storm) and goes on, or is given up for lost meanwhile.
    PAUSE,
    /// Nothing passes between the coordinator and a worker. A short one only delays; a long one ends in a lost worker
    /// that goes on working for a while and whose blocks still land.
    PARTITION,
    /// Nothing passes between two workers.
    WORKER_PARTITION,
    /// A worker's steps take `magnitude` times as long.
    SLOW,
    /// Messages between the coordinator and a worker take up to `magnitude` nanoseconds longer, in their order.
    DELAY,
    /// Blocks of a transfer vanish without a word, so that both sides run into their deadlines.
    TRANSFER_LOST,
    /// The connection of a transfer breaks after some of its blocks.
    TRANSFER_BROKEN,
    /// A block arrives with other bytes: the receiver's checksum ends the lease.
    BLOCK_CORRUPTED,
    /// The blocks of a send arrive twice.
    BLOCK_DUPLICATED,
    /// A worker tells the result of a plan twice.
    RESULT_DUPLICATED,
    /// A worker's result does not fit its plan.
    RESULT_CORRUPTED,
    /// Words of a worker that is given up for lost reach the core after all.
    LATE_WORDS,
    /// The last words about leases reach the core twice.
    LEASE_DUPLICATED,
    /// The core hears of replicas, leases and sequences that it does not know, or of known leases from the wrong side.
    FOREIGN_EVENT,
    /// Time jumps forward.
    CLOCK_STEP,
    /// A client goes away at any moment.
    CANCEL;

    /// Its name on the command line: `clock-step`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// Reads `all`, `none`, or names separated by commas, where `-name` takes one out of all.
    public static Set<FaultKind> parse(String text) {
        if (text.equals("none")) {
            return EnumSet.noneOf(FaultKind.class);
        }
        if (text.equals("all")) {
            return EnumSet.allOf(FaultKind.class);
        }
        Set<FaultKind> kinds =
                text.startsWith("-")
                        ? EnumSet.allOf(FaultKind.class)
                        : EnumSet.noneOf(FaultKind.class);
        for (String part : text.split(",", -1)) {
            String name = part.strip();
            if (name.startsWith("-")) {
                kinds.remove(named(name.substring(1)));
            } else {
                kinds.add(named(name));
            }
        }
        return kinds;
    }

    private static FaultKind named(String text) {
        for (FaultKind kind : values()) {
            if (kind.text().equals(text)) {
                return kind;
            }
        }
        StringBuilder names = new StringBuilder();
        for (FaultKind kind : values()) {
            names.append(names.isEmpty() ? "" : ", ").append(kind.text());
        }
        throw new IllegalArgumentException(
                "no fault is named '%s'; there are: %s".formatted(text, names));
    }
}
