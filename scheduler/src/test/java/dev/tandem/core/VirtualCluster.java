package dev.tandem.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.batching.DeviceFacts;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/// The core among virtual workers, in virtual time with seeded delays and faults: plans and results arrive in order per
/// link, everything else in any order; transfers fail, leases expire, workers die and their last writes land late.
final class VirtualCluster {
    private static final long MILLIS = 1_000_000;

    private final Random random;
    private final CoreOptions options;
    private final int blockTokens;
    private final SchedulerCore core;
    private final PriorityQueue<Timed> queue = new PriorityQueue<>();
    private final Map<Integer, Node> nodes = new TreeMap<>();
    private final Map<Long, List<Integer>> outputs = new HashMap<>();
    private final Map<Long, String> endings = new HashMap<>();
    private final Map<Long, Event.Submit> submits = new TreeMap<>();
    private final Set<Long> cancelled = new HashSet<>();
    private double transferFailure;
    private long now = 1;
    private long order;
    private int nextReplica = 1;

    private record Timed(long nanos, long order, Runnable action) implements Comparable<Timed> {
        @Override
        public int compareTo(Timed other) {
            int byTime = Long.compare(nanos, other.nanos);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private static final class Lease {
        final int[] blocks;
        final Set<Integer> filled = new HashSet<>();
        boolean ended;

        Lease(int[] blocks) {
            this.blocks = blocks;
        }
    }

    private static final class Node {
        final int replica;
        final ReplicaFacts facts;
        final VirtualWorker worker;
        final Map<Long, Lease> leases = new HashMap<>();
        final Set<Long> sending = new HashSet<>();
        final Set<Long> sendsEnded = new HashSet<>();
        boolean dead;
        long busyUntil;
        long lastArrival;

        Node(int replica, ReplicaFacts facts) {
            this.replica = replica;
            this.facts = facts;
            this.worker = new VirtualWorker(facts.blocks(), facts.blockTokens());
        }
    }

    VirtualCluster(long seed, CoreOptions options, int blockTokens) {
        this.random = new Random(seed);
        this.options = options;
        this.blockTokens = blockTokens;
        this.core = new SchedulerCore(options);
    }

    CoreSnapshot snapshot() {
        return core.snapshot();
    }

    void transferFailure(double share) {
        transferFailure = share;
    }

    int join(ReplicaRole role, int blocks, int sequencesMax, int stepTokensMax) {
        int replica = nextReplica++;
        ReplicaFacts facts =
                new ReplicaFacts(
                        "w" + replica,
                        replica,
                        role,
                        "",
                        "",
                        blocks,
                        blockTokens,
                        sequencesMax,
                        stepTokensMax,
                        DeviceFacts.unknown());
        nodes.put(replica, new Node(replica, facts));
        feed(new Event.ReplicaJoined(replica, facts));
        return replica;
    }

    void at(long millis, Runnable action) {
        schedule(millis * MILLIS, action);
    }

    void submit(Event.Submit submit) {
        submits.put(submit.sequence(), submit);
        feed(submit);
    }

    void cancel(long sequence) {
        if (submits.containsKey(sequence) && !endings.containsKey(sequence)) {
            cancelled.add(sequence);
            feed(new Event.Cancel(sequence));
        }
    }

    /// Kills a worker: what it had on the way may still arrive, and through shared memory its last writes may land until
    /// the leases' deadline.
    void kill(int replica) {
        Node node = nodes.remove(replica);
        if (node != null) {
            node.dead = true;
            schedule(
                    random.nextLong(50 * MILLIS),
                    () -> feed(new Event.ReplicaLost(replica, "killed")));
        }
    }

    List<Integer> living() {
        return List.copyOf(nodes.keySet());
    }

    /// Runs until nothing is left to do but ticks.
    void run() {
        schedule(0, this::tick);
        long steps = 0;
        while (!queue.isEmpty()) {
            Timed next = queue.poll();
            now = Math.max(now, next.nanos);
            next.action.run();
            assertThat(++steps).as("the run ends").isLessThan(2_000_000);
        }
    }

    private void tick() {
        feed(new Event.Tick());
        boolean blocksHeld = core.snapshot().replicas().stream().anyMatch(r -> r.blocksUsed() > 0);
        if (!queue.isEmpty() || core.sequences() > 0 || blocksHeld) {
            schedule(20 * MILLIS, this::tick);
        }
    }

    private void schedule(long delayNanos, Runnable action) {
        queue.add(new Timed(now + delayNanos, order++, action));
    }

    private void feed(Event event) {
        Commands commands = core.on(event, now);
        assertThat(commands.disconnects()).as("no worker is blamed").isEmpty();
        for (Commands.Grant grant : commands.grants()) {
            Node node = nodes.get(grant.receiver().id());
            if (node != null) {
                schedule(delay(), () -> grant(node, grant));
            }
        }
        for (Commands.Abort abort : commands.aborts()) {
            Node node = nodes.get(abort.replica().id());
            if (node != null) {
                schedule(delay() + 2 * MILLIS, () -> abort(node, abort.lease()));
            }
        }
        for (StepPlan plan : commands.plans()) {
            Node node = nodes.get(plan.replica().id());
            if (node != null) {
                VirtualWorker.Message message = VirtualWorker.copy(plan);
                node.lastArrival = Math.max(node.lastArrival, now + delay());
                node.busyUntil =
                        Math.max(node.busyUntil, node.lastArrival)
                                + 1
                                + random.nextLong(3 * MILLIS);
                schedule(node.busyUntil - now, () -> execute(node, message));
            }
        }
        for (int i = 0; i < commands.outputs().size(); i++) {
            long sequence = commands.outputs().sequence(i);
            assertThat(endings).as("no token after the end").doesNotContainKey(sequence);
            outputs.computeIfAbsent(sequence, s -> new ArrayList<>())
                    .add(commands.outputs().token(i));
        }
        for (Commands.Finished finished : commands.finished()) {
            ended(finished.sequence(), "finished");
        }
        for (Commands.Failed failed : commands.failed()) {
            ended(failed.sequence(), failed.category() + " " + failed.message());
        }
    }

    private void ended(long sequence, String how) {
        assertThat(endings.put(sequence, how)).as("sequence %d ends once", sequence).isNull();
    }

    private long delay() {
        return 1 + random.nextLong(MILLIS);
    }

    private void execute(Node node, VirtualWorker.Message message) {
        if (node.dead) {
            return;
        }
        Event.StepDone done = node.worker.execute(node.replica, message);
        // Results of one worker stay in order, since execution times rise.
        node.lastArrival = Math.max(node.lastArrival, now);
        schedule(1, () -> feedUnlessDead(node, done));
        for (StepPlan.Send send : message.sends()) {
            send(node, send);
        }
    }

    private void feedUnlessDead(Node node, Event event) {
        if (!node.dead) {
            feed(event);
        }
    }

    // ---- transfers ----

    private void grant(Node node, Commands.Grant grant) {
        if (node.dead) {
            return;
        }
        node.leases.put(grant.lease(), new Lease(grant.blocks()));
        schedule(grant.deadlineMillis() * MILLIS, () -> endLease(node, grant.lease(), false));
    }

    /// A worker is told without knowing which end it is.
    private void abort(Node node, long lease) {
        endLease(node, lease, false);
        if (node.sending.contains(lease)) {
            sendEnded(node, lease, false);
        }
    }

    private void endLease(Node node, long leaseId, boolean committed) {
        Lease lease = node.leases.get(leaseId);
        if (node.dead || lease == null || lease.ended) {
            return;
        }
        lease.ended = true;
        schedule(
                delay(),
                () ->
                        feedUnlessDead(
                                node,
                                new Event.LeaseEnded(
                                        node.replica,
                                        leaseId,
                                        committed,
                                        (long) lease.filled.size() * blockTokens * 8)));
    }

    private void send(Node from, StepPlan.Send send) {
        from.sending.add(send.lease());
        Node to = nodes.get(send.receiver().id());
        boolean fails = to == null || random.nextDouble() < transferFailure;
        long duration = 2 * MILLIS + random.nextLong(10 * MILLIS);
        long deadline = now + options.leaseMillis() * MILLIS;
        for (int i = 0; i < send.blocks().length; i++) {
            int index = i;
            if (fails && i >= send.blocks().length / 2) {
                break;
            }
            // A block is read when it is written; a dead writer's writes still land, but never past
            // the deadline.
            schedule(
                    random.nextLong(duration),
                    () -> {
                        if (to != null && now < deadline) {
                            write(from, to, send, index);
                        }
                    });
        }
        schedule(duration, () -> sent(from, to, send, fails));
    }

    private void write(Node from, Node to, StepPlan.Send send, int index) {
        Lease lease = to.leases.get(send.lease());
        if (lease == null) {
            schedule(MILLIS, () -> retryWrite(from, to, send, index)); // not granted yet
            return;
        }
        // One-sided: lands even when the lease has ended, unless the writer has been told.
        if (from.sendsEnded.contains(send.lease())) {
            return;
        }
        to.worker.writeBlock(
                lease.blocks[send.slots()[index]], from.worker.readBlock(send.blocks()[index]));
        lease.filled.add(send.slots()[index]);
    }

    private void retryWrite(Node from, Node to, StepPlan.Send send, int index) {
        if (!to.dead && !from.dead) {
            write(from, to, send, index);
        }
    }

    private void sent(Node from, @Nullable Node to, StepPlan.Send send, boolean fails) {
        if (from.dead || from.sendsEnded.contains(send.lease())) {
            return;
        }
        Lease lease = to == null ? null : to.leases.get(send.lease());
        if (fails || to == null || to.dead || (lease != null && lease.ended)) {
            sendEnded(from, send.lease(), false);
        } else if (send.last()) {
            if (lease != null && lease.filled.size() == lease.blocks.length) {
                endLease(to, send.lease(), true);
                schedule(delay(), () -> sendEnded(from, send.lease(), true));
            } else {
                schedule(MILLIS, () -> sent(from, to, send, false));
            }
        }
    }

    private void sendEnded(Node from, long lease, boolean committed) {
        if (!from.dead && from.sendsEnded.add(lease)) {
            schedule(
                    delay(),
                    () ->
                            feedUnlessDead(
                                    from, new Event.SendEnded(from.replica, lease, committed)));
        }
    }

    // ---- the promises ----

    void checkPromises() {
        for (Event.Submit submit : submits.values()) {
            long id = submit.sequence();
            if (cancelled.contains(id)) {
                continue;
            }
            assertThat(endings).as("sequence %d got an answer", id).containsKey(id);
            assertThat(endings.get(id)).as("sequence %d", id).isEqualTo("finished");
            assertThat(Objects.requireNonNull(outputs.get(id)))
                    .as("tokens of sequence %d", id)
                    .isEqualTo(oracle(submit));
        }
        assertThat(core.sequences()).isZero();
        CoreSnapshot snapshot = core.snapshot();
        assertThat(snapshot.waiting()).isZero();
        assertThat(snapshot.waitingTokens()).isZero();
        assertThat(snapshot.transferring()).isZero();
        for (CoreSnapshot.ReplicaSnapshot replica : snapshot.replicas()) {
            assertThat(replica.blocksUsed()).as("blocks in use on %s", replica.name()).isZero();
            assertThat(replica.sequences()).isZero();
            assertThat(replica.plansInFlight()).isZero();
        }
    }

    /// What one worker alone, undisturbed, would generate.
    private static List<Integer> oracle(Event.Submit submit) {
        long hash = VirtualWorker.EMPTY_PREFIX;
        for (int token : submit.prompt().tokens()) {
            hash = VirtualWorker.extend(hash, token);
        }
        List<Integer> tokens = new ArrayList<>();
        while (tokens.size() < submit.maxTokens()) {
            int token = VirtualWorker.sample(hash, submit.sampling().seed());
            tokens.add(token);
            if (submit.stopTokenIds().contains(token)) {
                break;
            }
            hash = VirtualWorker.extend(hash, token);
        }
        return tokens;
    }

    static int[] prompt(Random random, int length) {
        int[] tokens = new int[length];
        Arrays.setAll(tokens, i -> random.nextInt(1000));
        return tokens;
    }
}
