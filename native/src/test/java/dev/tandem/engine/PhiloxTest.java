package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {
    /// Known answers of the authors' library, Random123 (`kat_vectors`, philox4x32 with 10 rounds).
    @ParameterizedTest
    @CsvSource({
        "00000000 00000000 00000000 00000000, 00000000 00000000, 6627e8d5 e169c58d bc57ac4c"
                + " 9b00dbd8",
        "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6"
                + " 6d5451fd",
        "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0, d16cfe09 94fdcceb 5001e420"
                + " 24126ea1",
    })
    void givesTheKnownAnswers(String counter, String key, String expected) {
        int[] c = words(counter);
        int[] k = words(key);
        var philox = new Philox();

        philox.generate(c[0], c[1], c[2], c[3], k[0], k[1]);

        int[] actual = {philox.word(0), philox.word(1), philox.word(2), philox.word(3)};
        assertThat(actual).isEqualTo(words(expected));
    }

    @Test
    void uniformUsesTheFirstTwoWordsOfTheBlock() {
        double expected = (0x6627e8d5e169c58dL >>> 11) * 0x1.0p-53;

        assertThat(new Philox().uniform(0, 0)).isEqualTo(expected);
    }

    @Test
    void bothHalvesOfSeedAndPositionCount() {
        var philox = new Philox();

        assertThat(
                        new double[] {
                            philox.uniform(1, 0),
                            philox.uniform(1L << 32, 0),
                            philox.uniform(0, 1),
                            philox.uniform(0, 1L << 32),
                            philox.uniform(0, 0)
                        })
                .doesNotHaveDuplicates();
    }

    @Test
    void isUniformOverPositions() {
        var philox = new Philox();
        int[] bins = new int[16];
        int draws = 160_000;

        for (int position = 0; position < draws; position++) {
            bins[(int) (philox.uniform(42, position) * bins.length)]++;
        }

        double chiSquare = 0;
        for (int bin : bins) {
            chiSquare += Math.pow(bin - draws / 16.0, 2) / (draws / 16.0);
        }
        assertThat(chiSquare)
                .isLessThan(37.7); // 15 degrees of freedom, p = 0.001; the seed is fixed
    }

    private static int[] words(String hexadecimal) {
        String[] parts = hexadecimal.trim().split(" ", -1);
        int[] words = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            words[i] = Integer.parseUnsignedInt(parts[i], 16);
        }
        return words;
    }
}
