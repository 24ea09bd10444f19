package dev.tandem.sim.workload;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;

import java.io.IOException;
import java.io.UncheckedIOException;

/// Rows that are JSON objects; fields nobody asks for are skipped.
abstract class JsonRows implements RowFormat {
    private static final JsonFactory JSON = new JsonFactory();

    @Override
    public final void parse(String line, TraceRow row) {
        try (JsonParser json = JSON.createParser(line)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("not a JSON object");
            }
            begin();
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = json.currentName();
                json.nextToken();
                field(name, json, row);
            }
            if (json.nextToken() != null) {
                throw new IllegalArgumentException("more than one JSON value");
            }
            end(row);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a parser of a string reads nothing
        }
    }

    abstract void begin();

    /// The parser stands at the value; an implementation leaves it at the value's last token.
    abstract void field(String name, JsonParser json, TraceRow row) throws IOException;

    abstract void end(TraceRow row);

    static long whole(String name, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw new IllegalArgumentException(name + " is not a whole number");
        }
        return json.getLongValue();
    }

    static void requireArray(String name, JsonParser json) {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            throw new IllegalArgumentException(name + " is not a list");
        }
    }

    static void require(boolean given, String name) {
        if (!given) {
            throw new IllegalArgumentException("no " + name);
        }
    }
}
