package dev.tandem.transport;

import org.agrona.collections.LongHashSet;

/// Remembers the last `capacity` lease ids added, for "has ended" against "never heard of". Thread-safe.
final class RecentIds {
    private final long[] ring;
    private final LongHashSet ids;
    private int used;
    private int next;

    RecentIds(int capacity) {
        ring = new long[capacity];
        ids = new LongHashSet(capacity);
    }

    /// @return false when the id was there already
    synchronized boolean add(long id) {
        if (!ids.add(id)) {
            return false;
        }
        if (used == ring.length) {
            ids.remove(ring[next]);
        } else {
            used++;
        }
        ring[next] = id;
        next = (next + 1) % ring.length;
        return true;
    }

    synchronized boolean contains(long id) {
        return ids.contains(id);
    }
}
