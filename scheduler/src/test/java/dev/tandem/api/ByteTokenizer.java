package dev.tandem.api;

import dev.tandem.text.Detokenizer;
import dev.tandem.text.Tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// A token per UTF-8 byte, so that most characters beyond ASCII come in pieces. Two special tokens behind the bytes.
final class ByteTokenizer implements Tokenizer {
    static final int BEGIN = 256;
    static final int END = 257;
    static final int VOCABULARY = 260;

    static int[] bytesOf(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = bytes[i] & 0xff;
        }
        return tokens;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        int[] bytes = bytesOf(text);
        if (!addSpecialTokens) {
            return bytes;
        }
        int[] tokens = new int[bytes.length + 1];
        tokens[0] = BEGIN;
        System.arraycopy(bytes, 0, tokens, 1, bytes.length);
        return tokens;
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        var bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            bytes.writeBytes(token < 256 || !skipSpecialTokens ? bytes(token) : new byte[0]);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] bytes(int token) {
        return switch (token) {
            case BEGIN -> "<s>".getBytes(StandardCharsets.UTF_8);
            case END -> "</s>".getBytes(StandardCharsets.UTF_8);
            default -> token < 256 ? new byte[] {(byte) token} : new byte[0];
        };
    }

    @Override
    public int vocabulary() {
        return VOCABULARY;
    }

    @Override
    public Detokenizer detokenizer(boolean skipSpecialTokens) {
        return new ByteDetokenizer(skipSpecialTokens);
    }

    @Override
    public void close() {}

    private final class ByteDetokenizer implements Detokenizer {
        private final boolean skipSpecialTokens;
        private final CharsetDecoder decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPLACE)
                        .onUnmappableCharacter(CodingErrorAction.REPLACE);
        private final ByteBuffer bytes = ByteBuffer.allocate(64);

        ByteDetokenizer(boolean skipSpecialTokens) {
            this.skipSpecialTokens = skipSpecialTokens;
        }

        @Override
        public String push(int token) {
            if (token < 256 || !skipSpecialTokens) {
                bytes.put(ByteTokenizer.this.bytes(token));
            }
            return decode(false);
        }

        @Override
        public String finish() {
            return decode(true);
        }

        private String decode(boolean end) {
            CharBuffer chars = CharBuffer.allocate(64);
            bytes.flip();
            decoder.decode(bytes, chars, end);
            bytes.compact();
            return chars.flip().toString();
        }
    }
}
