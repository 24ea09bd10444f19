package dev.tandem.text;

import com.fasterxml.jackson.databind.JsonNode;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How a tokenizer's pieces become text: what the `decoder` of its `tokenizer.json` says.
sealed interface TextDecoding {
    /// @param piece a token as the vocabulary spells it
    /// @return the bytes that it stands for
    byte[] bytes(String piece);

    /// Whether each byte of an ill-formed character becomes a U+FFFD of its own.
    boolean replaceEachByte();

    /// Spaces dropped from the start of a whole text, at most.
    int leadingSpacesDropped();

    /// Reads the `decoder` entry.
    ///
    /// @throws IllegalArgumentException a kind that is not supported; the message names it
    static TextDecoding of(JsonNode decoder) {
        List<JsonNode> steps = new ArrayList<>();
        if (decoder.path("type").asText().equals("Sequence")) {
            decoder.path("decoders").forEach(steps::add);
        } else {
            steps.add(decoder);
        }
        if (steps.size() == 1 && steps.getFirst().path("type").asText().equals("ByteLevel")) {
            return new ByteLevel();
        }
        return SentencePiece.of(steps);
    }

    /// GPT-2's byte-level BPE: each character of a piece is one byte, by an alphabet of printable characters.
    record ByteLevel() implements TextDecoding {
        private static final int[] BYTE_OF_CHARACTER = alphabet();

        @Override
        public byte[] bytes(String piece) {
            byte[] bytes = new byte[piece.length()];
            for (int i = 0; i < bytes.length; i++) {
                char c = piece.charAt(i);
                int value = c < BYTE_OF_CHARACTER.length ? BYTE_OF_CHARACTER[c] : -1;
                if (value < 0) {
                    return piece.getBytes(
                            StandardCharsets.UTF_8); // an added token, spelled as it is
                }
                bytes[i] = (byte) value;
            }
            return bytes;
        }

        @Override
        public boolean replaceEachByte() {
            return false;
        }

        @Override
        public int leadingSpacesDropped() {
            return 0;
        }

        /// GPT-2's `bytes_to_unicode`: printable Latin-1 stands for itself, the other bytes in order for U+0100 and up.
        private static int[] alphabet() {
            int[] byteOf = new int[0x100 + 0x100];
            Arrays.fill(byteOf, -1);
            int next = 0x100;
            for (int b = 0; b < 0x100; b++) {
                boolean printable = b > 0x20 && b < 0x7F || b > 0xA0 && b != 0xAD;
                byteOf[printable ? b : next++] = b;
            }
            return byteOf;
        }
    }

    /// SentencePiece's BPE: pieces are text in which U+2581 stands for a space, and `<0xNN>` for a byte that no piece has.
    ///
    /// @param replacements what stands for what within a piece
    /// @param byteFallback whether `<0xNN>` is a byte
    record SentencePiece(
            List<Replacement> replacements, boolean byteFallback, int leadingSpacesDropped)
            implements TextDecoding {
        record Replacement(String from, String to) {}

        static SentencePiece of(List<JsonNode> steps) {
            List<Replacement> replacements = new ArrayList<>();
            boolean byteFallback = false;
            boolean fused = false;
            int leadingSpaces = 0;
            for (JsonNode step : steps) {
                String type = step.path("type").asText("none");
                boolean plainText = !byteFallback && !fused;
                if (type.equals("Replace")
                        && step.path("pattern").path("String").isTextual()
                        && plainText) {
                    replacements.add(
                            new Replacement(
                                    step.path("pattern").path("String").asText(),
                                    step.path("content").asText()));
                } else if (type.equals("ByteFallback")) {
                    byteFallback = true;
                } else if (type.equals("Fuse")) {
                    fused = true;
                } else if (type.equals("Strip")
                        && fused
                        && step.path("content").asText().equals(" ")
                        && step.path("stop").asInt() == 0) {
                    leadingSpaces = step.path("start").asInt();
                } else {
                    throw new IllegalArgumentException(
                            "decoder of type " + type + " is not supported here: " + step);
                }
            }
            return new SentencePiece(List.copyOf(replacements), byteFallback, leadingSpaces);
        }

        @Override
        public byte[] bytes(String piece) {
            if (byteFallback
                    && piece.length() == 6
                    && piece.startsWith("<0x")
                    && piece.endsWith(">")) {
                int high = Character.digit(piece.charAt(3), 16);
                int low = Character.digit(piece.charAt(4), 16);
                if (high >= 0 && low >= 0) {
                    return new byte[] {(byte) (high << 4 | low)};
                }
            }
            String text = piece;
            for (Replacement replacement : replacements) {
                text = text.replace(replacement.from(), replacement.to());
            }
            return text.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public boolean replaceEachByte() {
            return true;
        }
    }
}
