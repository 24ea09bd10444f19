package dev.tandem.sim.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

class EventHeapTest {
    private record Entry(long nanos, int order, int kind, int target, long argument) {}

    @Test
    void comesOutByTimeAndThenByOrderOfAdding() {
        long seed = Long.getLong("tandem.seed", 7);
        SplittableRandom random = new SplittableRandom(seed);
        EventHeap heap = new EventHeap();
        List<Entry> waiting = new ArrayList<>();
        for (int order = 0; order < 20_000; order++) {
            if (random.nextInt(3) > 0 || waiting.isEmpty()) {
                Entry entry =
                        new Entry(
                                random.nextLong(50),
                                order,
                                random.nextInt(30),
                                random.nextInt() >> 1,
                                random.nextLong());
                waiting.add(entry);
                heap.add(entry.nanos, entry.kind, entry.target, entry.argument);
            } else {
                Entry first =
                        waiting.stream()
                                .min(
                                        Comparator.comparingLong(Entry::nanos)
                                                .thenComparingInt(Entry::order))
                                .orElseThrow();
                waiting.remove(first);
                heap.take();
                assertThat(
                                new Entry(
                                        heap.nanos(),
                                        first.order,
                                        heap.kind(),
                                        heap.target(),
                                        heap.argument()))
                        .as("repeat with -Dtest=EventHeapTest -Dtandem.seed=" + seed)
                        .isEqualTo(first);
            }
        }
        assertThat(heap.size()).isEqualTo(waiting.size());
    }
}
