package dev.tandem.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.device.Backends;
import dev.tandem.device.TestFolders;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// What is wrong with a folder surfaces as one error that names the file and the tensor.
class CheckpointTest {
    private static final String SINGLE = "llama-mha-untied-f32";
    private static final String SHARDED = "qwen2-bias-sharded-f32";

    @TempDir Path temporary;
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        folder = temporary.resolve("model");
    }

    @Test
    void readsAllThreeTypesAndBothLayouts() throws Exception {
        for (String name : new String[] {SINGLE, SHARDED, "llama-sharded-multi-eos-f16"}) {
            try (var checkpoint = Checkpoint.open(source(name))) {
                ModelConfig config = checkpoint.config();
                Tensor embedding =
                        checkpoint.tensor(
                                "model.embed_tokens.weight", config.vocabulary(), config.hidden());
                float[] row = new float[config.hidden() + 1];
                embedding.readRow(config.vocabulary() - 1, row, 1);
                assertThat(row[0]).isZero();
                assertThat(row[1]).isNotZero();
            }
        }
    }

    @Test
    void fingerprintFollowsConfigurationAndHeaders() throws Exception {
        use(SHARDED);
        String first = fingerprint();
        assertThat(fingerprint()).isEqualTo(first);
        replace("config.json", "\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": 1e-05");
        assertThat(fingerprint()).isNotEqualTo(first);
        assertThat(first).isNotEqualTo(Checkpoint.open(source(SINGLE)).fingerprint());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"LlamaForCausalLM\" | \"GhostForCausalLM\" | architecture \"GhostForCausalLM\" is"
                        + " not known",
                "\"hidden_size\": 64 | \"hidden_size\": 0 | hidden_size is 0",
                "\"hidden_size\": 64 | \"hidden_size\": \"64\" | hidden_size is \"64\", not a whole"
                        + " number",
                "\"hidden_size\": 64, | '' | hidden_size is missing",
                "\"hidden_size\": 64 | \"hidden_size\": 66 | not a multiple of num_attention_heads",
                "\"num_key_value_heads\": 4 | \"num_key_value_heads\": 3 | not a multiple of"
                        + " num_key_value_heads 3",
                "\"hidden_act\": \"silu\" | \"hidden_act\": \"gelu\" | hidden_act",
                "\"rope_scaling\": null | \"rope_scaling\": {\"rope_type\": \"longrope\"} |"
                        + " rope_type \"longrope\"",
                "\"rope_scaling\": null | \"rope_scaling\": {\"type\": \"linear\"} | factor is"
                        + " missing",
                "\"rope_theta\": 10000.0 | \"rope_theta\": -1 | rope_theta is -1",
                "\"vocab_size\": 512 | \"vocab_size\": 511 | tensor model.embed_tokens.weight has"
                        + " shape [512, 64], expected [511, 64]",
                "\"intermediate_size\": 176 | \"intermediate_size\": 177 | tensor"
                        + " model.layers.0.mlp.gate_proj.weight has shape",
                "\"num_hidden_layers\": 4 | \"num_hidden_layers\": 5 | tensor model.layers.4",
                "\"attention_bias\": false | \"attention_bias\": true | tensor"
                        + " model.layers.0.self_attn.q_proj.bias is missing",
                "\"attention_bias\": false | \"attention_bias\": 1 | attention_bias is 1, not true"
                        + " or false",
                "\"use_cache\": true | \"partial_rotary_factor\": 0.5 | partial_rotary_factor",
                "\"use_cache\": true | \"use_cache\": tru | is not a JSON object",
                "\"use_cache\": true | \"hidden_size\": 64 | is not a JSON object"
            })
    void badConfigurations(String good, String bad, String problem) throws IOException {
        use(SINGLE);
        replace("config.json", good, bad);
        refused(problem);
    }

    @Test
    void missingFiles() throws IOException {
        refused("is not a folder with a model");
        Files.createDirectories(folder);
        refused("config.json: does not exist");
        use(SINGLE);
        Files.delete(folder.resolve("model.safetensors"));
        refused("has neither model.safetensors nor model.safetensors.index.json");
    }

    @Test
    void truncatedFiles() throws IOException {
        use(SINGLE);
        Path file = folder.resolve("model.safetensors");
        long bytes = Files.size(file);
        for (long length : new long[] {bytes - 1, bytes / 2, 100, 8, 3, 0}) {
            try (var open = new RandomAccessFile(file.toFile(), "rw")) {
                open.setLength(length);
            }
            refused("model.safetensors: ");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"u\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[8,24]}}"
                    + " | tensor u overlaps",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"u\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[20,36]}}"
                    + " | tensor u lies at bytes 20..36",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,32]}} | tensor t"
                        + " starts at byte 16",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}} | has 32 bytes"
                        + " of data",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,32]}} | tensor t of"
                        + " shape [9]",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[32,0]}} | tensor t ends"
                        + " at byte 0",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[-8],\"data_offsets\":[0,32]}} | tensor t has"
                        + " a bad shape",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,32]}}"
                    + " | tensor t has an absurd shape",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[-4,28]}} | tensor t"
                        + " needs",
                "{\"t\":{\"shape\":[8],\"data_offsets\":[0,32]}} | tensor t needs dtype",
                "{\"t\":5} | tensor t needs dtype",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]},\"t\":{}} |"
                        + " header is not a JSON object",
                "[1,2] | header is not a JSON object",
                "{\"t\" | header is not a JSON object",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]}} | tensor"
                        + " model.embed_tokens.weight is missing"
            })
    void badHeaders(String header, String problem) throws IOException {
        use(SINGLE);
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        write(json.length, json);
        refused("model.safetensors: ", problem);
    }

    @Test
    void absurdHeaderLengths() throws IOException {
        use(SINGLE);
        for (long length : new long[] {-1, 0, 1, 100_000_001, Long.MAX_VALUE, 99_000_000}) {
            write(length, new byte[20]);
            refused("model.safetensors: ", "header");
        }
    }

    @Test
    void typesThatCannotBeRead() throws IOException {
        use(SINGLE);
        byte[] file = Files.readAllBytes(folder.resolve("model.safetensors"));
        String text = new String(file, StandardCharsets.ISO_8859_1);
        Files.write(
                folder.resolve("model.safetensors"),
                text.replace("\"F32\"", "\"I32\"").getBytes(StandardCharsets.ISO_8859_1));
        refused("tensor model.embed_tokens.weight has type I32");
    }

    @Test
    void badShardIndexes() throws IOException {
        String index = "model.safetensors.index.json";
        use(SHARDED);
        replace(
                index,
                "\"lm_head.weight\": \"model-00001-of-00003.safetensors\"",
                "\"lm_head.weight\": \"model-00009-of-00003.safetensors\"");
        refused(
                index,
                "tensor lm_head.weight is in model-00009-of-00003.safetensors, which does not"
                        + " exist");
        use(SHARDED);
        replace(
                index,
                "\"lm_head.weight\": \"model-00001-of-00003.safetensors\"",
                "\"lm_head.weight\": \"model-00003-of-00003.safetensors\"");
        refused("model-00003-of-00003.safetensors: tensor lm_head.weight is missing, although");
        use(SHARDED);
        replace(
                index,
                "\"lm_head.weight\": \"model-00001-of-00003.safetensors\"",
                "\"lm_head.weight\": \"../secret.safetensors\"");
        refused("is not a file name");
        use(SHARDED);
        replace(index, "\"lm_head.weight\":", "\"lm_head.other\":");
        refused("tensor lm_head.other is missing");
        use(SHARDED);
        replace(index, "\"weight_map\"", "\"weights\"");
        refused("has no weight_map");
        use(SHARDED);
        Files.delete(folder.resolve("model-00002-of-00003.safetensors"));
        refused("model-00002-of-00003.safetensors, which does not exist");
    }

    private static Path source(String name) {
        return TestFolders.resource("models/reference/" + name);
    }

    private void use(String name) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> files = Files.list(source(name))) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(folder.resolve(file.getFileName()));
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    private void replace(String file, String good, String bad) throws IOException {
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(good);
        Files.writeString(folder.resolve(file), text.replace(good, bad));
    }

    /// A file with that header length, those header bytes and 32 bytes of data.
    private void write(long headerLength, byte[] header) throws IOException {
        ByteBuffer file =
                ByteBuffer.allocate(Long.BYTES + header.length + 32)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(headerLength)
                        .put(header);
        Files.write(folder.resolve("model.safetensors"), file.array());
    }

    private String fingerprint() throws IOException {
        try (var checkpoint = Checkpoint.open(folder)) {
            return checkpoint.fingerprint();
        }
    }

    private void refused(String... parts) {
        assertThatThrownBy(() -> Backends.open(folder, "cpu", 1, 16).close())
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(parts)
                .hasMessageStartingWith(folder.toString());
    }
}
