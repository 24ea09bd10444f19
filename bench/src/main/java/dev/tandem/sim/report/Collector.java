package dev.tandem.sim.report;

import dev.tandem.admission.Lane;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.ErrorCategory;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Turns what a run tells into figures. Per request it keeps a slot until the end, per token it changes four numbers.
/// Not thread-safe; one run owns it.
public final class Collector implements SimulationObserver {
    /// Names with figures of their own; further ones share `(others)`.
    private static final int NAMES_MAX = 64;

    private final List<Objective> objectives;
    private final boolean grouped;
    private final Group all;
    private final Map<String, Group> tenants = new TreeMap<>();
    private final Map<String, Group> lanes = new TreeMap<>();
    private final Map<String, Group> classes = new TreeMap<>();
    private final Map<String, Long> errors = new TreeMap<>();
    private final Timeline timeline = new Timeline();
    private long firstArrivalNanos = -1;
    private long lastArrivalNanos;
    private long lastTokenNanos;
    private @Nullable CoreSnapshot lastSnapshot;

    // A ring over the sequences from `oldest` to `next`, by their low bits.
    private int mask = 1023;
    private long oldest = 1;
    private long next = 1;
    private boolean[] live = new boolean[mask + 1];
    private long[] arrivedAt = new long[mask + 1];
    private long[] firstAt = new long[mask + 1];
    private long[] lastAt = new long[mask + 1];
    private long[] gapMax = new long[mask + 1];
    private int[] tokens = new int[mask + 1];
    private @Nullable Group[] tenantOf = new Group[mask + 1];
    private @Nullable Group[] laneOf = new Group[mask + 1];
    private @Nullable Group[] classOf = new Group[mask + 1];

    /// @param objectives of which the shares met are counted; the first is the run's own
    /// @param grouped whether tenants, lanes and classes are told apart
    public Collector(List<Objective> objectives, boolean grouped) {
        this.objectives = List.copyOf(objectives);
        this.grouped = grouped;
        this.all = new Group(objectives.size());
    }

    @Override
    public void arrived(long sequence, Arrival arrival, long nanos) {
        while (oldest < next && !live[(int) oldest & mask]) {
            oldest++;
        }
        if (sequence - oldest > mask) {
            grow(sequence);
        }
        next = sequence + 1;
        int slot = (int) sequence & mask;
        live[slot] = true;
        arrivedAt[slot] = nanos;
        firstAt[slot] = -1;
        lastAt[slot] = nanos;
        gapMax[slot] = 0;
        tokens[slot] = 0;
        if (grouped) {
            Lane lane = arrival.terms().lane();
            tenantOf[slot] = group(tenants, arrival.terms().tenant());
            laneOf[slot] = group(lanes, lane == null ? "" : lane.name().toLowerCase(Locale.ROOT));
            classOf[slot] = group(classes, arrival.terms().workload());
        }
        if (firstArrivalNanos < 0) {
            firstArrivalNanos = nanos;
        }
        lastArrivalNanos = nanos;
        int promptTokens = arrival.prompt().length();
        count(slot, Count.ARRIVED, promptTokens);
    }

    private Group group(Map<String, Group> groups, String name) {
        Group known = groups.get(name);
        if (known == null) {
            String key = groups.size() < NAMES_MAX ? name : "(others)";
            known = groups.computeIfAbsent(key, k -> new Group(objectives.size()));
        }
        return known;
    }

    private void grow(long sequence) {
        int oldMask = mask;
        while (sequence - oldest > mask) {
            mask = mask * 2 + 1;
        }
        boolean[] wasLive = live;
        long[][] longs = {arrivedAt, firstAt, lastAt, gapMax};
        int[] wasTokens = tokens;
        Group[][] groups = {tenantOf, laneOf, classOf};
        live = new boolean[mask + 1];
        arrivedAt = new long[mask + 1];
        firstAt = new long[mask + 1];
        lastAt = new long[mask + 1];
        gapMax = new long[mask + 1];
        tokens = new int[mask + 1];
        tenantOf = new Group[mask + 1];
        laneOf = new Group[mask + 1];
        classOf = new Group[mask + 1];
        for (long s = oldest; s < next; s++) {
            int from = (int) s & oldMask;
            int to = (int) s & mask;
            live[to] = wasLive[from];
            arrivedAt[to] = longs[0][from];
            firstAt[to] = longs[1][from];
            lastAt[to] = longs[2][from];
            gapMax[to] = longs[3][from];
            tokens[to] = wasTokens[from];
            tenantOf[to] = groups[0][from];
            laneOf[to] = groups[1][from];
            classOf[to] = groups[2][from];
        }
    }

    @Override
    public void token(long sequence, long nanos) {
        int slot = (int) sequence & mask;
        if (tokens[slot]++ == 0) {
            firstAt[slot] = nanos;
        } else {
            gapMax[slot] = Math.max(gapMax[slot], nanos - lastAt[slot]);
        }
        lastAt[slot] = nanos;
        lastTokenNanos = nanos;
    }

    @Override
    public void finished(long sequence, long nanos) {
        int slot = (int) sequence & mask;
        count(slot, Count.COMPLETED, 0);
        live[slot] = false;
    }

    @Override
    public void failed(
            long sequence, ErrorCategory category, String code, long retryAfterMillis, long nanos) {
        int slot = (int) sequence & mask;
        errors.merge(code, 1L, Long::sum);
        count(slot, category == ErrorCategory.CAPACITY ? Count.REFUSED : Count.FAILED, 0);
        live[slot] = false;
    }

    @Override
    public void cancelled(long sequence, long nanos) {
        int slot = (int) sequence & mask;
        count(slot, Count.CANCELLED, 0);
        live[slot] = false;
    }

    @Override
    public void sampled(CoreSnapshot snapshot, long nanos) {
        lastSnapshot = snapshot;
        timeline.add(snapshot, nanos);
    }

    private enum Count {
        ARRIVED,
        COMPLETED,
        REFUSED,
        FAILED,
        CANCELLED
    }

    private void count(int slot, Count what, int promptTokens) {
        count(all, slot, what, promptTokens);
        if (grouped) {
            Group tenant = tenantOf[slot];
            Group lane = laneOf[slot];
            Group workload = classOf[slot];
            if (tenant != null && lane != null && workload != null) {
                count(tenant, slot, what, promptTokens);
                count(lane, slot, what, promptTokens);
                count(workload, slot, what, promptTokens);
            }
        }
    }

    private void count(Group group, int slot, Count what, int promptTokens) {
        switch (what) {
            case ARRIVED -> {
                group.arrived++;
                group.promptTokens += promptTokens;
                return;
            }
            case COMPLETED -> completed(group, slot);
            case REFUSED -> group.refused++;
            case FAILED -> group.failed++;
            case CANCELLED -> group.cancelled++;
        }
        group.outputTokens += tokens[slot];
    }

    private void completed(Group group, int slot) {
        group.completed++;
        long ttft = firstAt[slot] - arrivedAt[slot];
        int later = tokens[slot] - 1;
        double tpot = later == 0 ? 0 : (double) (lastAt[slot] - firstAt[slot]) / later;
        Group.record(group.ttft, ttft);
        if (later > 0) {
            Group.record(group.tpot, tpot);
            Group.record(group.gapMax, gapMax[slot]);
        }
        Group.record(group.endToEnd, lastAt[slot] - arrivedAt[slot]);
        for (int i = 0; i < objectives.size(); i++) {
            if (objectives.get(i).isMet(ttft, tpot)) {
                group.met[i]++;
            }
        }
    }

    public List<Objective> objectives() {
        return objectives;
    }

    public Group all() {
        return all;
    }

    /// By name; empty unless grouped.
    public Map<String, Group> tenants() {
        return tenants;
    }

    public Map<String, Group> lanes() {
        return lanes;
    }

    public Map<String, Group> classes() {
        return classes;
    }

    /// Failed and refused requests by the error's code.
    public Map<String, Long> errors() {
        return errors;
    }

    public Timeline timeline() {
        return timeline;
    }

    /// The last one shown, or null.
    public @Nullable CoreSnapshot lastSnapshot() {
        return lastSnapshot;
    }

    /// From the first arrival to the last; 0 when there is only one.
    public double arrivalSeconds() {
        return Math.max(0, lastArrivalNanos - firstArrivalNanos) / 1e9;
    }

    /// From the first arrival to the last token.
    public double busySeconds() {
        return Math.max(0, Math.max(lastTokenNanos, lastArrivalNanos) - firstArrivalNanos) / 1e9;
    }

    /// Requests per second that meet the objective, while requests arrive.
    public double goodput(int objective) {
        double seconds = arrivalSeconds();
        return seconds == 0 ? 0 : all.met(objective) / seconds;
    }

    /// Requests without an answer so far.
    public long open() {
        int count = 0;
        for (long s = oldest; s < next; s++) {
            count += live[(int) s & mask] ? 1 : 0;
        }
        return count;
    }

    @Override
    public String toString() {
        return "%d arrived, %d completed, met %s"
                .formatted(all.arrived, all.completed, Arrays.toString(all.met));
    }
}
