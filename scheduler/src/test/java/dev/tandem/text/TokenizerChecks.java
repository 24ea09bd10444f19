package dev.tandem.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Random;

/// What must hold for every tokenizer, over seeded random texts and ids.
final class TokenizerChecks {
    /// Ranges that random texts are drawn from: assigned since long ago, so that all Unicode tables agree on them.
    private static final int[][] RANGES = {
        {'a', 'z'},
        {'A', 'Z'},
        {'0', '9'},
        {' ', ' '},
        {' ', '/'},
        {'\n', '\n'},
        {0, 0x1F},
        {0xA0, 0xFF},
        {0x300, 0x310},
        {0x391, 0x3A1},
        {0x430, 0x44F},
        {0x5D0, 0x5EA},
        {0x905, 0x939},
        {0x3042, 0x3093},
        {0x4E00, 0x9FA5},
        {0xAC00, 0xD7A3},
        {0x2010, 0x2027},
        {0x1F600, 0x1F640},
        {0x1D400, 0x1D454},
        {0x200B, 0x200D}
    };

    private TokenizerChecks() {}

    static long seed() {
        String given = System.getProperty("tandem.seed", "");
        return given.isEmpty() ? 20_250_710L : Long.parseLong(given);
    }

    static String repeat(Path folder) {
        return folder + ", repeat with -Dtandem.seed=" + seed();
    }

    /// Decoding equals the Rust library's, the pieces of a stream equal the whole, and no piece ends within a character.
    static void decodesRandomIds(HuggingFaceTokenizer tokenizer, Path folder, int rounds) {
        var random = new Random(seed());
        for (int round = 0; round < rounds; round++) {
            int[] tokens =
                    random.ints(1 + random.nextInt(60), 0, tokenizer.vocabulary() + 2).toArray();
            boolean skip = random.nextBoolean();
            String whole = tokenizer.decode(tokens, skip);
            assertThat(whole).as(repeat(folder)).isEqualTo(expectedDecode(tokenizer, tokens, skip));
            assertThat(streamed(tokenizer.detokenizer(skip), tokens))
                    .as(repeat(folder))
                    .isEqualTo(whole);
        }
    }

    static void roundTripsRandomTexts(
            HuggingFaceTokenizer tokenizer, Path folder, boolean composed, int rounds) {
        var random = new Random(seed());
        for (int round = 0; round < rounds; round++) {
            String text = randomText(random);
            text = composed ? Normalizer.normalize(text, Normalizer.Form.NFC) : text;
            int[] tokens = tokenizer.encode(text, false);
            assertThat(tokenizer.decode(tokens, false)).as(repeat(folder)).isEqualTo(text);
            assertThat(streamed(tokenizer.detokenizer(true), tokens))
                    .as(repeat(folder))
                    .isEqualTo(text);
            String joined = new String(bytesOf(tokenizer, tokens), StandardCharsets.UTF_8);
            assertThat(joined).as(repeat(folder)).isIn(text, " " + text);
        }
    }

    static String streamed(Detokenizer detokenizer, int[] tokens) {
        var text = new StringBuilder();
        for (int token : tokens) {
            String piece = detokenizer.push(token);
            assertThat(
                            piece.isEmpty()
                                    || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
                    .isTrue();
            text.append(piece);
        }
        return text.append(detokenizer.finish()).toString();
    }

    static byte[] bytesOf(Tokenizer tokenizer, int... tokens) {
        var bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            bytes.writeBytes(tokenizer.bytes(token));
        }
        return bytes.toByteArray();
    }

    static String randomText(Random random) {
        var text = new StringBuilder();
        int characters = 1 + random.nextInt(80);
        int[] range = RANGES[0];
        for (int i = 0; i < characters; i++) {
            if (random.nextInt(3) == 0) {
                range = RANGES[random.nextInt(RANGES.length)];
            }
            text.appendCodePoint(random.nextInt(range[0], range[1] + 1));
        }
        return text.toString();
    }

    /// The library's decoding; where it replaced something in a SentencePiece text, SentencePiece's own rule, by trial.
    private static String expectedDecode(
            HuggingFaceTokenizer tokenizer, int[] tokens, boolean skip) {
        String library = tokenizer.nativeDecode(tokens, skip);
        boolean sentencePiece = tokenizer.replacesEachByte();
        if (!sentencePiece || library.indexOf('\uFFFD') < 0) {
            return library;
        }
        var bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            if (!skip || !tokenizer.isSpecial(token)) {
                bytes.writeBytes(tokenizer.bytes(token));
            }
        }
        String text = decodeByTrial(bytes.toByteArray());
        return text.startsWith(" ") ? text.substring(1) : text;
    }

    static String decodeByTrial(byte[] bytes) {
        var text = new StringBuilder();
        int at = 0;
        while (at < bytes.length) {
            String character = "\uFFFD";
            int used = 1;
            for (int length = 1; length <= Math.min(4, bytes.length - at); length++) {
                try {
                    character =
                            StandardCharsets.UTF_8
                                    .newDecoder()
                                    .decode(ByteBuffer.wrap(bytes, at, length))
                                    .toString();
                    used = length;
                    break;
                } catch (CharacterCodingException e) {
                    continue; // not a whole character: try one byte more
                }
            }
            text.append(character);
            at += used;
        }
        return text.toString();
    }
}
