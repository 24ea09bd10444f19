package dev.tandem.bench;

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

import org.jspecify.annotations.Nullable;

import java.util.Random;
import java.util.Set;

/// A core with one replica on which a fixed number of sequences decode, two plans in flight. Each step takes in a result
/// with one token for each sequence and plans the next step; nobody comes or goes. Prompt lengths differ, so in each
/// step a sixteenth of the sequences needs another block. Blocks of generated tokens are hashed when a sequence ends,
/// all at once: not here. Not thread-safe.
final class SteadyDecode {
    private static final int BLOCK_TOKENS = 16;
    private static final int PROMPT_TOKENS = 512;
    private static final int FILL_STEPS_MAX = 2_000;
    private static final int SUBMITS_PER_STEP = 4;
    private static final int STEP_TOKENS_MAX = 8192;
    private static final long STEP_NANOS = 20_000_000;

    /// An H200 with an 8B model in bf16, so that the policies predict as they do in earnest.
    private static final DeviceFacts DEVICE =
            new DeviceFacts("H200", 790e12, 4.3e12, 50e9, 15e9, 524_288, 15e9, 131_072);

    private final SchedulerCore core;
    private final EchoWorker worker;
    private final int sequences;
    private long now = 1_000_000_000;
    private int sampled;

    /// Kept in a field, or the compiler might make it not at all and, later, within the core's call: its bytes would count
    /// as the core's.
    private Event.@Nullable StepDone result;

    private int stepsLeft;

    /// Fills the core and steps until every sequence decodes.
    ///
    /// @param steps at least so many steady ones follow
    SteadyDecode(int sequences, int steps) {
        this.sequences = sequences;
        CoreOptions defaults = CoreOptions.defaults();
        CoreOptions options =
                defaults.withSteps(STEP_TOKENS_MAX, sequences, 2)
                        .withPolicies(
                                defaults.batching(),
                                defaults.placement(),
                                defaults.routing(),
                                defaults.admission().withQueue(1L << 40, 2 * sequences));
        this.core = new SchedulerCore(options);
        this.worker = new EchoWorker(1, 2, sequences);
        // Prefill takes steps in which the first sequences decode already.
        int outputTokens = FILL_STEPS_MAX + steps;
        int tokensMax = PROMPT_TOKENS + BLOCK_TOKENS + outputTokens;
        int blocks = sequences * Math.ceilDiv(tokensMax, BLOCK_TOKENS);
        ReplicaFacts facts =
                new ReplicaFacts(
                        "w",
                        1,
                        ReplicaRole.DECODE,
                        "",
                        "",
                        blocks + sequences,
                        BLOCK_TOKENS,
                        sequences,
                        options.stepTokensMax(),
                        DEVICE);
        take(core.on(new Event.ReplicaJoined(1, facts), now));
        fill(outputTokens);
        stepsLeft = steps;
    }

    /// A few at a time, since admission refuses those that would have to wait for long.
    private void fill(int outputTokens) {
        Random random = new Random(1);
        int submitted = 0;
        for (int steps = 0; sampled < sequences; steps++) {
            if (steps > FILL_STEPS_MAX) {
                throw new IllegalStateException(
                        "only %d of %d sequences decode".formatted(sampled, sequences));
            }
            for (int i = 0; i < SUBMITS_PER_STEP && submitted < sequences; i++) {
                submit(++submitted, random, outputTokens);
            }
            take(apply(nextResult()));
        }
    }

    private void submit(long sequence, Random random, int outputTokens) {
        int length = PROMPT_TOKENS + (int) (sequence % BLOCK_TOKENS);
        int[] prompt = random.ints(length, 0, 128_256).toArray();
        Event.Submit submit =
                new Event.Submit(
                        sequence,
                        Prompt.of(prompt),
                        outputTokens,
                        SamplingParameters.greedy(),
                        Set.of(),
                        Terms.none());
        take(core.on(submit, now));
    }

    /// The next result, which [#apply] takes.
    Event.StepDone nextResult() {
        if (worker.inFlight() == 0) {
            throw new IllegalStateException("no plan is in flight");
        }
        stepsLeft--;
        now += STEP_NANOS;
        result = worker.answer();
        return result;
    }

    /// One call of the core: a result in, the next plan out.
    Commands apply(Event.StepDone result) {
        return core.on(result, now);
    }

    /// What the world does after the call: notes the next plan.
    void take(Commands commands) {
        for (int i = 0; i < commands.plans().size(); i++) {
            StepPlan plan = commands.plans().get(i);
            worker.accept(plan);
        }
        sampled = commands.outputs().size();
        if (!commands.finished().isEmpty() || !commands.failed().isEmpty()) {
            throw new IllegalStateException(
                    "not steady: " + commands.finished() + " " + commands.failed());
        }
    }

    /// Steps in which each sequence gets a token, before the first one ends.
    int stepsLeft() {
        return stepsLeft;
    }
}
