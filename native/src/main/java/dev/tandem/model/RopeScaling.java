package dev.tandem.model;

/// How rotary frequencies are stretched beyond the trained context; what `rope_scaling` or `rope_parameters` say.
public sealed interface RopeScaling {
    /// Frequencies as trained.
    record None() implements RopeScaling {}

    /// All frequencies divided by `factor`.
    record Linear(double factor) implements RopeScaling {}

    /// Llama 3.1: long waves divided by `factor`, short ones kept, those between blended.
    record Llama3(
            double factor,
            double lowFrequencyFactor,
            double highFrequencyFactor,
            double originalContextTokens)
            implements RopeScaling {}

    /// YaRN (arXiv 2309.00071): a ramp over the dimensions between interpolated and kept frequencies, and cosines and
    /// sines multiplied by `attentionFactor`.
    record Yarn(
            double factor,
            double betaFast,
            double betaSlow,
            double originalContextTokens,
            double attentionFactor,
            boolean truncate)
            implements RopeScaling {}
}
