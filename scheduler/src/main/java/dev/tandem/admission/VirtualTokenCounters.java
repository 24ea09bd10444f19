package dev.tandem.admission;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// Virtual token counters (VTC; Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024): the next to be
/// served is the backlogged party with the smallest counter.
///
/// - Service is `w_p x prompt tokens computed + w_q x output tokens`, divided by the party's weight. It is charged when
///   it is computed; what is placed and not computed yet counts too (`owed`), as the paper counts it at once.
/// - A party that becomes backlogged is lifted to the smallest counter of the others, or, when there are none, to that of
///   the last to leave: absence saves up no credit.
///
/// Two parties that stay backlogged get service that differs by at most `2 x max(w_p x L_input, w_q x M)` over their
/// weights, `L_input` the longest prompt, `M` the tokens that fit into the memory of the replicas.
///
/// A binary heap whose keys may lag behind: a counter only rises between two looks, so a charge is one addition, and the
/// heap is mended when the party comes to its top. Not thread-safe.
final class VirtualTokenCounters {
    private final boolean lifts;
    private @Nullable VirtualCounter[] heap = new VirtualCounter[8];
    private int size;
    private double idleFloor;

    VirtualTokenCounters() {
        this(true);
    }

    /// @param lifts false only to show what the lift is good for
    VirtualTokenCounters(boolean lifts) {
        this.lifts = lifts;
    }

    int size() {
        return size;
    }

    /// Adds a party that has work waiting now.
    void activate(VirtualCounter counter) {
        if (lifts) {
            counter.liftTo(floor());
        }
        counter.heapKey = counter.key();
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        put(counter, size);
        siftUp(size++);
    }

    /// Takes out a party whose last waiting work is gone.
    void deactivate(VirtualCounter counter) {
        int index = counter.heapIndex;
        counter.heapIndex = -1;
        counter.skips = 0;
        VirtualCounter last = at(--size);
        heap[size] = null;
        if (last != counter) {
            put(last, index);
            siftUp(index);
            siftDown(last.heapIndex);
        }
        if (size == 0) {
            idleFloor = Math.max(idleFloor, counter.key());
        }
    }

    /// The counter to which a party is lifted that becomes backlogged now.
    double floor() {
        return size == 0 ? idleFloor : least().key();
    }

    /// Who is served next. There must be one.
    VirtualCounter least() {
        while (true) {
            VirtualCounter top = at(0);
            double key = top.key();
            if (key <= top.heapKey) {
                return top;
            }
            top.heapKey = key;
            siftDown(0);
            if (at(0) == top) {
                return top;
            }
        }
    }

    /// To be called when something owed was forgiven: the only way in which a key falls.
    void fell(VirtualCounter counter) {
        if (counter.heapIndex >= 0 && counter.key() < counter.heapKey) {
            counter.heapKey = counter.key();
            siftUp(counter.heapIndex);
        }
    }

    /// Puts a party behind all that were passed over less often in this visit.
    void passOver(VirtualCounter counter, int skips) {
        counter.skips = skips;
        siftDown(counter.heapIndex);
    }

    /// Undoes [#passOver].
    void restore(VirtualCounter counter) {
        if (counter.skips != 0) {
            counter.skips = 0;
            siftUp(counter.heapIndex);
        }
    }

    private static boolean before(VirtualCounter a, VirtualCounter b) {
        if (a.skips != b.skips) {
            return a.skips < b.skips;
        }
        return a.heapKey < b.heapKey || (a.heapKey == b.heapKey && a.order < b.order);
    }

    @SuppressWarnings("NullAway") // below size there is no null
    private VirtualCounter at(int index) {
        return heap[index];
    }

    private void put(VirtualCounter counter, int index) {
        heap[index] = counter;
        counter.heapIndex = index;
    }

    private void siftUp(int from) {
        VirtualCounter moving = at(from);
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

    private void siftDown(int from) {
        VirtualCounter moving = at(from);
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
}
