package dev.tandem.sim.workload;

import org.jspecify.annotations.Nullable;

import java.util.SplittableRandom;

/// Rows drawn from distributions: a function of the seed, the same for every reader. Immutable.
///
/// Each row takes its numbers from a source of its own, split off in order, so that a change of one distribution leaves
/// the draws of the others as they are.
public final class SyntheticTrace implements Trace {
    private static final double NANOS_PER_SECOND = 1e9;

    /// Groups of prompts that begin alike, such as system prompts. A row's group is drawn from a Zipf distribution: group
    /// `k` (from 1) with weight `1 / k^exponent`.
    ///
    /// @param groups 0 = nothing is shared
    /// @param tokens that a group shares; a prompt is at least one token longer
    /// @param share of the rows that belong to a group, 0..1
    public record SharedPrefixes(int groups, int tokens, double exponent, double share) {
        public SharedPrefixes {
            if (groups < 0
                    || groups > 1_000_000
                    || tokens < 0
                    || !(exponent >= 0)
                    || !(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException(
                        "no shared prefixes of %d groups, %d tokens, exponent %s, share %s"
                                .formatted(groups, tokens, exponent, share));
            }
        }

        public static SharedPrefixes none() {
            return new SharedPrefixes(0, 0, 0, 0);
        }
    }

    private final String name;
    private final long rows;
    private final ArrivalProcess arrivals;
    private final Lengths input;
    private final Lengths output;
    private final Lengths.@Nullable Pairs pairs;
    private final SharedPrefixes prefixes;
    private final double[] zipf;
    private final long seed;

    /// @param pairs both lengths together, instead of `input` and `output`; null = none
    public SyntheticTrace(
            String name,
            long rows,
            ArrivalProcess arrivals,
            Lengths input,
            Lengths output,
            Lengths.@Nullable Pairs pairs,
            SharedPrefixes prefixes,
            long seed) {
        if (rows < 1) {
            throw new IllegalArgumentException("a trace of " + rows + " requests");
        }
        this.name = name;
        this.rows = rows;
        this.arrivals = arrivals;
        this.input = input;
        this.output = output;
        this.pairs = pairs;
        this.prefixes = prefixes;
        this.zipf = zipf(prefixes);
        this.seed = seed;
    }

    private static double[] zipf(SharedPrefixes prefixes) {
        double[] upTo = new double[prefixes.groups()];
        double sum = 0;
        for (int i = 0; i < upTo.length; i++) {
            sum += Math.pow(i + 1, -prefixes.exponent());
            upTo[i] = sum;
        }
        return upTo;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int tokensPerId() {
        return 0;
    }

    public double ratePerSecond() {
        return arrivals.ratePerSecond();
    }

    @Override
    public RowReader open() {
        return new Drawing();
    }

    private final class Drawing implements RowReader {
        private final SplittableRandom gaps;
        private final SplittableRandom inputs;
        private final SplittableRandom outputs;
        private final SplittableRandom groups;
        private long next;
        private double atSeconds;

        Drawing() {
            var root = new SplittableRandom(seed);
            gaps = root.split();
            inputs = root.split();
            outputs = root.split();
            groups = root.split();
        }

        @Override
        public boolean next(TraceRow row) {
            if (next == rows) {
                return false;
            }
            row.clear();
            if (next++ > 0) {
                atSeconds += arrivals.gapSeconds(gaps, atSeconds);
            }
            row.nanos = (long) (atSeconds * NANOS_PER_SECOND);
            Lengths.Pairs both = pairs;
            if (both == null) {
                row.inputTokens = input.draw(inputs);
                row.outputTokens = output.draw(outputs);
            } else {
                int at = inputs.nextInt(both.size());
                row.inputTokens = both.input(at);
                row.outputTokens = both.output(at);
            }
            if (zipf.length > 0 && groups.nextDouble() < prefixes.share()) {
                row.group = group(groups.nextDouble());
                row.groupTokens = prefixes.tokens();
                row.inputTokens = Math.max(row.inputTokens, prefixes.tokens() + 1);
            }
            return true;
        }

        private int group(double unit) {
            double at = unit * zipf[zipf.length - 1];
            int low = 0;
            int high = zipf.length - 1;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (zipf[middle] > at) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return low;
        }

        @Override
        public void close() {}
    }
}
