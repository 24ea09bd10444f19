package dev.tandem.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/// The tokenizer that a model folder's `tokenizer.json` describes. Safe for all threads.
///
/// Encoding is the Rust library's. Decoding is ours (see the package): equal to the library's but for one case. Where a
/// SentencePiece model generates byte tokens that are not UTF-8, the library replaces every character of that run of
/// bytes; here, as in SentencePiece itself, only the bytes that form no character are replaced, so that a stream need
/// not wait for the run's end.
public final class HuggingFaceTokenizer implements Tokenizer {
    private static final int FILE_BYTES_MAX = 256 << 20;

    private final NativeTokenizer encoder;
    private final TokenTable table;
    private final TextDecoding decoding;

    private HuggingFaceTokenizer(NativeTokenizer encoder, TokenTable table, TextDecoding decoding) {
        this.encoder = encoder;
        this.table = table;
        this.decoding = decoding;
    }

    /// Reads `tokenizer.json` of a model folder. Both halves of it are read at once, on two threads.
    ///
    /// @throws ModelFolderException the file is missing, broken or of a kind that is not supported
    /// @throws IllegalStateException the native library can't be loaded on this machine
    public static HuggingFaceTokenizer read(Path modelFolder) throws IOException {
        Path file = modelFolder.resolve("tokenizer.json");
        byte[] json = readFile(file);
        var encoder =
                CompletableFuture.supplyAsync(
                        () -> new NativeTokenizer(new String(json, StandardCharsets.UTF_8)),
                        Thread::startVirtualThread);
        try {
            TokenizerJson read = TokenizerJson.read(json);
            TextDecoding decoding = read.decoding();
            TokenTable table = read.table();
            return new HuggingFaceTokenizer(encoder.join(), table, decoding);
        } catch (CompletionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof IllegalArgumentException refused) {
                throw new ModelFolderException(
                        file, "not a usable tokenizer: " + refused.getMessage(), refused);
            }
            throw new IllegalStateException(cause == null ? e : cause);
        } catch (IOException | IllegalArgumentException e) {
            encoder.thenAccept(NativeTokenizer::close);
            throw new ModelFolderException(file, "not a usable tokenizer: " + e.getMessage(), e);
        }
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        return encoder.encode(text, addSpecialTokens);
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        Detokenizer detokenizer = detokenizer(skipSpecialTokens);
        var text = new StringBuilder(tokens.length * 4);
        for (int token : tokens) {
            text.append(detokenizer.push(token));
        }
        return text.append(detokenizer.finish()).toString();
    }

    @Override
    public byte[] bytes(int token) {
        return table.bytes(token);
    }

    @Override
    public int vocabulary() {
        return table.vocabulary();
    }

    @Override
    public Detokenizer detokenizer(boolean skipSpecialTokens) {
        return new IncrementalDetokenizer(
                table,
                skipSpecialTokens,
                decoding.replaceEachByte(),
                decoding.leadingSpacesDropped());
    }

    @Override
    public Detokenizer continuation(boolean skipSpecialTokens) {
        return new IncrementalDetokenizer(table, skipSpecialTokens, decoding.replaceEachByte(), 0);
    }

    @Override
    public void close() {
        encoder.close();
    }

    /// The library's own decoding, for tests.
    String nativeDecode(int[] tokens, boolean skipSpecialTokens) {
        return encoder.decode(tokens, skipSpecialTokens);
    }

    boolean replacesEachByte() {
        return decoding.replaceEachByte();
    }

    boolean isSpecial(int token) {
        return table.isSpecial(token);
    }

    private static byte[] readFile(Path file) throws IOException {
        try {
            long bytes = Files.size(file);
            if (bytes > FILE_BYTES_MAX) {
                throw new ModelFolderException(file, bytes + " bytes, more than " + FILE_BYTES_MAX);
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new ModelFolderException(file, "no such file", e);
        }
    }
}
