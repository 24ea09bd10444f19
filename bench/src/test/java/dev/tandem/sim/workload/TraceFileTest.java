package dev.tandem.sim.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.tandem.core.PrefixHasher;
import dev.tandem.sim.Arrival;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// The recorded traces as published, and files that are wrong.
final class TraceFileTest {
    private static final String AZURE = "azure-llm-2023/AzureLLMInferenceTrace_conv.csv";
    private static final String MOONCAKE = "mooncake-fast25/conversation_trace.jsonl";
    private static final String SHAREGPT =
            "sharegpt-tokenized/sharegpt-llama-3.1-8b-300-sps10.jsonl";

    /// Of 276,491 full blocks of 512 tokens 105,592 are hits with an unbounded cache.
    private static final double HITS = 105_592.0 / 276_491;

    @TempDir Path folder;

    private static TraceFile published(String name) {
        String data = System.getProperty("tandem.data");
        Assumptions.assumeTrue(data != null, "-Dtandem.data names no folder with the traces");
        return TraceFile.scan(Path.of(data, "traces", name));
    }

    private static TraceWorkload.Selection whole(Trace trace) {
        return TraceWorkload.select(trace, WorkloadOptions.all(trace.blockTokens(), 1));
    }

    @Test
    void azureHasTheCountsOfItsSource() {
        TraceFile trace = published(AZURE);
        TraceWorkload.Selection all = whole(trace);
        assertThat(trace.format()).isEqualTo(TraceFile.Format.AZURE_CSV);
        assertThat(trace.rows()).isEqualTo(19_366);
        assertThat(all.inputTokens()).isEqualTo(22_361_870);
        assertThat(all.outputTokens()).isEqualTo(4_088_665);
        assertThat(all.spanNanos() / 1e9).isCloseTo(3501.7, within(0.1));
        assertThat(all.ratePerSecond()).isCloseTo(5.53, within(0.01));
    }

    @Test
    void mooncakeHasTheCountsOfItsSource() {
        TraceFile trace = published(MOONCAKE);
        TraceWorkload.Selection all = whole(trace);
        assertThat(trace.format()).isEqualTo(TraceFile.Format.MOONCAKE_JSONL);
        assertThat(trace.rows()).isEqualTo(12_031);
        assertThat(all.inputTokens()).isEqualTo(144_793_823);
        assertThat(all.outputTokens()).isEqualTo(4_122_048);
        assertThat(all.spanNanos()).isEqualTo(3_536_999_000_000L);
        long blocks = 0;
        Set<Long> distinct = new HashSet<>();
        var row = new TraceRow();
        try (RowReader reader = trace.open()) {
            while (reader.next(row)) {
                blocks += row.idCount();
                for (int i = 0; i < row.idCount(); i++) {
                    distinct.add(row.id(i));
                }
            }
        }
        assertThat(blocks).isEqualTo(288_500);
        assertThat(distinct).hasSize(182_790);
        assertThat(1 - (double) distinct.size() / blocks).isCloseTo(0.366, within(0.0005));
    }

    @Test
    void mooncakesHitShareIsTheSameForEveryBlockSize() {
        TraceFile trace = published(MOONCAKE);
        // Full blocks only; counted apart with a few lines of Python.
        assertThat(hitShare(trace, 512)).isCloseTo(HITS, within(0.0001));
        assertThat(hitShare(trace, 128)).isCloseTo(HITS, within(0.01));
    }

    private static double hitShare(Trace trace, int blockTokens) {
        Set<Long> cached = new HashSet<>();
        long hits = 0;
        long blocks = 0;
        try (var workload = new TraceWorkload(trace, WorkloadOptions.all(blockTokens, 1))) {
            for (Arrival a = workload.next(); a != null; a = workload.next()) {
                long[] hashes = a.prompt().hashes();
                assertThat(hashes.length / PrefixHasher.WORDS)
                        .isEqualTo(a.prompt().length() / blockTokens);
                boolean hit = true;
                for (int i = 0; i < hashes.length; i += PrefixHasher.WORDS) {
                    boolean known = !cached.add(hashes[i]);
                    hit &= known;
                    hits += hit ? 1 : 0;
                    blocks++;
                }
            }
        }
        return (double) hits / blocks;
    }

    @Test
    void shareGptHasItsTokens() {
        TraceFile trace = published(SHAREGPT);
        TraceWorkload.Selection all = whole(trace);
        assertThat(trace.format()).isEqualTo(TraceFile.Format.TOKENS_JSONL);
        assertThat(trace.rows()).isEqualTo(300);
        assertThat(all.inputTokens()).isEqualTo(257_239);
        assertThat((double) all.outputTokens() / 300).isCloseTo(652.5, within(0.05));
        try (var workload = new TraceWorkload(trace, WorkloadOptions.all(16, 1))) {
            Arrival first = Objects.requireNonNull(workload.next());
            assertThat(first.prompt().length()).isEqualTo(2358);
            assertThat(first.prompt().tokens()).startsWith(5971, 2927, 220, 1032, 97554);
            assertThat(first.prompt().hashes()).isEmpty();
            assertThat(first.outputTokens()).isEqualTo(531);
        }
    }

    @Test
    void aLoadedTraceIsTheSameAsItsFile() throws IOException {
        Path file =
                write(
                        """
                        {"timestamp": 0, "input_length": 1200, "output_length": 5, "hash_ids": [0, 1, 2]}
                        {"timestamp": 7, "input_length": 600, "output_length": 1, "hash_ids": [0, 9]}
                        """);
        TraceFile streamed = TraceFile.scan(file);
        WorkloadOptions options = WorkloadOptions.all(128, 1);
        List<Arrival> one = drain(new TraceWorkload(streamed, options));
        List<Arrival> two = drain(new TraceWorkload(LoadedTrace.of(streamed, 0), options));
        assertThat(two).hasSize(2);
        for (int i = 0; i < 2; i++) {
            assertThat(two.get(i).nanos()).isEqualTo(one.get(i).nanos());
            assertThat(two.get(i).prompt().hashes()).containsExactly(one.get(i).prompt().hashes());
        }
        // 512 of 600 tokens are the same text as the first prompt's: four blocks of 128, then it
        // differs.
        long[] first = one.get(0).prompt().hashes();
        long[] second = one.get(1).prompt().hashes();
        int shared = 4 * PrefixHasher.WORDS;
        assertThat(second).hasSize(shared);
        assertThat(first).hasSize(9 * PrefixHasher.WORDS).startsWith(second);
    }

    @Test
    void promptsOfWhichOnlyTheLengthIsKnownAreAllDifferentButShareTheirTokens() throws IOException {
        Path file =
                write(
                        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                                + "2023-11-16 18:15:46.6805900,374,44\r\n"
                                + "2023-11-16 18:15:47.6805900,374,0\r\n");
        List<Arrival> arrivals =
                drain(new TraceWorkload(TraceFile.scan(file), WorkloadOptions.all(16, 1)));
        Arrival a = arrivals.get(0);
        Arrival b = arrivals.get(1);
        assertThat(b.nanos() - a.nanos()).isEqualTo(1_000_000_000L);
        assertThat(b.outputTokens()).as("a request generates a token at least").isEqualTo(1);
        assertThat(a.prompt().tokens()).isSameAs(b.prompt().tokens());
        Set<Long> words = new HashSet<>();
        for (Arrival arrival : arrivals) {
            for (long word : arrival.prompt().hashes()) {
                words.add(word);
            }
        }
        assertThat(words).hasSize(2 * 23 * PrefixHasher.WORDS);
    }

    @Test
    void selectsScalesAndRepeats() throws IOException {
        var text = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            text.append("{\"timestamp\": ").append(i * 1000);
            text.append(", \"input_length\": 512, \"output_length\": 2, \"hash_ids\": [7]}\n");
        }
        TraceFile trace = TraceFile.scan(write(text.toString()));
        var options = new WorkloadOptions(2, 8, 4, 2, 1, 4, false, TenantMix.none(), 500, 512, 1);
        try (var workload = new TraceWorkload(trace, options)) {
            assertThat(workload.size()).isEqualTo(8);
            assertThat(workload.ratePerSecond()).isCloseTo(4, within(1e-9));
            List<Arrival> arrivals = drain(workload);
            assertThat(arrivals).extracting(Arrival::nanos).startsWith(0L, 250_000_000L);
            assertThat(arrivals).hasSize(8);
            assertThat(arrivals.getLast().nanos()).isEqualTo(7 * 250_000_000L);
            assertThat(arrivals.get(3).terms().deadlineNanos()).isEqualTo(1_250_000_000L);
            assertThat(arrivals.get(1).prompt().hashes())
                    .containsExactly(arrivals.get(0).prompt().hashes());
            assertThat(arrivals.get(4).prompt().hashes())
                    .as("a repetition is another text")
                    .doesNotContain(arrivals.get(0).prompt().hashes());
        }
    }

    @Test
    void refusesBlocksThatIdsDoNotTellApart() throws IOException {
        Path file =
                write(
                        "{\"timestamp\": 0, \"input_length\": 9, \"output_length\": 1,"
                                + " \"hash_ids\": [0]}");
        TraceFile trace = TraceFile.scan(file);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TraceWorkload(trace, WorkloadOptions.all(48, 1)))
                .withMessageContaining("blocks of 48 tokens")
                .withMessageContaining("512");
    }

    @Test
    void namesTheLineThatIsWrong() throws IOException {
        String header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
        String good = "2023-11-16 18:15:46.6805900,374,44\n";
        wrong(header + good + "2023-11-16 18:15:47.0,x,44\n", 3, "ContextTokens");
        wrong(header + good + "2023-11-16 18:15:47.0,1\n", 3, "2 fields, not 3");
        wrong(header + good + "yesterday,1,1\n", 3, "not a time");
        wrong(header + good + "2023-11-16 18:15:40.0,1,1\n", 3, "earlier");
        wrong(header + good + "2023-11-16 18:15:47.0,-5,1\n", 3, "ContextTokens");
        String row =
                "{\"timestamp\": 0, \"input_length\": 9, \"output_length\": 1, \"hash_ids\":"
                        + " [0]}\n";
        wrong(row + "{\"timestamp\": 1, \"input_length\": 9}\n", 2, "no output_length");
        wrong(row + row.replace("[0]", "[0, 1]"), 2, "2 hash_ids for 9 tokens");
        wrong(row + row.replace("9", "\"9\""), 2, "input_length is not a whole number");
        wrong(row + "{\"timestamp\": 1, \"input_le\n", 2, "not JSON");
        wrong(row + "[]\n", 2, "not a JSON object");
        wrong(row + row.strip() + row, 2, "more than one JSON value");
        String tokens =
                "{\"input_toks\": 2, \"output_toks\": 1, \"arrival_time_ns\": 5, \"input_tok_ids\":"
                        + " [1, 2]}\n";
        wrong(tokens + tokens.replace("[1, 2]", "[1]"), 2, "there are 1 input_tok_ids");
        wrong("hello\n", 1, "no known trace format");
        wrong("\n", 1, "empty");
    }

    private void wrong(String text, int line, String reason) throws IOException {
        Path file = write(text);
        assertThatExceptionOfType(TraceException.class)
                .isThrownBy(() -> TraceFile.scan(file))
                .withMessageStartingWith(file + ", line " + line + ": ")
                .withMessageContaining(reason);
    }

    @Test
    void aFileWithoutRowsIsNoTrace() throws IOException {
        Path file = write("TIMESTAMP,ContextTokens,GeneratedTokens\n");
        assertThatExceptionOfType(TraceException.class)
                .isThrownBy(() -> TraceFile.scan(file))
                .withMessage(file + ": no rows");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("trace"), text);
    }

    private static List<Arrival> drain(TraceWorkload workload) {
        var arrivals = new ArrayList<Arrival>();
        for (Arrival a = workload.next(); a != null; a = workload.next()) {
            arrivals.add(a);
        }
        return arrivals;
    }
}
