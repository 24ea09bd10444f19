package dev.tandem.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;

import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// One tokenizer of the Rust library `tokenizers`, through DJL's JNI binding.
///
/// The binding's lowest layer is used, not its `HuggingFaceTokenizer`: that one copies offsets, words and masks of every
/// token to Java, which nobody here reads, and reports its use to a server on the net.
///
/// Any thread may encode; the library takes the tokenizer by shared reference. Closing waits for the calls that are
/// under way, so a handle is never used after it was freed.
final class NativeTokenizer implements AutoCloseable {
    private final TokenizersLibrary library;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private long handle; // 0 when closed

    /// @param json the text of a `tokenizer.json`
    /// @throws IllegalArgumentException the library refuses it
    /// @throws IllegalStateException the library can't be loaded on this machine
    NativeTokenizer(String json) {
        library = NativeLibrary.load();
        try {
            handle = library.createTokenizerFromString(json);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(String.valueOf(e.getMessage()), e);
        }
        library.disableTruncation(handle); // the file may carry the ones of its training
        library.disablePadding(handle);
    }

    int[] encode(String text, boolean addSpecialTokens) {
        String wellFormed = replaceLoneSurrogates(text);
        lock.readLock().lock();
        try {
            long encoding = library.encode(open(), wellFormed, addSpecialTokens);
            try {
                return toInts(library.getTokenIds(encoding));
            } finally {
                library.deleteEncoding(encoding);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /// The library's own decoding, which the tests hold ours against.
    String decode(int[] tokens, boolean skipSpecialTokens) {
        long[] ids = new long[tokens.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = tokens[i];
        }
        lock.readLock().lock();
        try {
            return library.decode(open(), ids, skipSpecialTokens);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (handle != 0) {
                library.deleteTokenizer(handle);
                handle = 0;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private long open() {
        if (handle == 0) {
            throw new IllegalStateException("the tokenizer is closed");
        }
        return handle;
    }

    private static int[] toInts(long[] ids) {
        int[] tokens = new int[ids.length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = Math.toIntExact(ids[i]);
        }
        return tokens;
    }

    /// A Java string may hold half a surrogate pair, UTF-8 may not: the binding would garble the whole text.
    static String replaceLoneSurrogates(String text) {
        StringBuilder changed = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                i++;
            } else {
                changed = changed == null ? new StringBuilder(text) : changed;
                changed.setCharAt(i, '\uFFFD');
            }
        }
        return changed == null ? text : changed.toString();
    }
}
