package dev.tandem.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.HexFormat;
import java.util.stream.IntStream;

/// Vectors computed with vLLM's own construction (cbor2, canonical), seed "0", 16 tokens a block.
class BlockHashTest {
    private static final int[] TOKENS = IntStream.range(0, 32).toArray();

    private final BlockHash hash = new BlockHash();
    private final byte[] root = BlockHash.root("0");

    @Test
    void agreesWithTheKnownVectors() {
        assertHex(root, "4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e");
        byte[] first = hash.next(root, TOKENS, 0, 16, "");
        assertHex(first, "d830de3d42c00f25a2949b5d12d98642664a44872c1614c5b0147556276afc9c");
        byte[] second = hash.next(first, TOKENS, 16, 16, "");
        assertHex(second, "fedd9e4abebebbe6f6cf96b682f08d316063fe2f22a5c552192dd62904fcccac");
        byte[] salted = hash.next(root, TOKENS, 0, 16, "salt-1");
        assertHex(salted, "70c13c8c5838cab85b873069e229a985dd2605396da7f60af093f80102fb90b4");
    }

    @Test
    void chainInPlaceEqualsNext() {
        byte[] chained = root.clone();
        hash.chain(chained, TOKENS, 0, 16, "");
        hash.chain(chained, TOKENS, 16, 16, "");
        assertHex(chained, "fedd9e4abebebbe6f6cf96b682f08d316063fe2f22a5c552192dd62904fcccac");
        assertThat(BlockHash.prefix64(chained)).isEqualTo(0xfedd9e4abebebbe6L);
    }

    /// Canonical CBOR of [32 zero bytes, [23, 24, 255, 256, 65535, 65536, 2^31 - 1], null], written out by hand.
    @Test
    void integersTakeTheirShortestForm() throws Exception {
        String cbor =
                "83"
                        + "5820"
                        + "00".repeat(32)
                        + "87"
                        + "17"
                        + "1818"
                        + "18ff"
                        + "190100"
                        + "19ffff"
                        + "1a00010000"
                        + "1a7fffffff"
                        + "f6";
        byte[] expected =
                java.security.MessageDigest.getInstance("SHA-256")
                        .digest(HexFormat.of().parseHex(cbor));
        int[] tokens = {23, 24, 255, 256, 65535, 65536, Integer.MAX_VALUE};
        assertThat(hash.next(new byte[32], tokens, 0, tokens.length, "")).isEqualTo(expected);
    }

    @Test
    void longBlocksAndSaltsFit() {
        int[] tokens = IntStream.range(1 << 20, (1 << 20) + 300).toArray();
        String salt = "s".repeat(5000);
        byte[] salted = hash.next(root, tokens, 0, tokens.length, salt);
        assertThat(salted).isNotEqualTo(hash.next(root, tokens, 0, tokens.length, ""));
        assertThat(salted).isEqualTo(new BlockHash().next(root, tokens, 0, tokens.length, salt));
    }

    @Test
    void refusesNegativeTokensAndBadRanges() {
        assertThatThrownBy(() -> hash.next(root, new int[] {1, -1}, 0, 2, ""))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> hash.next(root, new int[4], 2, 3, ""))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static void assertHex(byte[] hash, String hex) {
        assertThat(HexFormat.of().formatHex(hash)).isEqualTo(hex);
    }
}
