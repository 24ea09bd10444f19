package dev.tandem.routing;

import java.util.Arrays;

/// Smooth weighted round robin (nginx 1.3.1, 2012) with *live* weights. At each choice every candidate
/// gains its weight, the one with the most is taken and pays the sum of all weights:
/// ```
/// credit_i += weight_i;   best = argmax credit;   credit_best -= sum(weight)
/// ```
/// With constant weights the shares are exact after each full turn and picks of one replica are spread evenly in it. Weights
/// are read anew at each choice:
/// ```
/// weight = speed x modelResidency                        device class, and whether the weights are loaded
///        x min(1, 1 / latencyP95)                        p95 of observed / predicted
///        x 1 / (1 + queueSeconds / queueSecondsTypical)  queue depth
///        x slow start weight x (1 - errorRate)^2         health
/// ```
public final class WeightedRoundRobin implements RoutingPolicy {
    private static final double WEIGHT_MIN = 1e-6; // a candidate is never quite out

    /// @param queueSecondsTypical a queue of so many seconds halves the weight
    public record Options(double queueSecondsTypical) {
        public static Options defaults() {
            return new Options(1);
        }

        public Options {
            Require.above("roundRobin.queueSecondsTypical", queueSecondsTypical, 0);
        }
    }

    private final Options options;

    // Credits by replica id, ascending; a replica unknown so far starts at 0.
    private int[] ids = new int[16];
    private double[] credits = new double[16];
    private int size;

    public WeightedRoundRobin(Options options) {
        this.options = options;
    }

    @Override
    public int choose(RouteRequest request, Candidates candidates, long nowNanos) {
        int best = -1;
        int bestSlot = -1;
        double sum = 0;
        int slot = 0;
        for (int i = 0; i < candidates.size(); i++) { // both sorted by id: one pass
            ReplicaView replica = candidates.get(i);
            while (slot < size && ids[slot] < replica.id()) {
                slot++;
            }
            if (slot == size || ids[slot] != replica.id()) {
                insert(slot, replica.id());
            }
            double weight = weight(request, replica);
            sum += weight;
            credits[slot] += weight;
            if (best < 0 || credits[slot] > credits[bestSlot]) {
                best = i;
                bestSlot = slot;
            }
        }
        if (best >= 0) {
            credits[bestSlot] -= sum;
        }
        return best;
    }

    /// Forgets the credits of replicas that have left.
    @Override
    public void replicasChanged(Candidates members) {
        int kept = 0;
        for (int slot = 0; slot < size; slot++) {
            if (members.indexOf(ids[slot]) >= 0) {
                ids[kept] = ids[slot];
                credits[kept++] = credits[slot];
            }
        }
        size = kept;
    }

    /// The live weight, above 0.
    public double weight(RouteRequest request, ReplicaView replica) {
        Health health = replica.health();
        double sound = 1 - health.errorRate();
        double weight =
                replica.speed()
                        * request.modelResidency(replica)
                        * Math.min(1, 1 / health.latencyP95())
                        / (1 + replica.queueSeconds() / options.queueSecondsTypical)
                        * health.weight()
                        * (sound * sound);
        return Math.max(weight, WEIGHT_MIN);
    }

    private void insert(int slot, int id) {
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, 2 * size);
            credits = Arrays.copyOf(credits, 2 * size);
        }
        System.arraycopy(ids, slot, ids, slot + 1, size - slot);
        System.arraycopy(credits, slot, credits, slot + 1, size - slot);
        ids[slot] = id;
        credits[slot] = 0;
        size++;
    }
}
