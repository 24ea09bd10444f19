package dev.tandem.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;

/// What decoding needs of a `tokenizer.json`: pieces by id, which are special, and the decoder. Read as a stream,
/// because such a file may have 17 MB, most of it merges that only encoding needs.
final class TokenizerJson {
    /// Ids are below this; the largest vocabularies published have some 260 000.
    private static final int VOCABULARY_MAX = 1 << 22;

    // Half a million keys that never come again: neither interned nor cached.
    private static final ObjectMapper JSON =
            new ObjectMapper(
                    JsonFactory.builder()
                            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                            .build());

    private @Nullable String[] pieces = new String[1 << 10];
    private int vocabulary;
    private final BitSet special = new BitSet();
    private JsonNode decoder = MissingNode.getInstance();

    private TokenizerJson() {}

    /// @throws IOException the JSON is broken
    /// @throws IllegalArgumentException it is not a tokenizer that we can decode with
    static TokenizerJson read(byte[] json) throws IOException {
        var read = new TokenizerJson();
        JsonNode added = MissingNode.getInstance();
        try (JsonParser parser = JSON.createParser(json)) {
            require(parser.nextToken() == JsonToken.START_OBJECT, "not a JSON object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "added_tokens" -> added = JSON.readTree(parser);
                    case "decoder" -> read.decoder = JSON.readTree(parser);
                    case "model" -> read.readModel(parser);
                    default -> parser.skipChildren();
                }
            }
        }
        for (JsonNode token : added) {
            require(
                    token.path("id").isInt() && token.path("content").isTextual(),
                    "added token without id or content");
            int id = token.path("id").intValue();
            read.put(id, token.path("content").textValue());
            read.special.set(id, token.path("special").asBoolean());
        }
        require(read.vocabulary > 0, "no model.vocab with tokens");
        return read;
    }

    TokenTable table() {
        return new TokenTable(Arrays.copyOf(pieces, vocabulary), special, decoding());
    }

    TextDecoding decoding() {
        return TextDecoding.of(decoder);
    }

    private void readModel(JsonParser parser) throws IOException {
        require(parser.currentToken() == JsonToken.START_OBJECT, "model is not an object");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean isVocabulary = parser.currentName().equals("vocab");
            JsonToken value = parser.nextToken();
            if (!isVocabulary) {
                parser.skipChildren();
                continue;
            }
            require(
                    value == JsonToken.START_OBJECT,
                    "model.vocab is not an object of pieces and ids");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String piece = parser.currentName();
                require(
                        parser.nextToken() == JsonToken.VALUE_NUMBER_INT,
                        "an id in model.vocab is not a number");
                put(parser.getIntValue(), piece);
            }
        }
    }

    private void put(int id, String piece) {
        require(
                id >= 0 && id < VOCABULARY_MAX,
                "token id " + id + " is not in 0.." + (VOCABULARY_MAX - 1));
        if (id >= pieces.length) {
            pieces = Arrays.copyOf(pieces, Math.max(id + 1, pieces.length * 2));
        }
        pieces[id] = piece;
        vocabulary = Math.max(vocabulary, id + 1);
    }

    private static void require(boolean holds, String problem) {
        if (!holds) {
            throw new IllegalArgumentException(problem);
        }
    }
}
