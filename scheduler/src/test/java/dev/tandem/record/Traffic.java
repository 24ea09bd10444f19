package dev.tandem.record;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;
import dev.tandem.batching.DeviceFacts;
import dev.tandem.core.Commands;
import dev.tandem.core.CoreOptions;
import dev.tandem.core.Event;
import dev.tandem.core.Prompt;
import dev.tandem.core.ReplicaFacts;
import dev.tandem.core.ReplicaRole;
import dev.tandem.core.SamplingParameters;
import dev.tandem.core.SchedulerCore;
import dev.tandem.core.StepPlan;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/// A core under seeded traffic: requests, cancellations, workers that come and go, transfers that fail. Workers answer
/// their plans in order with random tokens; every event goes past a listener.
final class Traffic {
    private static final int BLOCK_TOKENS = 4;

    /// Hears of every event before and after the core has it.
    interface Listener {
        void before(Event event, long nowNanos);

        void after(Event event, long nowNanos, Commands commands);
    }

    private record Plan(long number, long[] sampled) {}

    private final Random random;
    private final SchedulerCore core;
    private final Listener listener;
    private final Map<Integer, Queue<Plan>> plans = new TreeMap<>();
    private final Queue<Event> answers = new ArrayDeque<>();
    private final int wrongTokenAtEvent;
    private int events;
    private long now = 1_000_000_007L;
    private long nextSequence = 1;
    private int nextReplica = 1;

    /// @param wrongTokenAtEvent this event, if it is a step's result with a sample, carries another token; -1 = none
    private Traffic(long seed, Listener listener, int wrongTokenAtEvent) {
        this.random = new Random(seed);
        this.core = new SchedulerCore(options());
        this.listener = listener;
        this.wrongTokenAtEvent = wrongTokenAtEvent;
    }

    static CoreOptions options() {
        return CoreOptions.defaults().withSteps(32, 8, 2).withRecovery(500, 16, 600_000);
    }

    static void run(long seed, int events, Listener listener) {
        run(seed, events, listener, -1);
    }

    static void run(long seed, int events, Listener listener, int wrongTokenAtEvent) {
        Traffic traffic = new Traffic(seed, listener, wrongTokenAtEvent);
        traffic.join(ReplicaRole.PREFILL);
        traffic.join(ReplicaRole.DECODE);
        while (traffic.events < events) {
            traffic.step();
        }
    }

    static DecisionHash hash(long seed, int events, int wrongTokenAtEvent) {
        DecisionHash hash = new DecisionHash();
        run(
                seed,
                events,
                new Listener() {
                    @Override
                    public void before(Event event, long nowNanos) {}

                    @Override
                    public void after(Event event, long nowNanos, Commands commands) {
                        hash.add(event, nowNanos, commands);
                    }
                },
                wrongTokenAtEvent);
        return hash;
    }

    static List<Event> events(long seed, int count) {
        List<Event> events = new ArrayList<>();
        run(
                seed,
                count,
                new Listener() {
                    @Override
                    public void before(Event event, long nowNanos) {
                        events.add(event);
                    }

                    @Override
                    public void after(Event event, long nowNanos, Commands commands) {}
                });
        return events;
    }

    private void step() {
        now += 1 + random.nextInt(3_000_000);
        int dice = random.nextInt(100);
        if (dice < 10) {
            feed(submit());
        } else if (dice < 12) {
            feed(new Event.Cancel(1 + random.nextLong(nextSequence)));
        } else if (dice < 15) {
            feed(new Event.Tick());
        } else if (dice == 15 && random.nextInt(8) == 0) {
            List<Integer> living = List.copyOf(plans.keySet());
            int lost = living.get(random.nextInt(living.size()));
            plans.remove(lost);
            feed(new Event.ReplicaLost(lost, "killed"));
            join(random.nextBoolean() ? ReplicaRole.PREFILL : ReplicaRole.DECODE);
        } else if (dice < 40 && !answers.isEmpty()) {
            feed(answers.remove());
        } else {
            answerPlan();
        }
    }

    private void join(ReplicaRole role) {
        int replica = nextReplica++;
        plans.put(replica, new ArrayDeque<>());
        DeviceFacts device =
                new DeviceFacts("chip é", 1e12, 2e11, 3e9, 4e6, 5e3, 6e9, random.nextInt(1000));
        feed(
                new Event.ReplicaJoined(
                        replica,
                        new ReplicaFacts(
                                "w" + replica,
                                replica * 7L,
                                role,
                                "",
                                "zone-a",
                                60,
                                BLOCK_TOKENS,
                                8,
                                32,
                                device,
                                0)));
    }

    private Event.Submit submit() {
        int[] tokens = new int[1 + random.nextInt(40)];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = random.nextInt(i < 12 ? 2 : 150_000);
        }
        SamplingParameters sampling =
                new SamplingParameters(
                        random.nextFloat(),
                        5,
                        0.9f,
                        0.1f,
                        1.1f,
                        0,
                        -1,
                        random.nextLong(),
                        random.nextBoolean() ? Map.of() : Map.of(7, 1.5f, 3, -2f),
                        true,
                        2);
        Terms terms =
                new Terms("tenant", "", Lane.values()[random.nextInt(3)], "", "zone-a", -5, 0);
        int length = 1 + random.nextInt(tokens.length);
        return new Event.Submit(
                nextSequence++,
                new Prompt(tokens, length, new long[0], random.nextInt(4) == 0 ? "salt" : ""),
                1 + random.nextInt(30),
                sampling,
                random.nextBoolean() ? Set.of() : Set.of(1, 100, 17),
                terms);
    }

    private void answerPlan() {
        for (Map.Entry<Integer, Queue<Plan>> entry : plans.entrySet()) {
            Plan plan = entry.getValue().poll();
            if (plan == null) {
                continue;
            }
            int[] tokens = new int[plan.sampled().length];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = random.nextInt(150_000);
            }
            if (events == wrongTokenAtEvent && tokens.length > 0) {
                tokens[0] ^= 1;
            }
            feed(
                    new Event.StepDone(
                            entry.getKey(),
                            plan.number(),
                            tokens.length,
                            plan.sampled(),
                            tokens,
                            null,
                            random.nextInt(9_000_000)));
            return;
        }
    }

    private void feed(Event event) {
        listener.before(event, now);
        Commands commands = core.on(event, now);
        events++;
        for (StepPlan plan : commands.plans()) {
            accept(plan);
        }
        for (Commands.Abort abort : commands.aborts()) {
            answers.add(new Event.LeaseEnded(abort.replica().id(), abort.lease(), false, 0));
            answers.add(new Event.SendEnded(abort.replica().id(), abort.lease(), false));
        }
        listener.after(event, now, commands);
    }

    private void accept(StepPlan plan) {
        Queue<Plan> queue = plans.get(plan.replica().id());
        if (queue == null) {
            return;
        }
        long[] sampled = new long[plan.rows()];
        int samples = 0;
        for (int row = 0; row < plan.rows(); row++) {
            if (plan.rowSamples(row)) {
                sampled[samples++] = plan.rowSequence(row);
            }
        }
        queue.add(new Plan(plan.number(), Arrays.copyOf(sampled, samples)));
        for (StepPlan.Send send : plan.sends()) {
            if (send.last()) {
                boolean good = random.nextInt(10) > 0;
                int from = plan.replica().id();
                answers.add(
                        new Event.LeaseEnded(
                                send.receiver().id(), send.lease(), good, random.nextInt(100_000)));
                answers.add(new Event.SendEnded(from, send.lease(), good));
            }
        }
    }
}
