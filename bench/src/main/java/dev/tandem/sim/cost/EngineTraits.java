package dev.tandem.sim.cost;

import java.util.Arrays;
import java.util.Locale;

/// How a serving engine schedules and what it costs beside its kernels, as far as a measured closed loop shows it: one number
/// for each [Knob]. Immutable.
final class EngineTraits {
    /// What differs between engines, and the values that a fit may try.
    enum Knob {
        /// Which rows share a step: the ordinal of a [Policy].
        POLICY(0, 1, 2),
        /// Token budget of a step.
        STEP_TOKENS(2048, 4096, 8192, 16384),
        /// Sequences fewer than the client's concurrency that run at once.
        SLOTS_WITHHELD(0, 1),
        /// Share of the device's memory for weights and KV.
        MEMORY_SHARE(0.74, 0.76, 0.78, 0.80, 0.81, 0.82, 0.83, 0.84, 0.86, 0.88, 0.90, 0.92),
        /// Share of a request's output for which KV is held from its start: 1 where nothing is ever evicted, one half for an
        /// engine that grows and preempts.
        OUTPUT_RESERVED(0.5, 1),
        /// Bytes of a KV element: 2, or 1 where the weights are fp8 too.
        KV_BYTES(2, 1),
        /// Requests of a run as a multiple of the concurrency; the first wave arrives at once.
        WAVES(1, 2, 3, 4, 5, 6, 8, 10, 15, 20),
        /// The front's work for each request before it is in the engine's queue, milliseconds, one request at a time: HTTP, tokenizer.
        REQUEST_MILLIS(0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30),
        /// The front's work for each token on its way to the client, microseconds, one token at a time.
        FRONT_MICROS(0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100, 105, 110, 115, 120, 130),
        /// [ProfiledCost.Calibration#stepNanos] in microseconds.
        STEP_MICROS(
                -3000, -2500, -2000, -1500, -1000, -750, -500, -250, 0, 250, 500, 750, 1000, 1500,
                2000, 2500, 3000, 4000),
        /// [ProfiledCost.Calibration#rowNanos] in microseconds.
        ROW_MICROS(0, 2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60),
        /// [ProfiledCost.Calibration#deviceNanos] in microseconds.
        DEVICE_MICROS(-200, -150, -100, -50, 0, 50, 100, 150, 200, 300, 400),
        /// [ProfiledCost.Calibration#linearFactor].
        LINEAR_FACTOR(
                0.7, 0.75, 0.8, 0.85, 0.88, 0.91, 0.94, 0.97, 1, 1.03, 1.06, 1.1, 1.15, 1.2, 1.25,
                1.3),
        /// [ProfiledCost.Calibration#attentionFactor].
        ATTENTION_FACTOR(0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2);

        private final double[] candidates;

        Knob(double... candidates) {
            this.candidates = candidates;
        }

        double[] candidates() {
            return candidates.clone();
        }
    }

    /// Which rows share a step.
    enum Policy {
        /// Decodes first, chunks of prompts in the rest of the budget (Sarathi-Serve; vLLM v1).
        CHUNKED,
        /// Decodes first, then at least one prompt, prompts uncut while they fit the budget (TensorRT-LLM without chunked context).
        WHOLE,
        /// Chunks of prompts alone while there are any, else decodes (SGLang's default).
        PREFILL_FIRST
    }

    private final double[] values;

    private EngineTraits(double[] values) {
        this.values = values;
    }

    /// @return an engine of this policy that costs nothing beside its kernels, with common defaults for the rest
    static EngineTraits defaults(Policy policy) {
        double[] values = new double[Knob.values().length];
        values[Knob.POLICY.ordinal()] = policy.ordinal();
        values[Knob.STEP_TOKENS.ordinal()] = 8192;
        values[Knob.MEMORY_SHARE.ordinal()] = 0.86;
        values[Knob.OUTPUT_RESERVED.ordinal()] = policy == Policy.WHOLE ? 1 : 0.5;
        values[Knob.KV_BYTES.ordinal()] = 2;
        values[Knob.WAVES.ordinal()] = 10;
        values[Knob.LINEAR_FACTOR.ordinal()] = 1;
        values[Knob.ATTENTION_FACTOR.ordinal()] = 1;
        return new EngineTraits(values);
    }

    double get(Knob knob) {
        return values[knob.ordinal()];
    }

    EngineTraits with(Knob knob, double value) {
        double[] changed = values.clone();
        changed[knob.ordinal()] = value;
        return new EngineTraits(changed);
    }

    Policy policy() {
        return Policy.values()[(int) get(Knob.POLICY)];
    }

    ProfiledCost.Calibration calibration() {
        return new ProfiledCost.Calibration(
                1000 * get(Knob.STEP_MICROS),
                1000 * get(Knob.ROW_MICROS),
                1000 * get(Knob.DEVICE_MICROS),
                get(Knob.LINEAR_FACTOR),
                get(Knob.ATTENTION_FACTOR));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EngineTraits traits && Arrays.equals(values, traits.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        StringBuilder text =
                new StringBuilder(policy().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        for (Knob knob : Knob.values()) {
            if (knob != Knob.POLICY) {
                double value = get(knob);
                text.append(", ")
                        .append(knob.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                        .append(' ');
                text.append(
                        value == Math.rint(value)
                                ? Long.toString((long) value)
                                : Double.toString(value));
            }
        }
        return text.toString();
    }
}
