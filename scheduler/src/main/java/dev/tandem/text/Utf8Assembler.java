package dev.tandem.text;

/// Bytes to characters as they come: UTF-8 with replacement. A character is handed out when its last byte is there.
///
/// Ill-formed input becomes U+FFFD: one for each maximal subpart of a character (the Unicode Standard's recommended
/// practice, section 3.9, which is also Rust's `from_utf8_lossy`), or one for each byte (SentencePiece's rule).
/// The JDK's decoder can't be used: for surrogates (`ED A0 80`) it follows neither.
///
/// Not thread-safe.
final class Utf8Assembler {
    private static final char REPLACEMENT = '\uFFFD';

    private final boolean replaceEachByte;

    // Of the incomplete character: its bits so far, bytes seen and in all, and what its next byte
    // may be.
    private int codePoint;
    private int bytesSeen;
    private int bytesNeeded;
    private int nextMin;
    private int nextMax;

    Utf8Assembler(boolean replaceEachByte) {
        this.replaceEachByte = replaceEachByte;
    }

    /// Adds one byte; `out` gets the characters that became certain by it.
    void push(byte value, StringBuilder out) {
        int b = value & 0xFF;
        if (bytesNeeded == 0) {
            begin(b, out);
        } else if (b >= nextMin && b <= nextMax) {
            codePoint = codePoint << 6 | b & 0x3F;
            nextMin = 0x80;
            nextMax = 0xBF;
            if (++bytesSeen == bytesNeeded) {
                out.appendCodePoint(codePoint);
                bytesNeeded = 0;
            }
        } else {
            finish(out);
            begin(b, out);
        }
    }

    /// Ends the text: an incomplete character is replaced.
    void finish(StringBuilder out) {
        if (bytesNeeded > 0) {
            out.repeat(REPLACEMENT, replaceEachByte ? bytesSeen : 1);
            bytesNeeded = 0;
        }
    }

    /// The first byte of a character says how many follow, and narrows the second one (Unicode Standard, table 3-7).
    private void begin(int b, StringBuilder out) {
        if (b < 0x80) {
            out.append((char) b);
        } else if (b >= 0xC2 && b <= 0xDF) {
            expect(2, b & 0x1F, 0x80, 0xBF);
        } else if (b >= 0xE0 && b <= 0xEF) {
            expect(3, b & 0x0F, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
        } else if (b >= 0xF0 && b <= 0xF4) {
            expect(4, b & 0x07, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
        } else {
            out.append(REPLACEMENT);
        }
    }

    private void expect(int bytes, int bits, int secondMin, int secondMax) {
        bytesNeeded = bytes;
        bytesSeen = 1;
        codePoint = bits;
        nextMin = secondMin;
        nextMax = secondMax;
    }
}
