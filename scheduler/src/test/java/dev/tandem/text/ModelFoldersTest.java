package dev.tandem.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class ModelFoldersTest {
    @TempDir Path folder;

    @BeforeEach
    void aMinimalFolder() throws IOException {
        write("config.json", "{'max_position_embeddings': 256, 'eos_token_id': 2}");
    }

    @Test
    void configAloneIsEnough() throws IOException {
        ModelFolder model = ModelFolders.read(folder);
        assertThat(model.name()).isEqualTo(String.valueOf(folder.getFileName()));
        assertThat(model.contextTokensMax()).isEqualTo(256);
        assertThat(model.eosTokenIds()).containsExactly(2);
        assertThat(model.chatTemplate()).isNull();
        assertThat(model.bosToken()).isEmpty();
        assertThat(model.eosToken()).isEmpty();
        assertThat(model.samplingDefaults()).isEmpty();
    }

    @Test
    void generationConfigGivesEosIdsAndSamplingDefaults() throws IOException {
        write(
                "generation_config.json",
                "{'eos_token_id': [5, 6], 'temperature': 0.7, 'top_k': 20, 'do_sample': true}");
        ModelFolder model = ModelFolders.read(folder);
        assertThat(model.eosTokenIds()).containsExactly(5, 6);
        assertThat(model.samplingDefaults()).isEqualTo(Map.of("temperature", 0.7, "top_k", 20.0));
    }

    @Test
    void specialTokensComeAsTextsOrObjectsAndFromEitherFile() throws IOException {
        write("tokenizer_config.json", "{'bos_token': {'content': '<s>', 'special': true}}");
        write(
                "special_tokens_map.json",
                "{'bos_token': '<other>', 'eos_token': {'content': '</s>'}}");
        ModelFolder model = ModelFolders.read(folder);
        assertThat(model.bosToken()).isEqualTo("<s>");
        assertThat(model.eosToken()).isEqualTo("</s>");
    }

    @Test
    void anExplicitNullMeansThatThereIsNoToken() throws IOException {
        write("tokenizer_config.json", "{'bos_token': null}");
        write("special_tokens_map.json", "{'bos_token': '<s>'}");
        assertThat(ModelFolders.read(folder).bosToken()).isEmpty();
    }

    @Test
    void theTemplateIsTheOneNamedDefaultUnlessItHasAFile() throws IOException {
        write(
                "tokenizer_config.json",
                "{'chat_template': [{'name': 'rag', 'template': 'a'}, {'name': 'default',"
                        + " 'template': 'b'}]}");
        assertThat(ModelFolders.read(folder).chatTemplate()).isEqualTo("b");
        write("chat_template.jinja", "c");
        assertThat(ModelFolders.read(folder).chatTemplate()).isEqualTo("c");
        Files.delete(folder.resolve("chat_template.jinja"));
        write("tokenizer_config.json", "{'chat_template': 'd'}");
        assertThat(ModelFolders.read(folder).chatTemplate()).isEqualTo("d");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "config.json            | {                                  | broken JSON",
                "config.json            | []                                 | not a JSON object",
                "config.json            | {}                                 |"
                        + " max_position_embeddings",
                "config.json            | {'max_position_embeddings': '256'} |"
                        + " max_position_embeddings",
                "generation_config.json | {'eos_token_id': ['x']}            | eos_token_id",
                "generation_config.json | {'temperature': 'hot'}             | temperature",
                "tokenizer_config.json  | {'chat_template': [{'name': 'a'}]} | chat_template",
                "tokenizer_config.json  | {'eos_token': 7}                   | eos_token"
            },
            quoteCharacter = '"')
    void aBrokenFileIsNamed(String file, String content, String problem) throws IOException {
        write(file, content);
        assertThatThrownBy(() -> ModelFolders.read(folder))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(file)
                .hasMessageContaining(problem);
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        Files.delete(folder.resolve("config.json"));
        assertThatThrownBy(() -> ModelFolders.read(folder))
                .hasMessageContaining("config.json: no such file");
        assertThatThrownBy(() -> ModelFolders.read(folder.resolve("nowhere")))
                .hasMessageContaining("no such folder");
    }

    private void write(String file, String content) throws IOException {
        Files.writeString(folder.resolve(file), content.replace('\'', '"'));
    }
}
