package dev.tandem.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.device.ModelDriver.Sequence;
import dev.tandem.kernel.TestSeed;
import dev.tandem.model.Checkpoint;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/// A row's logits are a function of its tokens: the same bits alone, in a batch, chunked, on more threads, in other
/// blocks, interpreted, and with other vector widths.
class InvarianceTest {
    private static final String REPEAT = TestSeed.repeat(InvarianceTest.class);
    private static final int LENGTH = 530;
    private static final long CHILD_SECONDS_MAX = 300;

    @ParameterizedTest
    @ValueSource(strings = {"llama-gqa-tied-bf16", "mistral-sliding32-f16", "qwen3-qknorm-bf16"})
    void logitsDoNotDependOnChunksThreadsOrBlocks(String name) throws Exception {
        Path folder = ReferenceModelsTest.folder(name);
        int[] tokens = tokens(TestSeed.random(), LENGTH);
        float[] alone;
        try (OpenedModel model = Backends.open(folder, "cpu", 1, 16);
                var driver = new ModelDriver(model.backend(), 34, new Random(1))) {
            alone = driver.chunked(driver.sequence(tokens, LENGTH), LENGTH);
            assertThat(alone).doesNotContain(Float.NaN);
        }
        for (int threads = 1; threads <= 2; threads++) {
            try (OpenedModel model = Backends.open(folder, "cpu", threads, 16)) {
                for (int chunk : new int[] {1, 7, 16, 64, 512}) {
                    var random = new Random(TestSeed.random().nextLong() + chunk);
                    try (var driver = new ModelDriver(model.backend(), 40, random)) {
                        float[] chunked = driver.chunked(driver.sequence(tokens, LENGTH), chunk);
                        assertThat(chunked)
                                .as("%d threads, chunks of %d; %s", threads, chunk, REPEAT)
                                .containsExactly(alone);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama3-rope-tied-multi-eos-bf16", "qwen2-bias-sharded-f32"})
    void logitsDoNotDependOnTheOtherRows(String name) throws Exception {
        Path folder = ReferenceModelsTest.folder(name);
        Random random = TestSeed.random();
        var prompts = new ArrayList<int[]>();
        for (int i = 0; i < 32; i++) {
            prompts.add(tokens(random, 1 + random.nextInt(90)));
        }
        try (OpenedModel two = Backends.open(folder, "cpu", 2, 16);
                OpenedModel one = Backends.open(folder, "cpu", 1, 16);
                var batched = new ModelDriver(two.backend(), 250, random);
                var single = new ModelDriver(one.backend(), 250, random)) {
            var sequences = new ArrayList<Sequence>();
            prompts.forEach(p -> sequences.add(batched.sequence(p, p.length)));
            float[][] last = new float[32][];
            // Ragged on purpose: every step computes a random piece of every sequence that has
            // tokens left.
            while (sequences.stream().anyMatch(s -> s.pending() > 0)) {
                List<Sequence> rows = sequences.stream().filter(s -> s.pending() > 0).toList();
                int[] counts =
                        rows.stream().mapToInt(s -> 1 + random.nextInt(s.pending())).toArray();
                float[][] logits = batched.step(rows, counts);
                for (int i = 0; i < counts.length; i++) {
                    last[sequences.indexOf(rows.get(i))] = logits[i];
                }
            }
            for (int i = 0; i < 32; i++) {
                int[] prompt = prompts.get(i);
                float[] alone =
                        single.chunked(single.sequence(prompt, prompt.length), prompt.length);
                assertThat(last[i]).as("row %d; %s", i, REPEAT).containsExactly(alone);
            }
        }
    }

    /// The interpreter, the compilers and other vector widths in a process of their own. Without AVX a vector has four
    /// lanes, sums take their scalar form, and there is no instruction for a fused multiply-add.
    @ParameterizedTest
    @ValueSource(strings = {"-Xint", "-XX:TieredStopAtLevel=1", "-XX:UseAVX=0", "-XX:UseAVX=1"})
    void logitsDoNotDependOnTheCompilerOrTheVectorWidth(String flag) throws Exception {
        int warm = Digest.of();
        var command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-XX:+IgnoreUnrecognizedVMOptions", // UseAVX is x86's
                        flag,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Digest.class.getName());
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes());
        assertThat(child.waitFor(CHILD_SECONDS_MAX, TimeUnit.SECONDS)).isTrue();
        assertThat(output.lines()).as(output).contains("digest " + warm);
    }

    private static int[] tokens(Random random, int count) {
        return random.ints(count, 0, 500).toArray();
    }

    /// Prints a digest of the logits' bits of a short prompt.
    static final class Digest {
        private Digest() {}

        static int of() throws Exception {
            Path folder = ReferenceModelsTest.folder("qwen3-qknorm-bf16");
            try (var backend = new CpuBackend(Checkpoint.open(folder), 1, 4);
                    var driver = new ModelDriver(backend, 8, new Random(3))) {
                Sequence sequence = driver.sequence(new int[] {5, 99, 301, 7, 42, 6}, 9);
                int digest = Arrays.hashCode(driver.chunked(sequence, 6));
                for (int token = 10; token < 13; token++) {
                    sequence.append(token);
                    digest = 31 * digest + Arrays.hashCode(driver.chunked(sequence, 1));
                }
                return digest;
            }
        }

        public static void main(String[] args) throws Exception {
            System.out.println("digest " + of());
        }
    }
}
