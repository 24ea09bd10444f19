package dev.tandem.kv.tier;

import dev.tandem.kv.BlockHash;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/// A fixed number of slots, each free or holding the block of one hash, in the order of their last use. An open-addressed
/// table with linear probing over a doubly linked list, all in primitive arrays: about 56 bytes a slot, and nothing is
/// allocated after the constructor. Hashes are SHA-256, so their first bytes spread by themselves. One owner.
final class LruSlots {
    /// No such slot.
    static final int NONE = -1;

    private static final int FREE = -2; // in `older`
    private static final int WORDS = BlockHash.BYTES / Long.BYTES;
    private static final VarHandle WORD =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final int capacity;
    private final long[] hashes; // [capacity, WORDS]
    private final int[] table; // slot + 1, or 0
    private final int mask;
    private final int[] older; // or FREE
    private final int[] newer; // of a free slot: the next one to be taken
    private int eldest = NONE;
    private int newest = NONE;
    private int firstFree = NONE; // of those below `fresh`
    private int fresh; // from here on no slot is in the list of free ones
    private int size;

    LruSlots(int capacity) {
        this.capacity = capacity;
        hashes = new long[Math.multiplyExact(WORDS, capacity)];
        table = new int[Integer.highestOneBit(Math.max(1, capacity)) * 4];
        mask = table.length - 1;
        older = new int[capacity];
        newer = new int[capacity];
        Arrays.fill(older, FREE);
    }

    int capacity() {
        return capacity;
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size == capacity;
    }

    /// The slot that holds the hash at `hash[at..at + 32]`, or [#NONE].
    int find(byte[] hash, int at) {
        long first = word(hash, at, 0);
        for (int i = (int) first & mask; table[i] != 0; i = (i + 1) & mask) {
            int slot = table[i] - 1;
            int base = slot * WORDS;
            if (hashes[base] == first
                    && hashes[base + 1] == word(hash, at, 1)
                    && hashes[base + 2] == word(hash, at, 2)
                    && hashes[base + 3] == word(hash, at, 3)) {
                return slot;
            }
        }
        return NONE;
    }

    /// Puts a hash that is not there into a free slot, as the one used last. The caller has seen to it that one is free.
    int add(byte[] hash, int at) {
        int slot = takeFree();
        occupy(slot, hash, at);
        return slot;
    }

    /// As [#add], into this slot, which is free. Only before the first [#add].
    void place(int slot, byte[] hash, int at) {
        Objects.checkIndex(slot, capacity);
        if (older[slot] != FREE) {
            throw new IllegalStateException("slot " + slot + " is taken");
        }
        occupy(slot, hash, at);
    }

    /// Makes the slot the one used last.
    void touch(int slot) {
        if (slot != newest) {
            unlink(slot);
            link(slot);
        }
    }

    /// The slot used longest ago, or [#NONE].
    int eldest() {
        return eldest;
    }

    /// The slot used next after this one, or [#NONE]: from [#eldest] on, all slots in the order of their use.
    int nextNewer(int slot) {
        return newer[slot];
    }

    /// Writes a slot's hash to `into[at..at + 32]`.
    void hash(int slot, byte[] into, int at) {
        for (int i = 0; i < WORDS; i++) {
            WORD.set(into, at + i * Long.BYTES, hashes[slot * WORDS + i]);
        }
    }

    /// Frees a slot that is held.
    void remove(int slot) {
        if (older[slot] == FREE) {
            throw new IllegalStateException("slot " + slot + " is free");
        }
        unlink(slot);
        forget(slot);
        older[slot] = FREE;
        if (slot < fresh) {
            newer[slot] = firstFree;
            firstFree = slot;
        }
        size--;
    }

    private int takeFree() {
        int slot = firstFree;
        if (slot != NONE) {
            firstFree = newer[slot];
            return slot;
        }
        while (fresh < capacity && older[fresh] != FREE) {
            fresh++;
        }
        if (fresh == capacity) {
            throw new IllegalStateException("all " + capacity + " slots are taken");
        }
        return fresh++;
    }

    private void occupy(int slot, byte[] hash, int at) {
        for (int i = 0; i < WORDS; i++) {
            hashes[slot * WORDS + i] = word(hash, at, i);
        }
        int i = home(slot);
        while (table[i] != 0) {
            i = (i + 1) & mask;
        }
        table[i] = slot + 1;
        link(slot);
        size++;
    }

    private void link(int slot) {
        older[slot] = newest;
        newer[slot] = NONE;
        if (newest == NONE) {
            eldest = slot;
        } else {
            newer[newest] = slot;
        }
        newest = slot;
    }

    private void unlink(int slot) {
        if (older[slot] == NONE) {
            eldest = newer[slot];
        } else {
            newer[older[slot]] = newer[slot];
        }
        if (newer[slot] == NONE) {
            newest = older[slot];
        } else {
            older[newer[slot]] = older[slot];
        }
    }

    /// Takes a slot out of the table and moves up those behind it, so that no probe ends too early (Knuth 6.4, R).
    private void forget(int slot) {
        int hole = home(slot);
        while (table[hole] != slot + 1) {
            hole = (hole + 1) & mask;
        }
        for (int i = (hole + 1) & mask; table[i] != 0; i = (i + 1) & mask) {
            int fromHome = (i - home(table[i] - 1)) & mask;
            if (fromHome >= ((i - hole) & mask)) {
                table[hole] = table[i];
                hole = i;
            }
        }
        table[hole] = 0;
    }

    private int home(int slot) {
        return (int) hashes[slot * WORDS] & mask;
    }

    private static long word(byte[] hash, int at, int index) {
        return (long) WORD.get(hash, at + index * Long.BYTES);
    }
}
