package dev.tandem.model;

/// Rotary frequencies of one model, in float32 as transformers computes them: the angle of pair i at position p is
/// `p * inverse[i]`, rounded to float32, and cosine and sine of it are multiplied by `attentionFactor`.
///
/// @param inverse `[headDim / 2]`, radians per position
public record RopeFrequencies(float[] inverse, float attentionFactor) {

    /// Frequencies of a head of `headDim` dimensions, all of them rotated.
    public static RopeFrequencies of(double theta, int headDim, RopeScaling scaling) {
        float[] base = new float[headDim / 2];
        for (int i = 0; i < base.length; i++) {
            float exponent = (float) (2 * i) / headDim;
            base[i] = (float) StrictMath.pow(theta, exponent);
        }
        return switch (scaling) {
            case RopeScaling.None() -> new RopeFrequencies(divided(base, 1), 1);
            case RopeScaling.Linear(double factor) ->
                    new RopeFrequencies(divided(base, (float) factor), 1);
            case RopeScaling.Llama3 llama3 -> new RopeFrequencies(llama3(base, llama3), 1);
            case RopeScaling.Yarn yarn ->
                    new RopeFrequencies(
                            yarn(base, theta, headDim, yarn), (float) yarn.attentionFactor());
        };
    }

    private static float[] divided(float[] base, float factor) {
        float[] inverse = new float[base.length];
        for (int i = 0; i < base.length; i++) {
            inverse[i] = 1 / base[i] / factor;
        }
        return inverse;
    }

    private static float[] llama3(float[] base, RopeScaling.Llama3 scaling) {
        double longest = scaling.originalContextTokens() / scaling.lowFrequencyFactor();
        double shortest = scaling.originalContextTokens() / scaling.highFrequencyFactor();
        float factor = (float) scaling.factor();
        float[] inverse = divided(base, 1);
        for (int i = 0; i < inverse.length; i++) {
            float wavelength = (float) (2 * Math.PI) / inverse[i];
            if (wavelength > longest) {
                inverse[i] /= factor;
            } else if (wavelength >= shortest) {
                float smooth =
                        ((float) scaling.originalContextTokens() / wavelength
                                        - (float) scaling.lowFrequencyFactor())
                                / (float)
                                        (scaling.highFrequencyFactor()
                                                - scaling.lowFrequencyFactor());
                inverse[i] = (1 - smooth) * (inverse[i] / factor) + smooth * inverse[i];
            }
        }
        return inverse;
    }

    private static float[] yarn(float[] base, double theta, int headDim, RopeScaling.Yarn scaling) {
        double low = correctionDimension(scaling.betaFast(), theta, headDim, scaling);
        double high = correctionDimension(scaling.betaSlow(), theta, headDim, scaling);
        if (scaling.truncate()) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, headDim - 1);
        if (low == high) {
            high += 0.001; // keeps the ramp finite
        }
        float[] inverse = new float[base.length];
        for (int i = 0; i < inverse.length; i++) {
            float ramp = Math.clamp((i - (float) low) / (float) (high - low), 0f, 1f);
            float kept = 1 - ramp;
            float interpolated = 1 / ((float) scaling.factor() * base[i]);
            inverse[i] = interpolated * (1 - kept) + 1 / base[i] * kept;
        }
        return inverse;
    }

    /// The dimension whose wave turns `rotations` times within the trained context.
    private static double correctionDimension(
            double rotations, double theta, int headDim, RopeScaling.Yarn scaling) {
        return headDim
                * StrictMath.log(scaling.originalContextTokens() / (rotations * 2 * Math.PI))
                / (2 * StrictMath.log(theta));
    }
}
