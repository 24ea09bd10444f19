package dev.tandem.bench;

import dev.tandem.core.BlockPool;
import dev.tandem.core.BlockTable;
import dev.tandem.core.PrefixHasher;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import java.util.Random;
import java.util.concurrent.TimeUnit;

/// The longest cached prefix of a prompt, 511 blocks, in a pool whose blocks are all cached. Aim: at most 30 us. The prompts
/// take turns and together are larger than the processor's caches, so that a look-up meets memory as it is.
@State(Scope.Thread)
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class PrefixLookupBenchmark {
    private static final int BLOCK_TOKENS = 16;
    private static final int PROMPT_BLOCKS = 511;

    /// A card with 80 GB holds about 32,768 blocks of an 8B model.
    @Param({"32704", "261632"})
    int poolBlocks;

    private BlockPool pool = new BlockPool(1, BLOCK_TOKENS);
    private long[][] prompts = {};
    private int next;

    @Setup
    public void setUp() {
        Random random = new Random(1);
        PrefixHasher hasher = new PrefixHasher();
        pool = new BlockPool(poolBlocks, BLOCK_TOKENS);
        prompts = new long[poolBlocks / PROMPT_BLOCKS][];
        for (int i = 0; i < prompts.length; i++) {
            int tokens = PROMPT_BLOCKS * BLOCK_TOKENS;
            int[] prompt = random.ints(tokens, 0, 128_256).toArray();
            prompts[i] = hasher.hashesOf(prompt, tokens, BLOCK_TOKENS, "");
            BlockTable table = new BlockTable();
            if (!pool.grow(table, tokens)) {
                throw new IllegalStateException("the pool is full");
            }
            for (int block = 0; block < PROMPT_BLOCKS; block++) {
                pool.index(table.get(block), prompts[i], block);
            }
        }
    }

    @Benchmark
    public int longestPrefix() {
        int found = pool.cachedPrefix(prompts[next], PROMPT_BLOCKS);
        next = next + 1 == prompts.length ? 0 : next + 1;
        if (found != PROMPT_BLOCKS) {
            throw new IllegalStateException("only " + found + " blocks found");
        }
        return found;
    }
}
