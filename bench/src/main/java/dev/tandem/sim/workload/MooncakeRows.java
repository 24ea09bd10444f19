package dev.tandem.sim.workload;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import java.io.IOException;

/// Mooncake's traces: `{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}`.
final class MooncakeRows extends JsonRows {
    static final int TOKENS_PER_ID = 512;

    private static final double NANOS_PER_MILLI = 1e6;
    private static final double MILLIS_MAX = 1e12;

    private boolean time;
    private boolean input;
    private boolean output;

    @Override
    void begin() {
        time = false;
        input = false;
        output = false;
    }

    @Override
    void field(String name, JsonParser json, TraceRow row) throws IOException {
        switch (name) {
            case "timestamp" -> {
                if (!json.currentToken().isNumeric()) {
                    throw new IllegalArgumentException("timestamp is not a number");
                }
                double millis = json.getDoubleValue();
                if (!(millis >= 0 && millis <= MILLIS_MAX)) {
                    throw new IllegalArgumentException("timestamp out of range: " + millis);
                }
                row.nanos = Math.round(millis * NANOS_PER_MILLI);
                time = true;
            }
            case "input_length" -> {
                row.inputTokens = RowFormat.tokens(name, whole(name, json));
                input = true;
            }
            case "output_length" -> {
                row.outputTokens = RowFormat.tokens(name, whole(name, json));
                output = true;
            }
            case "hash_ids" -> {
                requireArray(name, json);
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    row.addId(whole("an entry of hash_ids", json));
                }
            }
            case null, default -> json.skipChildren();
        }
    }

    @Override
    void end(TraceRow row) {
        require(time, "timestamp");
        require(input, "input_length");
        require(output, "output_length");
        int most = Math.ceilDiv(row.inputTokens, TOKENS_PER_ID);
        if (row.idCount > most) {
            throw new IllegalArgumentException(
                    "%d hash_ids for %d tokens; one stands for %d tokens"
                            .formatted(row.idCount, row.inputTokens, TOKENS_PER_ID));
        }
    }
}
