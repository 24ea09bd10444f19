package dev.tandem.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class TraceFileTest {
    @TempDir Path folder;

    @Test
    void azureRows() throws IOException {
        List<TraceFile.Row> rows =
                TraceFile.read(
                        file(
                                "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                                        + "2023-11-16 18:15:50.9951690,396,109\r\n"
                                        + "2023-11-16 18:15:46.6805900,374,44\r\n"));
        assertThat(rows)
                .containsExactly(
                        new TraceFile.Row(0, 374, 44, List.of()),
                        new TraceFile.Row(4_314_579_000L, 396, 109, List.of()));
    }

    @Test
    void jsonRows() throws IOException {
        assertThat(
                        TraceFile.read(
                                file(
                                        "{\"timestamp\": 1500, \"input_length\": 3,"
                                                + " \"output_length\": 4, \"hash_ids\": [9]}\n"
                                                + "{\"timestamp\": 1502, \"input_length\": 5,"
                                                + " \"output_length\": 6}\n")))
                .containsExactly(
                        new TraceFile.Row(0, 3, 4, List.of(9L)),
                        new TraceFile.Row(2_000_000, 5, 6, List.of()));
        assertThat(
                        TraceFile.read(
                                file(
                                        "{\"input_toks\": 8, \"output_toks\": 2,"
                                                + " \"arrival_time_ns\": 46926808}\n")))
                .containsExactly(new TraceFile.Row(0, 8, 2, List.of()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\": 1}                                                     | line 1",
                "TIMESTAMP,ContextTokens,GeneratedTokens\\nyesterday,1,1        | line 2",
                "TIMESTAMP,ContextTokens,GeneratedTokens\\n2023-11-16 18:15:50,1 | line 2",
                "{\"timestamp\": 0, \"input_length\": -5, \"output_length\": 1} | -5 tokens",
                "TIMESTAMP,ContextTokens,GeneratedTokens                        | no rows"
            })
    void aBrokenFileIsNamedWithItsLine(String content, String problem) throws IOException {
        Path file = file(content.replace("\\n", "\n"));
        assertThatThrownBy(() -> TraceFile.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(problem);
    }

    @ParameterizedTest
    @CsvSource({
        "azure-llm-2023/AzureLLMInferenceTrace_conv.csv,               19366, 3501",
        "mooncake-fast25/conversation_trace.jsonl,                     12031, 3536",
        "sharegpt-tokenized/sharegpt-llama-3.1-8b-300-sps10.jsonl,       300,   29"
    })
    void publishedTraces(String name, int rows, long seconds) throws IOException {
        Path file = Path.of(System.getProperty("tandem.data", "")).resolve("traces").resolve(name);
        Assumptions.assumeTrue(Files.exists(file), "there is no " + file + "; set -Dtandem.data");
        List<TraceFile.Row> trace = TraceFile.read(file);
        assertThat(trace).hasSize(rows);
        assertThat(trace.getLast().atNanos() / 1_000_000_000L).isEqualTo(seconds);
    }

    private Path file(String content) throws IOException {
        return Files.writeString(folder.resolve("trace"), content);
    }
}
