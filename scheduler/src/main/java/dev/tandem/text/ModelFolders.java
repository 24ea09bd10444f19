package dev.tandem.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the small files of a Hugging Face model folder. `config.json` must be there, the others may be.
public final class ModelFolders {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FILE_BYTES_MAX = 16 << 20;
    private static final List<String> SAMPLING_DEFAULTS =
            List.of("temperature", "top_k", "top_p", "min_p", "repetition_penalty");

    private ModelFolders() {}

    /// @throws ModelFolderException a file is missing, is not JSON or has a value of the wrong kind; it names the file
    public static ModelFolder read(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new ModelFolderException(folder, "no such folder");
        }
        Path configFile = folder.resolve("config.json");
        if (!Files.exists(configFile)) {
            throw new ModelFolderException(configFile, "no such file; a model folder has one");
        }
        JsonNode config = readJson(configFile);
        JsonNode generation = readJson(folder.resolve("generation_config.json"));
        return new ModelFolder(
                folder,
                name(folder),
                contextTokensMax(configFile, config),
                chatTemplate(folder),
                specialToken(folder, "bos_token"),
                specialToken(folder, "eos_token"),
                eosTokenIds(folder, config, generation),
                samplingDefaults(folder, generation));
    }

    private static String name(Path folder) {
        Path name = folder.toAbsolutePath().normalize().getFileName();
        return name == null ? "model" : name.toString();
    }

    private static int contextTokensMax(Path configFile, JsonNode config) throws IOException {
        JsonNode value = config.path("max_position_embeddings");
        if (!value.isInt() || value.intValue() < 1) {
            throw new ModelFolderException(
                    configFile, "max_position_embeddings must be a number of tokens, not " + value);
        }
        return value.intValue();
    }

    /// The template of its own file wins, as in transformers; of several by name, `default` is taken.
    private static @Nullable String chatTemplate(Path folder) throws IOException {
        Path own = folder.resolve("chat_template.jinja");
        if (Files.exists(own)) {
            return readText(own);
        }
        Path file = folder.resolve("tokenizer_config.json");
        JsonNode template = readJson(file).path("chat_template");
        if (template.isTextual()) {
            return template.textValue();
        }
        if (template.isMissingNode() || template.isNull()) {
            return null;
        }
        for (JsonNode named : template) {
            if (named.path("name").asText().equals("default")
                    && named.path("template").isTextual()) {
                return named.path("template").textValue();
            }
        }
        throw new ModelFolderException(
                file, "chat_template is neither a text nor a list with one named \"default\"");
    }

    /// A text, or an object with the text as `content`; an explicit null means that there is none.
    private static String specialToken(Path folder, String key) throws IOException {
        for (String fileName : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            Path file = folder.resolve(fileName);
            JsonNode value = readJson(file).path(key);
            JsonNode text = value.isObject() ? value.path("content") : value;
            if (text.isTextual()) {
                return text.textValue();
            }
            if (value.isNull()) {
                return "";
            }
            if (!value.isMissingNode()) {
                throw new ModelFolderException(file, key + " must be a text, not " + value);
            }
        }
        return "";
    }

    private static List<Integer> eosTokenIds(Path folder, JsonNode config, JsonNode generation)
            throws IOException {
        boolean ofGeneration = generation.hasNonNull("eos_token_id");
        Path file = folder.resolve(ofGeneration ? "generation_config.json" : "config.json");
        JsonNode value = (ofGeneration ? generation : config).path("eos_token_id");
        List<Integer> ids = new ArrayList<>();
        if (value.isMissingNode() || value.isNull()) {
            return List.of();
        }
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            if (!id.isInt() || id.intValue() < 0) {
                throw new ModelFolderException(
                        file, "eos_token_id must be a token id or a list of them, not " + value);
            }
            ids.add(id.intValue());
        }
        return List.copyOf(ids);
    }

    private static Map<String, Double> samplingDefaults(Path folder, JsonNode generation)
            throws IOException {
        Map<String, Double> defaults = new LinkedHashMap<>();
        for (String key : SAMPLING_DEFAULTS) {
            JsonNode value = generation.path(key);
            if (value.isNumber()) {
                defaults.put(key, value.doubleValue());
            } else if (!value.isMissingNode() && !value.isNull()) {
                throw new ModelFolderException(
                        folder.resolve("generation_config.json"),
                        key + " must be a number, not " + value);
            }
        }
        return Map.copyOf(defaults);
    }

    /// An absent file reads as an empty object.
    private static JsonNode readJson(Path file) throws IOException {
        if (!Files.exists(file)) {
            return JsonNodeFactory.instance.objectNode();
        }
        try {
            JsonNode root = JSON.readTree(readText(file));
            if (root.isObject()) {
                return root;
            }
            throw new ModelFolderException(file, "not a JSON object");
        } catch (JsonProcessingException e) {
            throw new ModelFolderException(file, "broken JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static String readText(Path file) throws IOException {
        try {
            long bytes = Files.size(file);
            if (bytes > FILE_BYTES_MAX) {
                throw new ModelFolderException(file, bytes + " bytes, more than " + FILE_BYTES_MAX);
            }
            return Files.readString(file);
        } catch (ModelFolderException e) {
            throw e;
        } catch (IOException e) {
            throw new ModelFolderException(file, "can't be read: " + e, e);
        }
    }
}
