package dev.tandem.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Tokenizers of real models, from the data folder: llama.cpp's golden ids, and the rules that hold for all.
class PublishedTokenizersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

    @ParameterizedTest
    @CsvSource({
        "tokenizers/llama3_2,      llama-bpe",
        "tokenizers/qwen2_5,       qwen2",
        "tokenizers/gpt2,          gpt-2",
        "models/stories15M/hf,     llama-spm",
        "tokenizers/mistral_nemo,  none",
        "tokenizers/deepseek_v3,   none",
        "models/minimind2-small,   none"
    })
    void goldenIdsAndRules(String folderName, String golden) throws IOException {
        Path folder = dataFolder(folderName);
        try (var tokenizer = HuggingFaceTokenizer.read(folder)) {
            if (!golden.equals("none")) {
                assertGolden(tokenizer, golden);
            }
            TokenizerChecks.decodesRandomIds(tokenizer, folder, 200);
            TokenizerChecks.roundTripsRandomTexts(
                    tokenizer, folder, folderName.contains("qwen"), 100);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama-gqa-tied-bf16",
                "llama-mha-untied-f32",
                "llama-sharded-multi-eos-f16",
                "llama3-rope-tied-multi-eos-bf16",
                "mistral-sliding32-f16",
                "qwen2-bias-sharded-f32",
                "qwen3-qknorm-bf16"
            })
    void referenceModels(String name) throws IOException {
        Path folder = dataFolder("models/reference/" + name);
        JsonNode expected = JSON.readTree(folder.resolve("expected.json").toFile());
        ModelFolder model = ModelFolders.read(folder);
        try (var tokenizer = HuggingFaceTokenizer.read(folder)) {
            JsonNode chat = expected.path("chat");
            assertThat(tokenizer.encode(chat.path("rendered").asText(), false))
                    .isEqualTo(ids(chat.path("ids")));
            int texts = 0;
            for (JsonNode prompt : expected.path("prompts")) {
                if (prompt.path("text").isTextual()) {
                    assertThat(tokenizer.encode(prompt.path("text").asText(), true))
                            .isEqualTo(ids(prompt.path("prompt_ids")));
                    texts++;
                }
                assertThat(tokenizer.decode(ids(prompt.path("output_ids")), false))
                        .isEqualTo(prompt.path("output_text").asText());
            }
            assertThat(texts).isPositive();
            assertThat(model.eosTokenIds()).containsExactlyInAnyOrderElementsOf(eos(expected));
            assertThat(model.chatTemplate()).contains("messages");
            TokenizerChecks.decodesRandomIds(tokenizer, folder, 200);
            TokenizerChecks.roundTripsRandomTexts(tokenizer, folder, name.startsWith("qwen"), 100);
        }
    }

    private static void assertGolden(Tokenizer tokenizer, String name) throws IOException {
        Path golden = dataFolder("tokenizers/golden-llamacpp");
        String[] texts =
                Files.readString(golden.resolve("ggml-vocab-" + name + ".gguf.inp"))
                        .split(SEPARATOR, -1);
        String[] lines =
                Files.readString(golden.resolve("ggml-vocab-" + name + ".gguf.out"))
                        .split("\n", -1);
        assertThat(texts).hasSize(47);
        for (int i = 0; i < texts.length; i++) {
            String line = lines[i].strip();
            int[] expected =
                    line.isEmpty()
                            ? new int[0]
                            : List.of(line.split("\\s+")).stream()
                                    .mapToInt(Integer::parseInt)
                                    .toArray();
            assertThat(tokenizer.encode(texts[i], false))
                    .as("%s text %d: %s", name, i, texts[i])
                    .isEqualTo(expected);
        }
    }

    private static List<Integer> eos(JsonNode expected) {
        return Arrays.stream(ids(expected.path("eos_token_ids"))).boxed().toList();
    }

    private static int[] ids(JsonNode list) {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = list.get(i).intValue();
        }
        return ids;
    }

    private static Path dataFolder(String name) {
        Path folder = Path.of(System.getProperty("tandem.data", "")).resolve(name);
        Assumptions.assumeTrue(
                Files.isDirectory(folder), "there is no " + folder + "; set -Dtandem.data");
        return folder;
    }
}
