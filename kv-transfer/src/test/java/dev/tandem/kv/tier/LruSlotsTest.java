package dev.tandem.kv.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;

class LruSlotsTest {
    /// Hashes that all begin at one of four places of the table, so that probes are long and removals move others.
    private static byte[] crowded(int number) {
        byte[] hash = TestBlocks.hash(number);
        hash[0] = (byte) (number % 4);
        hash[1] = 0;
        hash[2] = 0;
        hash[3] = 0;
        return hash;
    }

    @Test
    void agreesWithALinkedHashMap() throws Throwable {
        TestBlocks.seeded("LruSlotsTest", LruSlotsTest::compare);
    }

    private static void compare(Random random) {
        for (int capacity : new int[] {1, 2, 3, 7, 64, 100}) {
            var slots = new LruSlots(capacity);
            var model = new LinkedHashMap<Integer, Integer>(16, 0.75f, true); // by last use
            for (int i = 0; i < 20_000; i++) {
                int number = random.nextInt(2 * capacity + 1);
                int slot = slots.find(crowded(number), 0);
                if (!model.containsKey(number)) {
                    assertThat(slot).isEqualTo(LruSlots.NONE);
                    if (slots.isFull()) {
                        int eldest = model.keySet().iterator().next();
                        assertThat(slots.eldest()).isEqualTo(model.remove(eldest));
                        slots.remove(slots.eldest());
                    }
                    int taken = slots.add(crowded(number), 0);
                    assertThat(model.values()).doesNotContain(taken);
                    model.put(number, taken);
                } else if (random.nextInt(4) == 0) {
                    assertThat(slot).isEqualTo(model.remove(number));
                    slots.remove(slot);
                } else {
                    assertThat(slot).isEqualTo(model.get(number));
                    slots.touch(slot);
                }
                assertThat(slots.size()).isEqualTo(model.size());
            }
            assertThat(inOrder(slots)).isEqualTo(List.copyOf(model.values()));
            byte[] hash = new byte[32];
            model.forEach(
                    (number, slot) -> {
                        slots.hash(slot, hash, 0);
                        assertThat(hash).isEqualTo(crowded(number));
                    });
        }
    }

    private static List<Integer> inOrder(LruSlots slots) {
        var order = new ArrayList<Integer>();
        for (int slot = slots.eldest(); slot != LruSlots.NONE; slot = slots.nextNewer(slot)) {
            order.add(slot);
        }
        return order;
    }

    @Test
    void placedSlotsAreLeftAloneByNewOnes() {
        var slots = new LruSlots(5);
        slots.place(3, TestBlocks.hash(1), 0);
        slots.place(0, TestBlocks.hash(2), 0);
        slots.remove(3);
        slots.place(3, TestBlocks.hash(3), 0);
        assertThatIllegalStateException().isThrownBy(() -> slots.place(3, TestBlocks.hash(4), 0));
        for (int number = 5; number < 8; number++) {
            slots.add(TestBlocks.hash(number), 0);
        }
        assertThat(inOrder(slots)).startsWith(0, 3).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
        assertThatIllegalStateException().isThrownBy(() -> slots.add(TestBlocks.hash(9), 0));
        slots.remove(4);
        assertThatIllegalStateException().isThrownBy(() -> slots.remove(4));
        assertThat(slots.add(TestBlocks.hash(9), 0)).isEqualTo(4);
    }
}
