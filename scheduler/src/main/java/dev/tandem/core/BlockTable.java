package dev.tandem.core;

import java.util.Arrays;

/// The KV blocks of one sequence on one replica, in the order of its tokens. Not thread-safe.
public final class BlockTable {
    private int[] blocks = new int[16];
    private int size;

    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public int get(int index) {
        if (index >= size) {
            throw new IndexOutOfBoundsException("block " + index + " of a table of " + size);
        }
        return blocks[index];
    }

    /// Makes room for so many blocks, so that adding them allocates nothing.
    void expect(int count) {
        if (count > blocks.length) {
            blocks = Arrays.copyOf(blocks, count);
        }
    }

    /// The last block, 0 if there is none.
    int last() {
        return size == 0 ? 0 : blocks[size - 1];
    }

    void add(int block) {
        if (size == blocks.length) {
            blocks = Arrays.copyOf(blocks, size * 2);
        }
        blocks[size++] = block;
    }

    int removeLast() {
        return blocks[--size];
    }

    void clear() {
        size = 0;
    }

    /// A copy of the block numbers from `from` on.
    public int[] copyFrom(int from) {
        return Arrays.copyOfRange(blocks, from, size);
    }
}
