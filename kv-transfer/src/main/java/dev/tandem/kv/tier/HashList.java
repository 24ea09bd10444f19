package dev.tandem.kv.tier;

import dev.tandem.kv.BlockHash;

import java.util.Arrays;

/// Hashes one after the other, 32 bytes each, in a buffer that grows and is used again. One owner.
final class HashList {
    private byte[] bytes = new byte[64 * BlockHash.BYTES];
    private int length;

    void add(byte[] hash, int at) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        System.arraycopy(hash, at, bytes, length, BlockHash.BYTES);
        length += BlockHash.BYTES;
    }

    int size() {
        return length / BlockHash.BYTES;
    }

    /// The bytes of all hashes, in an array of their own.
    byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }

    /// The buffer, hash `i` at `i * 32`; to be read only, until the next [#add].
    byte[] buffer() {
        return bytes;
    }

    void clear() {
        length = 0;
    }
}
