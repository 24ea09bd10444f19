package dev.tandem.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

class HuggingFaceTokenizerTest {
    private static final int[] NO_TOKENS = {};

    @ParameterizedTest
    @ValueSource(strings = {"tandem-tiny", "llama3-rope", "qwen3", "sentencepiece"})
    void everyTokenizerKeepsTheRules(String name) throws Exception {
        Path folder = folder(name);
        try (var tokenizer = HuggingFaceTokenizer.read(folder)) {
            TokenizerChecks.decodesRandomIds(tokenizer, folder, 400);
            TokenizerChecks.roundTripsRandomTexts(tokenizer, folder, name.startsWith("qwen"), 200);
            assertThat(tokenizer.encode("", false)).isEmpty();
            assertThat(tokenizer.decode(NO_TOKENS, true)).isEmpty();
        }
    }

    @Test
    void aChatIsEncodedWithItsSpecialTokens() throws Exception {
        try (var tokenizer = read("tandem-tiny")) {
            int[] tokens =
                    tokenizer.encode(
                            "<|im_start|>user\nAdd 7 and 8.<|im_end|>\n<|im_start|>assistant\n",
                            false);
            assertThat(tokens)
                    .containsExactly(
                            1, 292, 202, 36, 1004, 224, 26, 419, 224, 27, 17, 2, 202, 1, 290, 202);
            assertThat(tokenizer.vocabulary()).isEqualTo(1024);
            assertThat(tokenizer.decode(tokens, true)).isEqualTo("user\nAdd 7 and 8.\nassistant\n");
            assertThat(tokenizer.decode(tokens, false)).startsWith("<|im_start|>user\n");
        }
    }

    @Test
    void thePostProcessorAddsItsTokensWhenAsked() throws Exception {
        try (var tokenizer = read("llama3-rope")) {
            int[] plain = tokenizer.encode("Hello", false);
            int[] withBos = tokenizer.encode("Hello", true);
            assertThat(withBos).hasSize(plain.length + 1).startsWith(762).endsWith(plain);
        }
    }

    @Test
    void aTokenStandsForItsBytes() throws Exception {
        try (var bytes = read("tandem-tiny");
                var pieces = read("sentencepiece")) {
            int[] smile = bytes.encode("🙂", false);
            assertThat(smile).hasSizeGreaterThan(1);
            assertThat(TokenizerChecks.bytesOf(bytes, smile))
                    .isEqualTo("🙂".getBytes(StandardCharsets.UTF_8));
            assertThat(bytes.bytes(1)).isEqualTo("<|im_start|>".getBytes(StandardCharsets.UTF_8));
            assertThat(bytes.bytes(-1)).isEmpty();
            assertThat(bytes.bytes(1024)).isEmpty();
            assertThat(pieces.bytes(3 + 0xE6)).isEqualTo(new byte[] {(byte) 0xE6});
            assertThat(pieces.bytes(pieces.encode("hello", false)[0]))
                    .isEqualTo(" hello".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void anIncompleteCharacterIsHeldBackAndReplacedAtTheEnd() throws Exception {
        try (var tokenizer = read("sentencepiece")) {
            Detokenizer text = tokenizer.detokenizer(true);
            assertThat(text.push(3 + 0xE6)).isEmpty();
            assertThat(text.push(3 + 0x97)).isEmpty();
            assertThat(text.push(3 + 0xA5)).isEqualTo("日");
            assertThat(text.push(3 + 0xE6)).isEmpty();
            assertThat(text.push(2)).as("a special token is left out").isEmpty();
            assertThat(text.push(3 + 0x97)).isEmpty();
            assertThat(text.finish()).isEqualTo("\uFFFD\uFFFD");
        }
    }

    @Test
    void theLeadingSpaceIsDroppedAtTheStartOfATextAndKeptInAContinuation() throws Exception {
        try (var tokenizer = read("sentencepiece")) {
            int[] tokens = tokenizer.encode("hello world", false);
            assertThat(tokens).hasSize(2);
            assertThat(TokenizerChecks.streamed(tokenizer.detokenizer(true), tokens))
                    .isEqualTo("hello world");
            assertThat(TokenizerChecks.streamed(tokenizer.continuation(true), tokens))
                    .isEqualTo(" hello world");
        }
    }

    @ParameterizedTest
    @CsvSource({"a\uD800b, a\uFFFDb", "\uDC00🙂\uD83D, \uFFFD🙂\uFFFD", "🙂, 🙂"})
    void halfASurrogatePairIsReplacedAndHarmsNoNeighbour(String text, String expected)
            throws Exception {
        try (var tokenizer = read("tandem-tiny")) {
            assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(expected);
        }
    }

    @Test
    void manyThreadsGetTheSameTokens() throws Exception {
        try (var tokenizer = read("tandem-tiny");
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            String text = "The quick brown fox, 日本語, 🙂 and 12345.\n".repeat(50);
            int[] expected = tokenizer.encode(text, false);
            List<Future<int[]>> encoded = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                encoded.add(threads.submit(() -> tokenizer.encode(text, false)));
            }
            for (Future<int[]> tokens : encoded) {
                assertThat(tokens.get()).isEqualTo(expected);
            }
        }
    }

    @Test
    void aClosedTokenizerSaysSo() throws Exception {
        var tokenizer = read("tandem-tiny");
        tokenizer.close();
        tokenizer.close();
        assertThatThrownBy(() -> tokenizer.encode("x", false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{                                                                                |"
                        + " not a usable tokenizer",
                "[]                                                                               |"
                        + " not a JSON object",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]},\"decoder\":{\"type\":\"ByteLevel\"}}"
                    + "      | model.vocab",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]},\"decoder\":{\"type\":\"ByteLevel\"}}"
                    + " | token id -1",
                "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"decoder\":{\"type\":\"WordPiece\"}}"
                    + "  | WordPiece",
                "{\"model\":{\"type\":\"None\",\"vocab\":{\"a\":0}},\"decoder\":{\"type\":\"ByteLevel\"}}"
                    + "           | not a usable tokenizer"
            })
    void aBrokenFileIsNamed(String json, String problem, @TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), json);
        assertThatThrownBy(() -> HuggingFaceTokenizer.read(folder))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("tokenizer.json")
                .hasMessageContaining(problem);
    }

    @Test
    void aMissingFileIsNamed(@TempDir Path folder) {
        assertThatThrownBy(() -> HuggingFaceTokenizer.read(folder))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("tokenizer.json: no such file");
    }

    private static HuggingFaceTokenizer read(String name) throws IOException, URISyntaxException {
        return HuggingFaceTokenizer.read(folder(name));
    }

    private static Path folder(String name) throws URISyntaxException {
        URL classes =
                HuggingFaceTokenizerTest.class.getProtectionDomain().getCodeSource().getLocation();
        return Path.of(classes.toURI()).resolve("tokenizers").resolve(name);
    }
}
