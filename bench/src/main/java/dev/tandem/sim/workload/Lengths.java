package dev.tandem.sim.workload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// How many tokens a request brings or generates. Immutable.
public sealed interface Lengths {
    /// @return at least 1
    int draw(SplittableRandom random);

    record Fixed(int tokens) implements Lengths {
        public Fixed {
            requireTokens(tokens);
        }

        @Override
        public int draw(SplittableRandom random) {
            return tokens;
        }
    }

    /// Both ends included.
    record Uniform(int least, int most) implements Lengths {
        public Uniform {
            requireTokens(least);
            if (most < least) {
                throw new IllegalArgumentException(
                        "no length from %d to %d".formatted(least, most));
            }
        }

        @Override
        public int draw(SplittableRandom random) {
            return random.nextInt(least, most + 1);
        }
    }

    /// `exp(N(ln median, sigma))`, cut at `most`.
    record Lognormal(double median, double sigma, int most) implements Lengths {
        public Lognormal {
            requireTokens(most);
            if (!(median >= 1) || !(sigma >= 0)) {
                throw new IllegalArgumentException(
                        "no lognormal length of median %s and sigma %s".formatted(median, sigma));
            }
        }

        @Override
        public int draw(SplittableRandom random) {
            double tokens = median * Math.exp(sigma * random.nextGaussian());
            return (int) Math.clamp(Math.round(tokens), 1, most);
        }
    }

    private static void requireTokens(int tokens) {
        if (tokens < 1 || tokens > RowFormat.TOKENS_MAX) {
            throw new IllegalArgumentException(
                    "a length must be from 1 to %d, is %d".formatted(RowFormat.TOKENS_MAX, tokens));
        }
    }

    /// Pairs of input and output lengths that belong together, drawn as they were observed.
    final class Pairs {
        private static final String HEADER = "num_prefill_tokens,num_decode_tokens";
        private static final int ROWS_MAX = 10_000_000;

        private final int[] input;
        private final int[] output;

        private Pairs(int[] input, int[] output) {
            this.input = input;
            this.output = output;
        }

        /// Reads a CSV file whose first two columns are the lengths, under a header (Vidur's format).
        ///
        /// @throws TraceException it is not like that
        public static Pairs read(Path file) {
            List<String> lines;
            try {
                lines = Files.readAllLines(file);
            } catch (IOException e) {
                throw new TraceException(file, "can't be read: " + e);
            }
            if (lines.isEmpty() || !lines.getFirst().startsWith(HEADER)) {
                throw new TraceException(file, 1, "no header " + HEADER);
            }
            if (lines.size() > ROWS_MAX) {
                throw new TraceException(file, "more than " + ROWS_MAX + " rows");
            }
            int[] input = new int[lines.size()];
            int[] output = new int[lines.size()];
            int rows = 0;
            for (int i = 1; i < lines.size(); i++) {
                if (!lines.get(i).isBlank()) {
                    String[] fields = lines.get(i).split(",", -1);
                    if (fields.length < 2) {
                        throw new TraceException(file, i + 1L, "fewer than two columns");
                    }
                    input[rows] = tokens(file, i + 1L, fields[0]);
                    output[rows++] = tokens(file, i + 1L, fields[1]);
                }
            }
            if (rows == 0) {
                throw new TraceException(file, "no rows");
            }
            return new Pairs(Arrays.copyOf(input, rows), Arrays.copyOf(output, rows));
        }

        private static int tokens(Path file, long line, String text) {
            try {
                return RowFormat.tokens("a length", Long.parseLong(text.strip()));
            } catch (NumberFormatException e) {
                throw new TraceException(file, line, "not a number: \"" + text + "\"");
            } catch (IllegalArgumentException e) {
                throw new TraceException(file, line, String.valueOf(e.getMessage()));
            }
        }

        public int size() {
            return input.length;
        }

        public int input(int index) {
            return input[index];
        }

        public int output(int index) {
            return output[index];
        }
    }
}
