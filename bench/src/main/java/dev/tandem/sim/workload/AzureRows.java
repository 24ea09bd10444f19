package dev.tandem.sim.workload;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/// Azure's LLM inference traces: `2023-11-16 18:15:46.6805900,374,44`.
final class AzureRows implements RowFormat {
    static final String HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens";

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    @Override
    public boolean isHeader(String line) {
        return line.startsWith(HEADER);
    }

    @Override
    public void parse(String line, TraceRow row) {
        String[] fields = line.strip().split(",", -1);
        if (fields.length != 3) {
            throw new IllegalArgumentException("%d fields, not 3".formatted(fields.length));
        }
        LocalDateTime time;
        try {
            time = LocalDateTime.parse(fields[0].replace(' ', 'T'));
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("\"" + fields[0] + "\" is not a time", e);
        }
        row.nanos =
                Math.addExact(
                        Math.multiplyExact(time.toEpochSecond(ZoneOffset.UTC), NANOS_PER_SECOND),
                        time.getNano());
        row.inputTokens = tokens("ContextTokens", fields[1]);
        row.outputTokens = tokens("GeneratedTokens", fields[2]);
    }

    private static int tokens(String name, String text) {
        try {
            return RowFormat.tokens(name, Long.parseLong(text.strip()));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " is not a number: \"" + text + "\"", e);
        }
    }
}
