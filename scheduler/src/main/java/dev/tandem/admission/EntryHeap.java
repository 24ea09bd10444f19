package dev.tandem.admission;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// A binary heap of queue entries that knows each entry's place, so that any can be taken out. The order is a subclass's;
/// ties go by sequence id, so the order is total.
abstract class EntryHeap {
    private @Nullable QueueEntry[] heap = new QueueEntry[4];
    private int size;

    abstract boolean before(QueueEntry a, QueueEntry b);

    abstract int index(QueueEntry entry);

    abstract void index(QueueEntry entry, int index);

    final int size() {
        return size;
    }

    final @Nullable QueueEntry first() {
        return heap[0];
    }

    final void add(QueueEntry entry) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        heap[size] = entry;
        siftUp(entry, size++);
    }

    final void remove(QueueEntry entry) {
        int hole = index(entry);
        QueueEntry last = at(--size);
        heap[size] = null;
        index(entry, -1);
        if (last != entry) {
            if (hole > 0 && before(last, at((hole - 1) >>> 1))) {
                siftUp(last, hole);
            } else {
                siftDown(last, hole);
            }
        }
    }

    @SuppressWarnings("NullAway") // below size there is no null
    private QueueEntry at(int index) {
        return heap[index];
    }

    private void put(QueueEntry entry, int index) {
        heap[index] = entry;
        index(entry, index);
    }

    private void siftUp(QueueEntry moving, int from) {
        int hole = from;
        while (hole > 0) {
            int parent = (hole - 1) >>> 1;
            if (!before(moving, at(parent))) {
                break;
            }
            put(at(parent), hole);
            hole = parent;
        }
        put(moving, hole);
    }

    private void siftDown(QueueEntry moving, int from) {
        int hole = from;
        while (true) {
            int child = 2 * hole + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && before(at(child + 1), at(child))) {
                child++;
            }
            if (!before(at(child), moving)) {
                break;
            }
            put(at(child), hole);
            hole = child;
        }
        put(moving, hole);
    }

    /// Smallest rank first: the order of service within a tenant.
    static final class ByRank extends EntryHeap {
        @Override
        boolean before(QueueEntry a, QueueEntry b) {
            return a.rankNanos < b.rankNanos
                    || (a.rankNanos == b.rankNanos && a.sequenceId() < b.sequenceId());
        }

        @Override
        int index(QueueEntry entry) {
            return entry.rankIndex;
        }

        @Override
        void index(QueueEntry entry, int index) {
            entry.rankIndex = index;
        }
    }

    /// Oldest first: for the age of a lane.
    static final class Oldest extends EntryHeap {
        @Override
        boolean before(QueueEntry a, QueueEntry b) {
            return a.arrivalNanos < b.arrivalNanos
                    || (a.arrivalNanos == b.arrivalNanos && a.sequenceId() < b.sequenceId());
        }

        @Override
        int index(QueueEntry entry) {
            return entry.oldestIndex;
        }

        @Override
        void index(QueueEntry entry, int index) {
            entry.oldestIndex = index;
        }
    }

    /// Newest first: for shedding.
    static final class Newest extends EntryHeap {
        @Override
        boolean before(QueueEntry a, QueueEntry b) {
            return a.arrivalNanos > b.arrivalNanos
                    || (a.arrivalNanos == b.arrivalNanos && a.sequenceId() > b.sequenceId());
        }

        @Override
        int index(QueueEntry entry) {
            return entry.newestIndex;
        }

        @Override
        void index(QueueEntry entry, int index) {
            entry.newestIndex = index;
        }
    }

    /// Hopeless soonest first: for giving up in time.
    static final class ByLatestStart extends EntryHeap {
        @Override
        boolean before(QueueEntry a, QueueEntry b) {
            return a.latestStartNanos < b.latestStartNanos
                    || (a.latestStartNanos == b.latestStartNanos
                            && a.sequenceId() < b.sequenceId());
        }

        @Override
        int index(QueueEntry entry) {
            return entry.latestStartIndex;
        }

        @Override
        void index(QueueEntry entry, int index) {
            entry.latestStartIndex = index;
        }
    }
}
