package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// Residences in order, in an array. Not thread-safe; owned by the core.
final class ResidenceList {
    private @Nullable Residence[] items = new @Nullable Residence[16];
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    Residence get(int index) {
        return Objects.requireNonNull(items[index]);
    }

    void add(Residence residence) {
        insert(size, residence);
    }

    /// Behind all of the same or a smaller rank.
    void addByRank(Residence residence) {
        int at = size;
        while (at > 0 && get(at - 1).rankNanos > residence.rankNanos) {
            at--;
        }
        insert(at, residence);
    }

    private void insert(int at, Residence residence) {
        if (size == items.length) {
            items = Arrays.copyOf(items, size * 2);
        }
        System.arraycopy(items, at, items, at + 1, size - at);
        items[at] = residence;
        size++;
    }

    void remove(Residence residence) {
        for (int i = size - 1; i >= 0; i--) {
            if (items[i] == residence) {
                removeAt(i);
                return;
            }
        }
    }

    void removeAt(int index) {
        System.arraycopy(items, index + 1, items, index, size - index - 1);
        items[--size] = null;
    }

    void addTo(List<Residence> target) {
        for (int i = 0; i < size; i++) {
            target.add(get(i));
        }
    }

    void clear() {
        Arrays.fill(items, 0, size, null);
        size = 0;
    }
}
