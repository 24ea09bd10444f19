package dev.tandem.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// A worker in virtual time whose KV is one number per token: the hash of the prefix up to it. A row reads the number
/// of the token before from its block table, so a wrong block, a stale block or a block overwritten by somebody else
/// gives wrong tokens. Validates plans as a real worker does.
final class VirtualWorker {
    private final int blockTokens;
    private final long[] kv;
    private final Map<Long, Live> live = new HashMap<>();
    private long lastPlan;

    private static final class Live {
        int[] tokens = new int[0];
        int[] blocks = new int[0];
        int computed;
        long seed;
    }

    VirtualWorker(int blocks, int blockTokens) {
        this.blockTokens = blockTokens;
        this.kv = new long[blocks * blockTokens];
    }

    /// The token after a prefix: what every worker must sample.
    static int sample(long prefixHash, long seed) {
        return (int) (mix(prefixHash ^ mix(seed)) >>> 33) % 1000;
    }

    static long extend(long prefixHash, int token) {
        return mix(prefixHash * 31 + token + 1);
    }

    static final long EMPTY_PREFIX = 42;

    private static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }

    /// What a plan says, copied out of the reusable buffer as the wire would.
    record Message(
            long number,
            long[] ends,
            StartMessage[] starts,
            AppendMessage[] appends,
            long[] rowSequences,
            int[] rowFrom,
            int[] rowCount,
            boolean[] rowSamples,
            StepPlan.Send[] sends) {}

    record AppendMessage(long sequence, int[] blocks) {}

    record StartMessage(long sequence, int[] tokens, int computed, int[] blocks, long seed) {}

    static Message copy(StepPlan plan) {
        int rows = plan.rows();
        long[] sequences = new long[rows];
        int[] from = new int[rows];
        int[] count = new int[rows];
        boolean[] samples = new boolean[rows];
        for (int row = 0; row < rows; row++) {
            sequences[row] = plan.rowSequence(row);
            from[row] = plan.rowFrom(row);
            count[row] = plan.rowCount(row);
            samples[row] = plan.rowSamples(row);
        }
        StartMessage[] starts =
                plan.starts().stream().map(VirtualWorker::copy).toArray(StartMessage[]::new);
        return new Message(
                plan.number(),
                plan.ends().toLongArray(),
                starts,
                copyAppends(plan),
                sequences,
                from,
                count,
                samples,
                plan.sends().toArray(StepPlan.Send[]::new));
    }

    private static AppendMessage[] copyAppends(StepPlan plan) {
        AppendMessage[] appends = new AppendMessage[plan.appends()];
        for (int i = 0; i < appends.length; i++) {
            int[] blocks = new int[plan.appendedBlocks(i)];
            for (int k = 0; k < blocks.length; k++) {
                blocks[k] = plan.appendedBlock(i, k);
            }
            appends[i] = new AppendMessage(plan.appendSequence(i), blocks);
        }
        return appends;
    }

    private static StartMessage copy(StepPlan.Start start) {
        Sequence sequence = start.sequence();
        int[] tokens = new int[sequence.known()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = sequence.token(i);
        }
        return new StartMessage(
                sequence.id(),
                tokens,
                start.computed(),
                start.blocks(),
                sequence.sampling().seed());
    }

    /// Executes a plan.
    ///
    /// @return the sampled tokens by row
    Event.StepDone execute(int replica, Message plan) {
        assertThat(plan.number()).as("plans come in order").isEqualTo(++lastPlan);
        for (long end : plan.ends()) {
            assertThat(live.remove(end)).as("sequence %d to end is known", end).isNotNull();
        }
        for (StartMessage start : plan.starts()) {
            Live sequence = new Live();
            sequence.tokens = start.tokens();
            sequence.blocks = start.blocks();
            sequence.computed = start.computed();
            sequence.seed = start.seed();
            assertThat(live.put(start.sequence(), sequence)).as("started twice").isNull();
        }
        for (AppendMessage append : plan.appends()) {
            Live sequence = Objects.requireNonNull(live.get(append.sequence()));
            sequence.blocks = concat(sequence.blocks, append.blocks());
        }
        Set<Long> once = new HashSet<>();
        long[] sequences = new long[plan.rowSequences().length];
        int[] tokens = new int[sequences.length];
        int sampled = 0;
        for (int row = 0; row < plan.rowSequences().length; row++) {
            assertThat(once.add(plan.rowSequences()[row])).as("one row a sequence").isTrue();
            Live sequence = Objects.requireNonNull(live.get(plan.rowSequences()[row]));
            long hash = compute(sequence, plan.rowFrom()[row], plan.rowCount()[row]);
            if (plan.rowSamples()[row]) {
                assertThat(sequence.computed).isEqualTo(sequence.tokens.length);
                int token = sample(hash, sequence.seed);
                sequence.tokens = concat(sequence.tokens, new int[] {token});
                sequences[sampled] = plan.rowSequences()[row];
                tokens[sampled++] = token;
            }
        }
        return new Event.StepDone(
                replica, plan.number(), sampled, sequences, tokens, null, 1_000_000);
    }

    private long compute(Live sequence, int from, int count) {
        assertThat(from).as("a row starts where the last one ended").isEqualTo(sequence.computed);
        assertThat(from + count).isLessThanOrEqualTo(sequence.tokens.length);
        long hash = from == 0 ? EMPTY_PREFIX : kv[at(sequence, from - 1)];
        for (int position = from; position < from + count; position++) {
            hash = extend(hash, sequence.tokens[position]);
            kv[at(sequence, position)] = hash;
        }
        sequence.computed += count;
        return hash;
    }

    private int at(Live sequence, int position) {
        return sequence.blocks[position / blockTokens] * blockTokens + position % blockTokens;
    }

    long[] readBlock(int block) {
        return java.util.Arrays.copyOfRange(kv, block * blockTokens, (block + 1) * blockTokens);
    }

    void writeBlock(int block, long[] content) {
        System.arraycopy(content, 0, kv, block * blockTokens, blockTokens);
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
