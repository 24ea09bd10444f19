package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.admission.AdmissionOptions.Fairness;
import dev.tandem.admission.FairQueue.Decision;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// A queue under random calls, beside plain lists that say what must be in it.
final class QueueModel {
    private final Random random;
    private final FairQueue<Waiting> queue;
    private final List<TenantAccount> tenants = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final List<Waiting> placed = new ArrayList<>();
    private final int overtakenMax;
    private long nextId;

    /// Sequence ids in the order offered, negative when taken.
    final List<Long> decisions = new ArrayList<>();

    QueueModel(long seed) {
        random = new Random(seed);
        Fairness fairness = Fairness.values()[random.nextInt(3)];
        AdmissionOptions options = TestOptions.fairness(fairness);
        overtakenMax = options.overtakenMax();
        TenantAccounts accounts = new TenantAccounts(options);
        queue = new FairQueue<>(options);
        for (int i = 0; i < 5; i++) {
            tenants.add(accounts.open("t" + i, 0));
        }
    }

    void act() {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> add();
            case 3 -> remove();
            case 4 -> requeue();
            case 5 -> end();
            default -> visit(random.nextInt(6), random.nextInt(4));
        }
        for (Waiting entry : placed) {
            queue.charge(entry, random.nextInt(20), random.nextInt(2));
        }
    }

    void check() {
        assertThat(queue.size()).isEqualTo(waiting.size());
        assertThat(queue.tokens()).isEqualTo(waiting.stream().mapToLong(e -> e.queuedTokens).sum());
        for (int i = 0; i < Lane.COUNT; i++) {
            Lane lane = Lane.of(i);
            List<Waiting> there = waiting.stream().filter(e -> e.lane() == lane).toList();
            List<Waiting> sheddable = there.stream().filter(e -> !e.resumed).toList();
            assertThat(queue.size(lane)).isEqualTo(there.size());
            assertThat(queue.tokens(lane))
                    .isEqualTo(there.stream().mapToLong(e -> e.queuedTokens).sum());
            assertThat(queue.shedSequences(lane)).isEqualTo(sheddable.size());
            assertThat(queue.shedTokens(lane))
                    .isEqualTo(sheddable.stream().mapToLong(e -> e.queuedTokens).sum());
            assertThat(queue.oldest(lane))
                    .isSameAs(
                            there.stream()
                                    .min(Comparator.comparingLong(QueueEntry::arrivalNanos))
                                    .orElse(null));
            if (i > 0 && queue.shedCandidate(Lane.of(i - 1)) instanceof Waiting shed) {
                assertThat(shed.lane().isBelow(Lane.of(i - 1))).isTrue();
                assertThat(waiting)
                        .noneMatch(
                                e ->
                                        !e.resumed
                                                && (e.lane().isBelow(shed.lane())
                                                        || (e.lane() == shed.lane()
                                                                && e.arrivalNanos()
                                                                        > shed.arrivalNanos())));
            }
        }
        for (TenantAccount tenant : tenants) {
            assertThat(tenant.queuedTokens())
                    .isEqualTo(
                            waiting.stream()
                                    .filter(e -> e.account() == tenant)
                                    .mapToLong(e -> e.queuedTokens)
                                    .sum());
        }
    }

    /// Everything left comes out, nothing owed stays.
    void drain() {
        visit(Integer.MAX_VALUE, 0);
        assertThat(waiting).isEmpty();
        assertThat(queue.size()).isZero();
        placed.forEach(queue::settle);
        assertThat(placed).allMatch(e -> e.owedUnits == 0 && e.flow != null);
        assertThat(placed).allMatch(e -> e.flow != null && e.flow.owedUnits() == 0);
    }

    private void add() {
        Waiting entry =
                new Waiting(
                        nextId++,
                        Lane.of(random.nextInt(Lane.COUNT)),
                        tenants.get(random.nextInt(tenants.size())),
                        1 + random.nextInt(100),
                        10);
        entry.cached = random.nextInt(entry.prompt);
        queue.add(entry);
        waiting.add(entry);
    }

    private void remove() {
        if (!waiting.isEmpty()) {
            queue.remove(waiting.remove(random.nextInt(waiting.size())));
        }
    }

    private void requeue() {
        if (!placed.isEmpty()) {
            Waiting entry = placed.remove(random.nextInt(placed.size()));
            entry.isResumed = true;
            queue.add(entry);
            waiting.add(entry);
        }
    }

    private void end() {
        if (!placed.isEmpty()) {
            queue.settle(placed.remove(random.nextInt(placed.size())));
        }
    }

    private void visit(int takes, int looksMax) {
        Set<Waiting> seen = new HashSet<>();
        int[] taken = new int[1];
        List<Waiting> skipped = new ArrayList<>();
        boolean takesAll = takes == Integer.MAX_VALUE;
        int sizeBefore = waiting.size();
        boolean[] isStopped = new boolean[1];
        int reported =
                queue.visit(
                        entry -> {
                            assertThat(seen.add(entry)).as("offered twice").isTrue();
                            assertThat(waiting).contains(entry);
                            assertThat(waiting)
                                    .as("of its tenant and lane, the first that was not offered")
                                    .noneMatch(e -> goesBefore(e, entry) && !seen.contains(e));
                            if (!takesAll && random.nextInt(3) == 0) {
                                decisions.add(entry.sequenceId());
                                skipped.add(entry);
                                return Decision.SKIP;
                            }
                            if (taken[0] == takes) {
                                isStopped[0] = true;
                                return Decision.STOP;
                            }
                            taken[0]++;
                            decisions.add(-entry.sequenceId());
                            waiting.remove(entry);
                            placed.add(entry);
                            return Decision.TAKE;
                        },
                        looksMax);
        assertThat(reported).isEqualTo(taken[0]);
        assertThat(skipped.size()).isLessThanOrEqualTo(looksMax + 1);
        boolean isWaitedFor = skipped.stream().anyMatch(e -> e.overtaken >= overtakenMax);
        if (!isStopped[0] && skipped.size() <= looksMax && !isWaitedFor) {
            assertThat(seen).as("a visit without an end of its own sees all").hasSize(sizeBefore);
        }
    }

    private static boolean goesBefore(Waiting e, Waiting entry) {
        if (e.resumed != entry.resumed) {
            return e.resumed;
        }
        boolean isSameParty = e.lane() == entry.lane() && e.account() == entry.account();
        return (e.resumed || isSameParty) && e.sequenceId() < entry.sequenceId();
    }
}
