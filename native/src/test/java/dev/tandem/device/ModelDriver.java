package dev.tandem.device;

import dev.tandem.kv.KvPool;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Drives a backend in tests: sequences with block tables of their own in one pool, the blocks dealt in random order.
final class ModelDriver implements AutoCloseable {
    final Backend backend;
    private final KvPool pool;
    private final int[] shuffled;
    private int dealt;
    private final RaggedBatch batch = new RaggedBatch();

    /// Tokens known and computed of one sequence.
    static final class Sequence {
        private int[] tokens;
        private int computed;
        private final int[] blocks;

        private Sequence(int[] tokens, int[] blocks) {
            this.tokens = tokens;
            this.blocks = blocks;
        }

        void append(int token) {
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = token;
        }

        int pending() {
            return tokens.length - computed;
        }
    }

    ModelDriver(Backend backend, int blocks, Random order) {
        this.backend = backend;
        this.pool = TestPools.filledWithNaN(backend.kvShape(), blocks);
        var numbers = new ArrayList<Integer>();
        for (int i = 0; i < blocks; i++) {
            numbers.add(i);
        }
        Collections.shuffle(numbers, order);
        shuffled = numbers.stream().mapToInt(i -> i).toArray();
    }

    /// @param tokensMax what the sequence may grow to
    Sequence sequence(int[] tokens, int tokensMax) {
        int count = Math.ceilDiv(tokensMax, backend.kvShape().blockTokens());
        int[] blocks = Arrays.copyOfRange(shuffled, dealt, dealt + count);
        dealt += count;
        if (dealt > shuffled.length) {
            throw new IllegalStateException("the test's pool is too small");
        }
        return new Sequence(tokens.clone(), blocks);
    }

    /// Computes the next `counts[i]` tokens of sequence i in one batch.
    ///
    /// @return per sequence the logits after its last token
    float[][] step(List<Sequence> sequences, int[] counts) {
        batch.clear();
        for (int i = 0; i < counts.length; i++) {
            Sequence s = sequences.get(i);
            batch.addRow(s.tokens, s.computed, counts[i], s.blocks, s.blocks.length, true);
            s.computed += counts[i];
        }
        Logits logits = backend.forward(batch, pool);
        float[][] rows = new float[counts.length][];
        for (int i = 0; i < counts.length; i++) {
            MemorySegment row = logits.row(i);
            rows[i] = row.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        }
        return rows;
    }

    /// Computes all pending tokens of all sequences at once.
    float[][] step(List<Sequence> sequences) {
        return step(sequences, sequences.stream().mapToInt(Sequence::pending).toArray());
    }

    /// Computes one sequence to its end in chunks.
    float[] chunked(Sequence sequence, int chunkTokens) {
        float[] logits = {};
        while (sequence.pending() > 0) {
            int count = Math.min(chunkTokens, sequence.pending());
            logits = step(List.of(sequence), new int[] {count})[0];
        }
        return logits;
    }

    static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /// Natural logarithm of the probability of a token.
    static double logprob(float[] logits, int token) {
        double highest = logits[argmax(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - highest);
        }
        return logits[token] - highest - Math.log(sum);
    }

    @Override
    public void close() {
        pool.close();
    }
}
