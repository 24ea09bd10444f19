package dev.tandem.sim.workload;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import java.io.IOException;
import java.util.Arrays;

/// Tokenized ShareGPT: `{"input_toks": 3, "output_toks": 5, "arrival_time_ns": 0, "input_tok_ids": [1, 2, 3], ...}`.
final class TokenRows extends JsonRows {
    private boolean time;
    private boolean output;
    private long inputTokens;
    private int[] tokens = {};
    private int count;

    @Override
    void begin() {
        time = false;
        output = false;
        inputTokens = -1;
        count = 0;
    }

    @Override
    void field(String name, JsonParser json, TraceRow row) throws IOException {
        switch (name) {
            case "arrival_time_ns" -> {
                row.nanos = whole(name, json);
                time = true;
            }
            case "input_toks" -> inputTokens = whole(name, json);
            case "output_toks" -> {
                row.outputTokens = RowFormat.tokens(name, whole(name, json));
                output = true;
            }
            case "input_tok_ids" -> {
                requireArray(name, json);
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    add(whole("an entry of input_tok_ids", json));
                }
            }
            case null, default -> json.skipChildren();
        }
    }

    private void add(long token) {
        if (token < 0 || token > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(token + " is no token id");
        }
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(1024, count * 2));
        }
        tokens[count++] = (int) token;
    }

    @Override
    void end(TraceRow row) {
        require(time, "arrival_time_ns");
        require(inputTokens >= 0, "input_toks");
        require(output, "output_toks");
        require(count > 0, "input_tok_ids");
        if (count != inputTokens) {
            throw new IllegalArgumentException(
                    "input_toks is %d, but there are %d input_tok_ids"
                            .formatted(inputTokens, count));
        }
        row.inputTokens = RowFormat.tokens("input_toks", inputTokens);
        row.tokens = Arrays.copyOf(tokens, count);
    }
}
