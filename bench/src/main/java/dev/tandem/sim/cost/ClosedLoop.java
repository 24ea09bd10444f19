package dev.tandem.sim.cost;

import dev.tandem.sim.cost.EngineTraits.Knob;

/// A benchmark run against one simulated replica: so many clients, each with one request in flight, all requests equal, the
/// first of all clients at time 0. What the mean TTFT and TPOT of the run would be.
///
/// Since all outputs are equally long, sequences end in the order of their first tokens: a ring of first-token steps and running
/// sums make a step's work constant, whatever the concurrency. A sequence holds KV for its prompt and the reserved share of its
/// output from its first chunk to its end. The front takes in one request after another and hands on one token after
/// another; the client sees a token when the front is done with it, and asks again at once.
final class ClosedLoop {
    private static final int STRIDE_STEPS_MAX = 16;

    private final StepCost cost;
    private final EngineTraits.Policy policy;
    private final int stepTokensMax;
    private final long requestNanos;
    private final double frontNanos;
    private final int promptTokens;
    private final int outputTokens;
    private final int sequencesMax;
    private final int requests;

    private final StepShape shape = new StepShape();
    private final long[] sent; // by the client, by request
    private final long[] arrivals; // at the engine
    private final long[] firstVisible; // first token at the client
    private final long[] firstStep; // decode steps before the first token
    private int arrived;
    private int admitted;
    private int prefilled; // requests whose prompt is computed
    private int chunked; // tokens computed of the prompt in work
    private int ended;
    private long decodeSteps;
    private long now;
    private long intakeFreeAt;
    private long frontFreeAt;
    private long decodeContext; // sum over running sequences of the tokens known to them
    private double ttftSum;
    private double tpotSum;

    /// @param cost         of a step, with the traits' calibration
    /// @param kvTokensMax  KV tokens that fit the replica
    /// @param concurrency  clients
    /// @param promptTokens of each request, 1 or more
    /// @param outputTokens of each request, 2 or more
    ClosedLoop(
            StepCost cost,
            EngineTraits traits,
            long kvTokensMax,
            int concurrency,
            int promptTokens,
            int outputTokens) {
        this.cost = cost;
        this.policy = traits.policy();
        this.stepTokensMax = (int) traits.get(Knob.STEP_TOKENS);
        this.requestNanos = Math.round(traits.get(Knob.REQUEST_MILLIS) * 1e6);
        this.frontNanos = traits.get(Knob.FRONT_MICROS) * 1e3;
        this.promptTokens = promptTokens;
        this.outputTokens = outputTokens;
        long perSequence =
                promptTokens
                        + Math.max(1, Math.round(traits.get(Knob.OUTPUT_RESERVED) * outputTokens));
        // a server that can't hold one request at a time would refuse it; the published rows all
        // ran
        long fitting = Math.max(1, kvTokensMax / perSequence);
        sequencesMax =
                (int)
                        Math.max(
                                1,
                                Math.min(
                                        concurrency - (int) traits.get(Knob.SLOTS_WITHHELD),
                                        fitting));
        requests = concurrency * (int) traits.get(Knob.WAVES);
        sent = new long[requests];
        arrivals = new long[requests];
        firstVisible = new long[requests];
        firstStep = new long[requests];
        for (int i = 0; i < concurrency; i++) {
            send(0);
        }
        run();
    }

    double ttftMillis() {
        return ttftSum / requests / 1e6;
    }

    double tpotMillis() {
        return tpotSum / requests / 1e6;
    }

    private void run() {
        while (ended < requests) {
            admit();
            shape.clear();
            int running = prefilled - ended;
            int promptsEnded = planPrefill(running);
            boolean decodes =
                    running > 0
                            && (policy != EngineTraits.Policy.PREFILL_FIRST
                                    || shape.prefillRows() == 0);
            if (decodes) {
                shape.addDecodes(running, decodeContext);
            }
            if (shape.tokens() == 0) {
                now = arrivals[admitted]; // idle until the next request reaches the engine
                continue;
            }
            if (shape.prefillRows() == 0
                    && prefilled == admitted
                    && (arrived == admitted || arrivals[admitted] > now)) {
                decodeStride(running);
            } else {
                now += cost.nanos(shape);
                finishStep(promptsEnded, decodes ? running : 0);
            }
        }
    }

    /// Plays decode steps up to the next end or arrival, at most [#STRIDE_STEPS_MAX], at the cost of the middle one: over so few
    /// steps the cost is a straight line.
    private void decodeStride(int running) {
        long untilEnd = outputTokens - 1 - (decodeSteps - firstStep[ended]);
        int steps = (int) Math.clamp(untilEnd, 1, STRIDE_STEPS_MAX);
        shape.clear();
        shape.addDecodes(running, decodeContext + (long) running * (steps - 1) / 2);
        long nanos = cost.nanos(shape);
        for (int i = 0; i < steps; i++) {
            now += nanos;
            finishStep(0, running);
            if (arrived > admitted && arrivals[admitted] <= now) {
                break;
            }
        }
    }

    private void admit() {
        while (admitted < arrived && admitted - ended < sequencesMax && arrivals[admitted] <= now) {
            admitted++;
        }
    }

    /// Fills the step with prompt tokens in order of arrival.
    ///
    /// @return prompts that the step completes
    private int planPrefill(int running) {
        boolean whole = policy == EngineTraits.Policy.WHOLE;
        boolean alone = policy == EngineTraits.Policy.PREFILL_FIRST;
        int left = stepTokensMax - (alone ? 0 : running);
        int before = chunked;
        int completed = 0;
        for (int request = prefilled; request < admitted && left > 0; request++) {
            int missing = promptTokens - before;
            if (whole && missing > left && shape.prefillRows() > 0) {
                break;
            }
            int count = whole ? missing : Math.min(missing, left);
            shape.addPrefill(before, count, count == missing);
            left -= count;
            if (count < missing) {
                before += count;
                break;
            }
            completed++;
            before = 0;
        }
        chunked = before;
        return completed;
    }

    private void finishStep(int promptsEnded, int decoded) {
        frontFreeAt =
                Math.max(frontFreeAt, now) + Math.round(frontNanos * (promptsEnded + decoded));
        if (decoded > 0) {
            decodeContext += decoded; // each knows one token more
            int endedBefore = ended;
            // the i-th token comes i - 1 decode steps after the first; only decode steps count
            while (ended < prefilled && decodeSteps + 1 - firstStep[ended] >= outputTokens - 1) {
                end(ended++);
            }
            decodeContext -= (long) (ended - endedBefore) * (promptTokens + outputTokens);
            decodeSteps++;
        }
        for (int i = 0; i < promptsEnded; i++, prefilled++) {
            firstStep[prefilled] = decodeSteps;
            firstVisible[prefilled] = frontFreeAt;
            ttftSum += frontFreeAt - sent[prefilled];
            decodeContext += promptTokens + 1;
        }
    }

    private void end(int request) {
        tpotSum += (double) (frontFreeAt - firstVisible[request]) / (outputTokens - 1);
        if (arrived < requests) {
            send(frontFreeAt);
        }
    }

    private void send(long at) {
        intakeFreeAt = Math.max(intakeFreeAt, at) + requestNanos;
        sent[arrived] = at;
        arrivals[arrived++] = intakeFreeAt;
    }
}
