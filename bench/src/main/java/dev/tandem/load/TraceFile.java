package dev.tandem.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Recorded arrivals: when, how long the prompt, how long the answer.
///
/// Formats, told apart by the first line: Azure's CSV (`TIMESTAMP,ContextTokens,GeneratedTokens`), Mooncake's JSON lines
/// (`timestamp` in ms, `input_length`, `output_length`, `hash_ids` of 512-token prefix blocks), and JSON lines with
/// `arrival_time_ns`, `input_toks`, `output_toks`.
final class TraceFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROWS_MAX = 1_000_000;
    private static final int TOKENS_MAX = 10_000_000;

    /// @param atNanos since the first row
    /// @param prefixBlocks ids of the prompt's blocks; equal ids are equal text. Empty: all of its own
    record Row(long atNanos, int inputTokens, int outputTokens, List<Long> prefixBlocks) {}

    private TraceFile() {}

    /// @return rows by time, at least one, the first at 0
    /// @throws IOException the file can't be read, or a line is not of its format; the message names file and line
    static List<Row> read(Path file) throws IOException {
        List<Row> rows = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            boolean csv = false;
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (number == 1 && line.startsWith("TIMESTAMP,ContextTokens,GeneratedTokens")) {
                    csv = true;
                    continue;
                }
                if (!line.isBlank()) {
                    rows.add(parse(file, number, line, csv));
                }
                if (rows.size() > ROWS_MAX) {
                    throw new IOException(file + ": more than " + ROWS_MAX + " rows");
                }
            }
        }
        if (rows.isEmpty()) {
            throw new IOException(file + ": no rows");
        }
        rows.sort(Comparator.comparingLong(Row::atNanos));
        long first = rows.getFirst().atNanos();
        rows.replaceAll(
                row ->
                        new Row(
                                row.atNanos() - first,
                                row.inputTokens(),
                                row.outputTokens(),
                                row.prefixBlocks()));
        return rows;
    }

    private static Row parse(Path file, int number, String line, boolean csv) throws IOException {
        try {
            return csv ? azure(line) : json(JSON.readTree(line));
        } catch (IOException | DateTimeException | IllegalArgumentException e) {
            throw new IOException(
                    file
                            + ", line "
                            + number
                            + ": not a row of a known trace format: "
                            + e.getMessage(),
                    e);
        }
    }

    private static Row azure(String line) {
        String[] fields = line.strip().split(",", -1);
        if (fields.length != 3) {
            throw new IllegalArgumentException(fields.length + " fields, not 3");
        }
        LocalDateTime time = LocalDateTime.parse(fields[0].replace(' ', 'T'));
        long nanos =
                Math.addExact(
                        Math.multiplyExact(time.toEpochSecond(ZoneOffset.UTC), 1_000_000_000L),
                        time.getNano());
        return new Row(
                nanos,
                tokens(Integer.parseInt(fields[1])),
                tokens(Integer.parseInt(fields[2])),
                List.of());
    }

    private static Row json(JsonNode row) {
        if (row.path("arrival_time_ns").canConvertToLong() && row.path("input_toks").isInt()) {
            return new Row(
                    row.path("arrival_time_ns").longValue(),
                    tokens(row.path("input_toks").intValue()),
                    tokens(row.path("output_toks").intValue()),
                    List.of());
        }
        if (!row.path("timestamp").isNumber() || !row.path("input_length").isInt()) {
            throw new IllegalArgumentException("no timestamp and input_length");
        }
        List<Long> blocks = new ArrayList<>();
        row.path("hash_ids").forEach(block -> blocks.add(block.asLong()));
        return new Row(
                Math.round(row.path("timestamp").doubleValue() * 1e6),
                tokens(row.path("input_length").intValue()),
                tokens(row.path("output_length").intValue()),
                List.copyOf(blocks));
    }

    private static int tokens(int count) {
        if (count < 0 || count > TOKENS_MAX) {
            throw new IllegalArgumentException(count + " tokens");
        }
        return Math.max(1, count);
    }
}
