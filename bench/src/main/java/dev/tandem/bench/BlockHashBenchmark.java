package dev.tandem.bench;

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

/// The hash chain of one long prompt. Aim: at most 150 us for 8,192 tokens in blocks of 16, that is 512 hashes each of
/// which needs the one before. vLLM on the same kind of machine: 700 to 900 us.
@State(Scope.Thread)
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class BlockHashBenchmark {
    private static final int BLOCK_TOKENS = 16;

    @Param("8192")
    int promptTokens;

    /// Token ids up to this one; larger ones take more bytes.
    @Param({"32000", "128256"})
    int vocabulary;

    private final PrefixHasher hasher = new PrefixHasher();
    private int[] tokens = {};

    @Setup
    public void setUp() {
        tokens = new Random(1).ints(promptTokens, 0, vocabulary).toArray();
    }

    @Benchmark
    public long[] hashPrompt() {
        return hasher.hashesOf(tokens, tokens.length, BLOCK_TOKENS, "");
    }
}
