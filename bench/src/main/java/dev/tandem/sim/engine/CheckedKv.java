package dev.tandem.sim.engine;

import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;

import java.util.Arrays;

/// What a worker holds, in a form that shows every mistake: its KV is one number per token, the hash of the prefix up to it.
/// A row reads the numbers of all tokens before through its block table, as attention does, so a wrong block, a stale one or
/// one that somebody else has overwritten is noticed when it is read. Checks plans as a real worker does ([dev.tandem.engine]'s validator), and beyond:
/// that no row writes into a block that is leased to another worker or being sent. Owned by the simulation.
final class CheckedKv {
    private static final long EMPTY_PREFIX = 42;

    /// Token ids are below.
    static final int VOCABULARY = 1000;

    private final String name;
    private final int blockTokens;
    private final int sequencesMax;
    private final long[] kv;
    private final Long2ObjectHashMap<Live> live = new Long2ObjectHashMap<>();
    private final LongHashSet rowsSeen = new LongHashSet();

    /// By block: leases that let another worker write, and sends that read.
    private final int[] leases;

    private final int[] sends;

    /// By block: the number of the last plan that wrote it.
    private final long[] writtenBy;

    private static final class Live {
        int[] tokens;
        int known;
        int[] blocks;
        int computed;
        final long seed;

        /// Hash of the prefix up to each token: what its KV has to hold.
        long[] prefixes;

        Live(PlanCopy.Start start) {
            tokens = start.tokens();
            known = tokens.length;
            blocks = start.blocks();
            computed = start.computed();
            seed = start.seed();
            prefixes = new long[known];
            long hash = EMPTY_PREFIX;
            for (int i = 0; i < known; i++) {
                hash = extend(hash, tokens[i]);
                prefixes[i] = hash;
            }
        }

        void append(int token) {
            if (known == tokens.length) {
                tokens = Arrays.copyOf(tokens, known * 2);
                prefixes = Arrays.copyOf(prefixes, known * 2);
            }
            prefixes[known] = extend(prefixes[known - 1], token);
            tokens[known++] = token;
        }
    }

    /// @param sequencesMax that may be live at once
    CheckedKv(ReplicaSpec spec, int sequencesMax) {
        this.name = spec.name();
        this.blockTokens = spec.blockTokens();
        this.sequencesMax = sequencesMax;
        this.kv = new long[spec.blocks() * blockTokens];
        this.leases = new int[spec.blocks()];
        this.sends = new int[spec.blocks()];
        this.writtenBy = new long[spec.blocks()];
    }

    static long emptyPrefix() {
        return EMPTY_PREFIX;
    }

    /// The prefix hash with one more token.
    static long extend(long prefix, int token) {
        return mix(prefix * 31 + token + 1);
    }

    /// The token after a prefix: what every worker must sample.
    static int sample(long prefix, long seed) {
        return (int) ((mix(prefix ^ mix(seed)) >>> 33) % VOCABULARY);
    }

    static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }

    /// Carries a plan out and puts the sampled tokens into its slot.
    void execute(PlanCopy plan, PlanSlot slot) {
        for (long sequence : plan.ends()) {
            require(live.remove(sequence) != null, plan, "ends the unknown sequence", sequence);
        }
        for (PlanCopy.Start start : plan.starts()) {
            checkBlocks(plan, start.blocks(), start.sequence());
            require(
                    live.put(start.sequence(), new Live(start)) == null,
                    plan,
                    "starts twice",
                    start.sequence());
        }
        require(live.size() <= sequencesMax, plan, "more sequences than fit:", live.size());
        for (PlanCopy.Append append : plan.appends()) {
            Live sequence = known(plan, append.sequence());
            checkBlocks(plan, append.blocks(), append.sequence());
            sequence.blocks = concat(sequence.blocks, append.blocks());
        }
        rowsSeen.clear();
        slot.samples = 0;
        for (int row = 0; row < plan.rowSequences().length; row++) {
            executeRow(plan, row, slot);
        }
    }

    private void executeRow(PlanCopy plan, int row, PlanSlot slot) {
        long id = plan.rowSequences()[row];
        require(rowsSeen.add(id), plan, "has two rows of sequence", id);
        Live sequence = known(plan, id);
        int from = plan.rowFrom()[row];
        int count = plan.rowCount()[row];
        require(
                from == sequence.computed && count > 0 && from + count <= sequence.known,
                plan,
                "a row does not go on where the last one ended in sequence",
                id);
        require(
                from + count <= sequence.blocks.length * blockTokens,
                plan,
                "too few blocks for sequence",
                id);
        long hash = compute(plan, sequence, id, from, count);
        if (plan.rowSamples()[row]) {
            require(
                    sequence.computed == sequence.known,
                    plan,
                    "samples before the end of sequence",
                    id);
            int token = sample(hash, sequence.seed);
            sequence.append(token);
            slot.sequences[slot.samples] = id;
            slot.tokens[slot.samples++] = token;
        }
    }

    private long compute(PlanCopy plan, Live sequence, long id, int from, int count) {
        for (int i = from / blockTokens; i * blockTokens < from + count; i++) {
            int block = sequence.blocks[i];
            require(
                    writtenBy[block] != plan.number(),
                    plan,
                    "two rows write into one block, the second of sequence",
                    id);
            require(leases[block] == 0, plan, "writes into a leased block, sequence", id);
            require(sends[block] == 0, plan, "writes into a block being sent, sequence", id);
            writtenBy[block] = plan.number();
        }
        checkContext(plan, sequence, id, from);
        for (int position = from; position < from + count; position++) {
            kv[at(sequence, position)] = sequence.prefixes[position];
        }
        sequence.computed += count;
        return sequence.prefixes[from + count - 1];
    }

    /// Attention reads every token before: each must hold what belongs there.
    private void checkContext(PlanCopy plan, Live sequence, long id, int from) {
        for (int at = 0; at < from; at += blockTokens) {
            int count = Math.min(blockTokens, from - at);
            int block = sequence.blocks[at / blockTokens] * blockTokens;
            require(
                    Arrays.equals(kv, block, block + count, sequence.prefixes, at, at + count),
                    plan,
                    "reads wrong KV from block " + block / blockTokens + " for sequence",
                    id);
        }
    }

    private Live known(PlanCopy plan, long id) {
        Live sequence = live.get(id);
        if (sequence == null) {
            throw broken(plan, "names the unknown sequence", id);
        }
        return sequence;
    }

    private void checkBlocks(PlanCopy plan, int[] blocks, long id) {
        for (int block : blocks) {
            require(
                    block >= 0 && block < leases.length,
                    plan,
                    "names a block outside the pool for sequence",
                    id);
        }
    }

    private void require(boolean holds, PlanCopy plan, String problem, long number) {
        if (!holds) {
            throw broken(plan, problem, number);
        }
    }

    private BrokenPromiseException broken(PlanCopy plan, String problem, long number) {
        return new BrokenPromiseException(
                "%s, plan %d: %s %d".formatted(name, plan.number(), problem, number));
    }

    private int at(Live sequence, int position) {
        return sequence.blocks[position / blockTokens] * blockTokens + position % blockTokens;
    }

    // ---- transfers ----

    /// Another worker may write into these blocks.
    void leased(int[] blocks) {
        for (int block : blocks) {
            leases[block]++;
        }
    }

    void leaseEnded(int[] blocks) {
        for (int block : blocks) {
            leases[block]--;
        }
    }

    /// These blocks are being read.
    void sending(int[] blocks) {
        for (int block : blocks) {
            sends[block]++;
        }
    }

    void sendEnded(int[] blocks) {
        for (int block : blocks) {
            sends[block]--;
        }
    }

    /// One block of another worker lands here.
    void copyFrom(CheckedKv from, int source, int target) {
        System.arraycopy(from.kv, source * blockTokens, kv, target * blockTokens, blockTokens);
    }

    /// What a block holds.
    long[] content(int block) {
        return Arrays.copyOfRange(kv, block * blockTokens, (block + 1) * blockTokens);
    }

    /// Bytes of before come back.
    void put(int block, long[] content) {
        System.arraycopy(content, 0, kv, block * blockTokens, blockTokens);
    }

    /// Other bytes land here.
    void garble(int target) {
        Arrays.fill(kv, target * blockTokens, (target + 1) * blockTokens, -1);
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
