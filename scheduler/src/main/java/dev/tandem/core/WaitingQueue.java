package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Sequences that live nowhere yet, oldest first. One that comes back (preempted, or from a lost replica) takes its old
/// place by age. Not thread-safe; owned by the core.
final class WaitingQueue implements Iterable<Sequence> {
    private final ArrayDeque<Sequence> sequences = new ArrayDeque<>();
    private long tokens;

    int size() {
        return sequences.size();
    }

    boolean isEmpty() {
        return sequences.isEmpty();
    }

    /// Known tokens of all sequences.
    long tokens() {
        return tokens;
    }

    @Nullable Sequence oldest() {
        return sequences.peekFirst();
    }

    void removeOldest() {
        tokens -= sequences.removeFirst().known();
    }

    void remove(Sequence sequence) {
        if (sequences.remove(sequence)) {
            tokens -= sequence.known();
        }
    }

    /// Those that come back are older than nearly all others, so the place is found from the front.
    void addByAge(Sequence sequence) {
        tokens += sequence.known();
        List<Sequence> older = new ArrayList<>();
        while (!sequences.isEmpty() && sequences.peekFirst().id() < sequence.id()) {
            older.add(sequences.removeFirst());
        }
        sequences.addFirst(sequence);
        for (int i = older.size() - 1; i >= 0; i--) {
            sequences.addFirst(older.get(i));
        }
    }

    /// A new one: younger than all others but for races between submitting threads.
    void add(Sequence sequence) {
        tokens += sequence.known();
        sequences.addLast(sequence);
    }

    @Override
    public Iterator<Sequence> iterator() {
        return sequences.iterator();
    }
}
