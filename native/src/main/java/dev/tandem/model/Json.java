package dev.tandem.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Strict JSON: a key twice or text after the end is an error, as is anything but an object at the top.
final class Json {
    private static final long FILE_BYTES_MAX = 64L << 20;
    private static final ObjectMapper MAPPER =
            new ObjectMapper()
                    .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private Json() {}

    /// The content of a file of the model folder, of at most 64 MiB.
    static byte[] bytes(Path file) throws ModelFormatException {
        try {
            long bytes = Files.size(file);
            if (bytes > FILE_BYTES_MAX) {
                throw new ModelFormatException(
                        file, "has %d bytes, at most %d are read".formatted(bytes, FILE_BYTES_MAX));
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new ModelFormatException(file, "does not exist", e);
        } catch (ModelFormatException e) {
            throw e;
        } catch (IOException e) {
            throw new ModelFormatException(file, "can't be read (" + e.getMessage() + ")", e);
        }
    }

    static JsonNode object(Path file, byte[] content, String problem) throws ModelFormatException {
        JsonNode node;
        try {
            node = MAPPER.readTree(content);
        } catch (IOException e) {
            throw new ModelFormatException(
                    file, problem + " (" + firstLine(e.getMessage()) + ")", e);
        }
        if (node == null || !node.isObject()) {
            throw new ModelFormatException(file, problem);
        }
        return node;
    }

    private static String firstLine(@Nullable String text) {
        return text == null ? "no detail" : text.lines().findFirst().orElse("no detail");
    }
}
