package dev.tandem.batching;

import java.util.Arrays;

/// Predicts how long a step of one replica takes, in nanoseconds, from what it computes.
///
/// The prior is a roofline of the device's facts: with `T` tokens, `P` attention pairs and `C` tokens of context read,
/// ```
/// max((T x flopsPerToken + P x flopsPerPair) / flopsPerSecond, (weightBytes + C x kvBytesPerToken) / bytesPerSecond)
/// ```
/// Devices reach a part of that which depends on the step's make, so the prior is multiplied by a ratio
/// `measured / prior` learned per cell: prompt tokens by running sequences, each in powers of two. A cell without
/// observations borrows from its row of prompt tokens, then from all steps. Each ratio is the mean of the first eight steps
/// and then a moving average in which the newest counts 1/8, so it follows a device that slows down; a step that took more
/// than eight times the average (a pause, a compilation) counts as eight times.
///
/// Not thread-safe; owned by the core.
public final class StepEstimator {
    private static final int PROMPT_CELLS = 18; // 0, 1, 2..3, 4..7, ... up to 2^16 and more
    private static final int DECODE_CELLS = 15;
    private static final int WINDOW = 8;

    /// What the newest observation counts, by the number of those before.
    private static final double[] WEIGHTS = new double[WINDOW + 1];

    static {
        for (int seen = 0; seen <= WINDOW; seen++) {
            WEIGHTS[seen] = 1.0 / Math.min(seen + 1, WINDOW);
        }
    }

    private static final int OBSERVATIONS_MIN = 3;
    private static final double SURPRISE_MAX = 8;
    private static final double UNKNOWN_NANOS_BASE = 1e6;
    private static final double UNKNOWN_NANOS_PER_TOKEN = 2e4;

    private final double computeNanosPerToken;
    private final double computeNanosPerPair;
    private final double weightNanos;
    private final double contextNanosPerToken;
    private final boolean known;
    private final double[] ratio = new double[PROMPT_CELLS * DECODE_CELLS];
    private final byte[] seen = new byte[PROMPT_CELLS * DECODE_CELLS];
    private final double[] rowRatio = new double[PROMPT_CELLS];
    private final byte[] rowSeen = new byte[PROMPT_CELLS];
    private double overallRatio = 1;
    private byte overallSeen;

    public StepEstimator(DeviceFacts facts) {
        known =
                facts.flopsPerSecond() > 0
                        && facts.bytesPerSecond() > 0
                        && facts.flopsPerToken() > 0
                        && facts.weightBytes() > 0;
        computeNanosPerToken = known ? facts.flopsPerToken() / facts.flopsPerSecond() * 1e9 : 0;
        computeNanosPerPair = known ? facts.flopsPerPair() / facts.flopsPerSecond() * 1e9 : 0;
        weightNanos = known ? facts.weightBytes() / facts.bytesPerSecond() * 1e9 : 0;
        contextNanosPerToken = known ? facts.kvBytesPerToken() / facts.bytesPerSecond() * 1e9 : 0;
        Arrays.fill(ratio, 1);
        Arrays.fill(rowRatio, 1);
    }

    /// @param promptTokens tokens of prompt chunks
    /// @param promptPairs for each chunk of `n` tokens after `c` others: `n x c + n (n + 1) / 2`
    /// @param decodeRows sequences that get one token
    /// @param context tokens that attention reads: of all rows, what is computed before and in this step
    /// @return nanoseconds, above 0
    public double nanos(long promptTokens, double promptPairs, int decodeRows, long context) {
        return prior(promptTokens, promptPairs, decodeRows, context)
                * ratio(cell(promptTokens, PROMPT_CELLS), cell(decodeRows, DECODE_CELLS));
    }

    /// Learns from a measured step; parameters as for [#nanos].
    public void observe(
            long promptTokens, double promptPairs, int decodeRows, long context, long measured) {
        double prior = prior(promptTokens, promptPairs, decodeRows, context);
        double observed = Math.clamp(measured / prior, 1e-4, 1e4);
        int row = cell(promptTokens, PROMPT_CELLS);
        int at = row * DECODE_CELLS + cell(decodeRows, DECODE_CELLS);
        ratio[at] = moved(ratio[at], seen[at], observed);
        seen[at] = next(seen[at]);
        rowRatio[row] = moved(rowRatio[row], rowSeen[row], observed);
        rowSeen[row] = next(rowSeen[row]);
        overallRatio = moved(overallRatio, overallSeen, observed);
        overallSeen = next(overallSeen);
    }

    /// Pairs of a chunk of `count` tokens after `before` others.
    public static double pairs(long before, long count) {
        return (double) count * before + 0.5 * count * (count + 1);
    }

    private double prior(long promptTokens, double promptPairs, int decodeRows, long context) {
        if (!known) {
            return UNKNOWN_NANOS_BASE + UNKNOWN_NANOS_PER_TOKEN * (promptTokens + decodeRows);
        }
        double compute =
                (promptTokens + decodeRows) * computeNanosPerToken
                        + promptPairs * computeNanosPerPair;
        double memory = weightNanos + context * contextNanosPerToken;
        return Math.max(compute, memory);
    }

    private double ratio(int row, int column) {
        int at = row * DECODE_CELLS + column;
        if (seen[at] >= OBSERVATIONS_MIN) {
            return ratio[at];
        }
        return rowSeen[row] >= OBSERVATIONS_MIN ? rowRatio[row] : overallRatio;
    }

    private static double moved(double average, byte seen, double observed) {
        if (seen == 0) {
            return observed;
        }
        double bounded = Math.min(observed, SURPRISE_MAX * average);
        return average + (bounded - average) * WEIGHTS[seen];
    }

    private static byte next(byte seen) {
        return (byte) Math.min(seen + 1, WINDOW);
    }

    private static int cell(long amount, int cells) {
        return Math.min(Long.SIZE - Long.numberOfLeadingZeros(amount), cells - 1);
    }
}
