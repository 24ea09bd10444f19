package dev.tandem.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.core.ErrorCategory;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Request bodies to JSON, strictly: valid UTF-8, one object, nothing behind it, bounded nesting and numbers.
final class JsonBodies {
    /// Deep enough for the JSON schema of any tool; far from what a recursive reader can't take.
    private static final int NESTING_MAX = 128;

    private static final int NUMBER_CHARS_MAX = 128;

    private final ObjectMapper mapper;

    /// @param bodyBytesMax no string is longer; larger bodies never come here
    JsonBodies(long bodyBytesMax) {
        var limits =
                StreamReadConstraints.builder()
                        .maxNestingDepth(NESTING_MAX)
                        .maxNumberLength(NUMBER_CHARS_MAX)
                        .maxStringLength(Math.toIntExact(bodyBytesMax))
                        .maxNameLength(1024)
                        .build();
        mapper =
                new ObjectMapper(JsonFactory.builder().streamReadConstraints(limits).build())
                        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    }

    /// @throws ApiException the body is not one JSON object in UTF-8
    ObjectNode parse(byte[] body) {
        if (read(decode(body), "The request body") instanceof ObjectNode object) {
            return object;
        }
        throw invalid("The request body must be a JSON object.");
    }

    /// @param what names the text in the error's message
    /// @return a missing node for an empty text
    JsonNode read(String text, String what) {
        try {
            return mapper.readTree(text);
        } catch (StreamConstraintsException e) {
            throw invalid(what + " exceeds a limit: " + e.getOriginalMessage());
        } catch (JsonProcessingException e) {
            var place = e.getLocation();
            String where =
                    place == null
                            ? ""
                            : " (line "
                                    + place.getLineNr()
                                    + ", column "
                                    + place.getColumnNr()
                                    + ")";
            throw invalid(what + " is not valid JSON" + where + ": " + e.getOriginalMessage());
        }
    }

    private static String decode(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw invalid("The request body is not valid UTF-8.");
        }
    }

    private static ApiException invalid(String message) {
        return new ApiException(ErrorCategory.USER, "invalid_json", null, message);
    }
}
