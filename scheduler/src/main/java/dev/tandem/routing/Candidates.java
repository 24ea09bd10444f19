package dev.tandem.routing;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The replicas of one choice, sorted by id: a reusable array. The caller has filtered them by hard limits (a free slot,
/// room in the KV pool, the right model).
public final class Candidates {
    private @Nullable ReplicaView[] replicas = new @Nullable ReplicaView[16];
    private int size;

    /// @throws IllegalArgumentException ids don't ascend
    public void add(ReplicaView replica) {
        if (size > 0 && get(size - 1).id() >= replica.id()) {
            throw new IllegalArgumentException(
                    "candidates must ascend by id: " + get(size - 1).id() + ", " + replica.id());
        }
        if (size == replicas.length) {
            replicas = Arrays.copyOf(replicas, 2 * size);
        }
        replicas[size++] = replica;
    }

    public void clear() {
        Arrays.fill(replicas, 0, size, null);
        size = 0;
    }

    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public ReplicaView get(int index) {
        ReplicaView replica = index < size ? replicas[index] : null;
        if (replica == null) {
            throw new IndexOutOfBoundsException("index " + index + " of " + size);
        }
        return replica;
    }

    /// @return index of the replica with this id, or -1
    public int indexOf(int id) {
        int low = 0;
        int high = size - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int found = get(middle).id();
            if (found == id) {
                return middle;
            }
            if (found < id) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1;
    }
}
