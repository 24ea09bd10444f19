package dev.tandem.sim.engine;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/// Where one worker after the other lives, and what is wrong there at the moment. Owned by the simulation.
final class Machine {
    final int node;
    final ReplicaSpec spec;

    /// What its tier holds, by the first word of the hash, and the hashes from the oldest on.
    final Map<Long, long[]> tier = new HashMap<>();

    final ArrayDeque<long[]> tierHashes = new ArrayDeque<>();

    /// The last one that joined, dead or alive; null before the first.
    @Nullable SimulatedWorker worker;

    long incarnations;

    /// The worker stands still until then.
    long pausedUntilNanos;

    /// Nothing passes to or from the coordinator until then.
    long cutUntilNanos;

    /// Messages take up to `delayNanosMax` longer until then.
    long delayedUntilNanos;

    long delayNanosMax;

    /// Steps take `slowdown` times as long until then.
    long slowUntilNanos;

    double slowdown = 1;

    /// Words about leases are told twice until then.
    long repeatsUntilNanos;

    // Told once about the next message of their kind.
    boolean losesTransfer;
    boolean breaksTransfer;
    boolean corruptsBlock;
    boolean duplicatesBlocks;
    boolean duplicatesResult;
    boolean corruptsResult;

    Machine(int node, ReplicaSpec spec) {
        this.node = node;
        this.spec = spec;
    }
}
