package dev.tandem.text;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.BitSet;

/// The bytes of every token, in one array: a vocabulary of 128 000 would otherwise be as many objects. Immutable.
final class TokenTable {
    private final byte[] bytes;
    private final int[] offsets; // [vocabulary + 1]: token t is bytes[offsets[t] .. offsets[t + 1])
    private final BitSet special;

    /// @param pieces by id, null where the vocabulary has a hole; added tokens as well
    /// @param special ids that `skipSpecialTokens` leaves out
    TokenTable(@Nullable String[] pieces, BitSet special, TextDecoding decoding) {
        var all = new ByteArrayOutputStream(pieces.length * 8);
        offsets = new int[pieces.length + 1];
        for (int token = 0; token < pieces.length; token++) {
            String piece = pieces[token];
            if (piece != null) {
                all.writeBytes(decoding.bytes(piece));
            }
            offsets[token + 1] = all.size();
        }
        this.bytes = all.toByteArray();
        this.special = (BitSet) special.clone();
    }

    int vocabulary() {
        return offsets.length - 1;
    }

    boolean isSpecial(int token) {
        return token >= 0 && special.get(token);
    }

    /// Empty for ids outside the vocabulary.
    byte[] bytes(int token) {
        return contains(token)
                ? Arrays.copyOfRange(bytes, offsets[token], offsets[token + 1])
                : new byte[0];
    }

    /// Pushes the token's bytes without copying them.
    void pushTo(Utf8Assembler characters, int token, StringBuilder out) {
        if (contains(token)) {
            for (int i = offsets[token]; i < offsets[token + 1]; i++) {
                characters.push(bytes[i], out);
            }
        }
    }

    private boolean contains(int token) {
        return token >= 0 && token < vocabulary();
    }
}
