package dev.tandem.sim.report;

import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.CoreSnapshot.ReplicaSnapshot;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/// The core's state over time, from its snapshots; when there are too many, every other one is dropped, so that memory is
/// bounded. Not thread-safe.
public final class Timeline {
    static final int POINTS_MAX = 4096;

    private double[] seconds = new double[POINTS_MAX];
    private double[] waiting = new double[POINTS_MAX];
    private double[] running = new double[POINTS_MAX];
    private int points;
    private int stride = 1;
    private long samples;
    private final Map<Integer, Use> uses = new TreeMap<>();

    /// A replica's use, as means over the samples.
    public static final class Use {
        private final String name;
        private final String role;
        private long samples;
        private long busy;
        private double blocks;
        private double sequences;

        private Use(ReplicaSnapshot replica) {
            this.name = replica.name();
            this.role = replica.role().name().toLowerCase(java.util.Locale.ROOT);
        }

        public String name() {
            return name;
        }

        public String role() {
            return role;
        }

        /// Share of the samples in which it had a plan.
        public double busyShare() {
            return (double) busy / samples;
        }

        /// Mean share of its KV blocks that sequences hold.
        public double blockShare() {
            return blocks / samples;
        }

        public double meanSequences() {
            return sequences / samples;
        }
    }

    void add(CoreSnapshot snapshot, long nanos) {
        for (ReplicaSnapshot replica : snapshot.replicas()) {
            Use use = uses.computeIfAbsent(replica.id(), id -> new Use(replica));
            use.samples++;
            use.busy += replica.plansInFlight() > 0 ? 1 : 0;
            use.blocks += (double) replica.blocksUsed() / replica.blocks();
            use.sequences += replica.sequences();
        }
        if (samples++ % stride != 0) {
            return;
        }
        if (points == POINTS_MAX) {
            halve();
            if ((samples - 1) % stride != 0) {
                return;
            }
        }
        seconds[points] = nanos / 1e9;
        waiting[points] = snapshot.waiting();
        running[points] = snapshot.running();
        points++;
    }

    private void halve() {
        points /= 2;
        for (int i = 0; i < points; i++) {
            seconds[i] = seconds[i * 2];
            waiting[i] = waiting[i * 2];
            running[i] = running[i * 2];
        }
        stride *= 2;
    }

    public double[] seconds() {
        return Arrays.copyOf(seconds, points);
    }

    /// Sequences that live nowhere yet.
    public double[] waiting() {
        return Arrays.copyOf(waiting, points);
    }

    public double[] running() {
        return Arrays.copyOf(running, points);
    }

    /// By the core's number of the replica.
    public Map<Integer, Use> uses() {
        return uses;
    }
}
