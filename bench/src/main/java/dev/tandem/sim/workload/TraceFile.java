package dev.tandem.sim.workload;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A recorded trace, streamed from its file by every reader, so of any size. Immutable.
public final class TraceFile implements Trace {
    /// Told apart by the first line.
    public enum Format {
        /// `TIMESTAMP,ContextTokens,GeneratedTokens`.
        AZURE_CSV,
        /// `{"timestamp": ms, "input_length", "output_length", "hash_ids"}`, one id per 512 tokens.
        MOONCAKE_JSONL,
        /// `{"arrival_time_ns", "input_toks", "output_toks", "input_tok_ids"}`.
        TOKENS_JSONL
    }

    /// Of one line: a prompt of a million tokens with its ids.
    private static final int LINE_CHARACTERS_MAX = 1 << 24;

    private final Path path;
    private final Format format;
    private long rows;

    private TraceFile(Path path, Format format) {
        this.path = path;
        this.format = format;
    }

    /// Reads a trace once to its end.
    ///
    /// @throws TraceException it can't be read, holds no rows, or a line is not of the format or goes back in time
    public static TraceFile scan(Path path) {
        TraceFile file = new TraceFile(path, detect(path));
        var row = new TraceRow();
        try (RowReader reader = file.open()) {
            while (reader.next(row)) {
                file.rows++;
            }
        }
        if (file.rows == 0) {
            throw new TraceException(path, "no rows");
        }
        return file;
    }

    private static Format detect(Path path) {
        try (BufferedReader lines = Files.newBufferedReader(path)) {
            String line = readLine(lines, path, 1);
            if (line == null || line.isBlank()) {
                throw new TraceException(path, 1, "empty; a trace starts with a header or a row");
            }
            if (line.startsWith(AzureRows.HEADER)) {
                return Format.AZURE_CSV;
            }
            if (line.contains("\"hash_ids\"") || line.contains("\"input_length\"")) {
                return Format.MOONCAKE_JSONL;
            }
            if (line.contains("\"input_toks\"")) {
                return Format.TOKENS_JSONL;
            }
            throw new TraceException(
                    path,
                    1,
                    "no known trace format: neither the header "
                            + AzureRows.HEADER
                            + " nor JSON with input_length (Mooncake) or input_toks (ShareGPT)");
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    @Override
    public String name() {
        Path last = path.getFileName();
        return last == null ? path.toString() : last.toString();
    }

    public Format format() {
        return format;
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int tokensPerId() {
        return format == Format.MOONCAKE_JSONL ? MooncakeRows.TOKENS_PER_ID : 0;
    }

    @Override
    public RowReader open() {
        BufferedReader lines;
        try {
            lines = Files.newBufferedReader(path);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
        return new LineReader(
                path,
                lines,
                switch (format) {
                    case AZURE_CSV -> new AzureRows();
                    case MOONCAKE_JSONL -> new MooncakeRows();
                    case TOKENS_JSONL -> new TokenRows();
                });
    }

    private static TraceException unreadable(Path path, IOException e) {
        return new TraceException(
                path, e instanceof CharacterCodingException ? "not UTF-8" : "can't be read: " + e);
    }

    private static String readLine(BufferedReader lines, Path path, long number)
            throws IOException {
        String line = lines.readLine();
        if (line != null && line.length() > LINE_CHARACTERS_MAX) {
            throw new TraceException(
                    path, number, "longer than " + LINE_CHARACTERS_MAX + " characters");
        }
        return line;
    }

    /// Lines to rows, with the place of an error.
    private static final class LineReader implements RowReader {
        private final Path path;
        private final BufferedReader lines;
        private final RowFormat format;
        private long number;
        private long lastNanos = Long.MIN_VALUE;

        LineReader(Path path, BufferedReader lines, RowFormat format) {
            this.path = path;
            this.lines = lines;
            this.format = format;
        }

        @Override
        public boolean next(TraceRow row) {
            try {
                while (true) {
                    String line = readLine(lines, path, ++number);
                    if (line == null) {
                        return false;
                    }
                    if (line.isBlank() || (number == 1 && format.isHeader(line))) {
                        continue;
                    }
                    parse(line, row);
                    return true;
                }
            } catch (IOException e) {
                throw unreadable(path, e);
            }
        }

        private void parse(String line, TraceRow row) {
            row.clear();
            try {
                format.parse(line, row);
            } catch (IllegalArgumentException e) {
                throw new TraceException(path, number, String.valueOf(e.getMessage()));
            }
            if (row.nanos < lastNanos) {
                throw new TraceException(path, number, "earlier than the line before");
            }
            lastNanos = row.nanos;
        }

        @Override
        public void close() {
            try {
                lines.close();
            } catch (IOException e) {
                throw unreadable(path, e);
            }
        }
    }
}
