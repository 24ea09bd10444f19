package dev.tandem.kv;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Objects;

/// Hash chain over full blocks of tokens: equal hashes mean equal tokens from the start of the sequence, so a
/// hash names a prefix. The form is vLLM's `sha256_cbor`, so that hashes in KV events mean the same to every
/// router that reads them:
/// `H(i) = sha256(cbor([H(i-1), [tokens...], extra keys or null]))` with canonical CBOR (RFC 8949, section
/// 4.2.1: every length and integer in its shortest form). The parent of the first block is
/// `sha256(cbor(seed string))`; the only extra key is the cache salt, on the first block.
///
/// Cost: one SHA-256 over `38 + 1..5 bytes a token`, for 16 tokens two or three of its 64-byte rounds, well
/// under a microsecond where the CPU has SHA instructions. The instance form [#chain] allocates nothing once
/// warm. Not thread-safe: one owner.
public final class BlockHash {
    /// Bytes of a hash.
    public static final int BYTES = 32;

    private static final VarHandle BIG_ENDIAN_INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle BIG_ENDIAN_SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final byte UNSIGNED_8 = 24;
    private static final byte UNSIGNED_16 = 25;
    private static final byte UNSIGNED_32 = 26;
    private static final int BYTE_STRING = 2;
    private static final int TEXT = 3;
    private static final int ARRAY = 4;
    private static final int NULL = 0xf6;
    private static final int HEAD_BYTES_MAX = 5; // of an integer or length below 2^32

    private final MessageDigest sha256;
    private byte[] cbor = new byte[256];
    private int length;

    public BlockHash() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// The parent of every first block.
    ///
    /// @param seed vLLM's `PYTHONHASHSEED`; equal on all sides that compare hashes, usually `0`
    public static byte[] root(String seed) {
        var hash = new BlockHash();
        hash.appendText(seed);
        return hash.sha256.digest(Arrays.copyOf(hash.cbor, hash.length));
    }

    /// The hash of the block that follows `parent`; parameters as for [#chain].
    public byte[] next(byte[] parent, int[] tokens, int from, int count, String saltOrEmpty) {
        byte[] hash = Arrays.copyOf(parent, BYTES);
        chain(hash, tokens, from, count, saltOrEmpty);
        return hash;
    }

    /// Replaces the parent's hash by that of the block which follows it, in place and without allocation.
    ///
    /// @param hash in: the parent's hash ([#root] for the first block); out: this block's; 32 bytes
    /// @param tokens read from `from`, `count` of them: exactly one block
    /// @param saltOrEmpty cache salt; give it for the first block only
    /// @throws IllegalArgumentException a negative token, or `hash` is not 32 bytes
    public void chain(byte[] hash, int[] tokens, int from, int count, String saltOrEmpty) {
        Objects.checkFromIndexSize(from, count, tokens.length);
        if (hash.length != BYTES) {
            throw new IllegalArgumentException("a block hash has 32 bytes, not " + hash.length);
        }
        length = 0;
        head(ARRAY, 3);
        head(BYTE_STRING, BYTES);
        append(hash);
        head(ARRAY, count);
        appendTokens(tokens, from, count);
        if (saltOrEmpty.isEmpty()) {
            reserve(1);
            cbor[length++] = (byte) NULL;
        } else {
            head(ARRAY, 1);
            appendText(saltOrEmpty);
        }
        sha256.update(cbor, 0, length);
        try {
            sha256.digest(hash, 0, BYTES);
        } catch (DigestException e) {
            throw new IllegalStateException("SHA-256 did not fit into 32 bytes", e);
        }
    }

    /// The first eight bytes, big-endian: a good key for primitive maps. Compare the whole hash on a hit.
    public static long prefix64(byte[] hash) {
        long prefix = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            prefix = prefix << 8 | (hash[i] & 0xff);
        }
        return prefix;
    }

    private void appendText(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        head(TEXT, utf8.length);
        append(utf8);
    }

    private void append(byte[] bytes) {
        reserve(bytes.length);
        System.arraycopy(bytes, 0, cbor, length, bytes.length);
        length += bytes.length;
    }

    /// As [#head] would, one by one; this is where the time outside of SHA-256 goes, so room is made once and the place is
    /// kept in a local.
    private void appendTokens(int[] tokens, int from, int count) {
        reserve(count * HEAD_BYTES_MAX);
        byte[] out = cbor;
        int at = length;
        for (int i = from; i < from + count; i++) {
            int token = tokens[i];
            if (token > 0xffff) {
                out[at] = UNSIGNED_32;
                BIG_ENDIAN_INT.set(out, at + 1, token);
                at += 5;
            } else if (token > 0xff) {
                out[at] = UNSIGNED_16;
                BIG_ENDIAN_SHORT.set(out, at + 1, (short) token);
                at += 3;
            } else if (token < 0) {
                throw new IllegalArgumentException("negative token " + token + " at " + i);
            } else if (token < 24) {
                out[at++] = (byte) token;
            } else {
                out[at] = UNSIGNED_8;
                out[at + 1] = (byte) token;
                at += 2;
            }
        }
        length = at;
    }

    private void head(int major, int value) {
        reserve(HEAD_BYTES_MAX);
        int type = major << 5;
        if (value < 24) {
            cbor[length++] = (byte) (type | value);
        } else if (value <= 0xff) {
            cbor[length++] = (byte) (type | 24);
            cbor[length++] = (byte) value;
        } else if (value <= 0xffff) {
            cbor[length++] = (byte) (type | 25);
            cbor[length++] = (byte) (value >> 8);
            cbor[length++] = (byte) value;
        } else {
            cbor[length++] = (byte) (type | 26);
            cbor[length++] = (byte) (value >> 24);
            cbor[length++] = (byte) (value >> 16);
            cbor[length++] = (byte) (value >> 8);
            cbor[length++] = (byte) value;
        }
    }

    private void reserve(int bytes) {
        if (length + bytes > cbor.length) {
            cbor = Arrays.copyOf(cbor, Math.max(2 * cbor.length, length + bytes));
        }
    }
}
