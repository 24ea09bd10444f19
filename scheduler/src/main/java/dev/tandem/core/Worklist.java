package dev.tandem.core;

import java.util.Arrays;

/// The replicas for which something may have become possible: a set of their places in the core's list, walked in
/// order. An event concerns one or two replicas; the others are not looked at, however many there are. Owned by the core.
final class Worklist {
    private long[] words = new long[1];

    /// There are other replicas, in other places: all are looked at.
    void reset(int replicas) {
        words = new long[(replicas >> 6) + 1];
        Arrays.fill(words, -1);
        words[replicas >> 6] = (1L << replicas) - 1;
    }

    void add(int place) {
        words[place >> 6] |= 1L << place;
    }

    void remove(int place) {
        words[place >> 6] &= ~(1L << place);
    }

    /// The first one at `place` or behind it, -1 if there is none.
    int next(int place) {
        int at = place >> 6;
        if (at >= words.length) {
            return -1;
        }
        long word = words[at] & -1L << place;
        while (word == 0) {
            if (++at == words.length) {
                return -1;
            }
            word = words[at];
        }
        return (at << 6) + Long.numberOfTrailingZeros(word);
    }
}
