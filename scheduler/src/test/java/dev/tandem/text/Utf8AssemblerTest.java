package dev.tandem.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Random;

class Utf8AssemblerTest {
    /// Rows two to five are the examples of the Unicode Standard 15, tables 3-8 to 3-11.
    @ParameterizedTest
    @CsvSource({
        "41 C3 A9 F0 9F 99 82, 41 E9 1F642, 41 E9 1F642",
        "C0 AF E0 80 BF F0 81 82 41, FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD 41, FFFD FFFD FFFD"
                + " FFFD FFFD FFFD FFFD FFFD 41",
        "ED A0 80 ED BF BF ED AF 41, FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD 41, FFFD FFFD FFFD"
                + " FFFD FFFD FFFD FFFD FFFD 41",
        "F4 91 92 93 FF 41 80 BF 42, FFFD FFFD FFFD FFFD FFFD 41 FFFD FFFD 42, FFFD FFFD FFFD FFFD"
                + " FFFD 41 FFFD FFFD 42",
        "E1 80 E2 F0 91 92 F1 BF 41, FFFD FFFD FFFD FFFD 41, FFFD FFFD FFFD FFFD FFFD FFFD FFFD"
                + " FFFD 41",
        "E6 97, FFFD, FFFD FFFD",
        "F0 9F 99 C3 A9, FFFD E9, FFFD FFFD FFFD E9"
    })
    void replacesIllFormedInput(String bytes, String bySubpart, String byByte) {
        byte[] input = HexFormat.ofDelimiter(" ").parseHex(bytes);
        assertThat(hex(decode(input, false))).isEqualTo(bySubpart);
        assertThat(hex(decode(input, true))).isEqualTo(byByte);
    }

    @Test
    void decodesEveryCharacter() {
        var all = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                all.appendCodePoint(c);
            }
        }
        byte[] input = all.toString().getBytes(StandardCharsets.UTF_8);
        assertThat(decode(input, false).contentEquals(all)).isTrue();
    }

    @Test
    void replacesRandomBytesAsATrialOfAllLengthsDoes() {
        var random = new Random(TokenizerChecks.seed());
        int[] interesting = {
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF4
        };
        for (int round = 0; round < 2_000; round++) {
            byte[] input = new byte[random.nextInt(12)];
            for (int i = 0; i < input.length; i++) {
                input[i] = (byte) interesting[random.nextInt(interesting.length)];
            }
            assertThat(decode(input, true))
                    .as("repeat with -Dtandem.seed=%d", TokenizerChecks.seed())
                    .isEqualTo(TokenizerChecks.decodeByTrial(input));
        }
    }

    private static String decode(byte[] input, boolean replaceEachByte) {
        var characters = new Utf8Assembler(replaceEachByte);
        var text = new StringBuilder();
        for (byte b : input) {
            characters.push(b, text);
        }
        characters.finish(text);
        return text.toString();
    }

    private static String hex(String text) {
        var hex = new StringBuilder();
        text.codePoints()
                .forEach(
                        c ->
                                hex.append(hex.isEmpty() ? "" : " ")
                                        .append(Integer.toHexString(c).toUpperCase(Locale.ROOT)));
        return hex.toString();
    }
}
