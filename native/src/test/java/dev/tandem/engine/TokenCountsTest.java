package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;

class TokenCountsTest {
    /// Growing while a count is raised once lost the count, or wrote past the old array.
    @Test
    void countsSurviveGrowth() {
        TokenCounts counts = new TokenCounts();
        for (int token = 0; token < 1000; token++) {
            counts.addOutput(token);
        }
        assertThat(counts.distinct()).isEqualTo(1000);
        for (int slot = 0; slot < counts.distinct(); slot++) {
            assertThat(counts.outputCount(slot)).as("token %d", counts.token(slot)).isEqualTo(1);
        }
    }

    @Test
    void countsAgreeWithAPlainMap() {
        long seed = Long.getLong("tandem.seed", 7);
        Random random = new Random(seed);
        TokenCounts counts = new TokenCounts();
        Map<Integer, Integer> expected = new HashMap<>();
        for (int i = 0; i < 5000; i++) {
            int token = random.nextInt(700);
            if (random.nextBoolean()) {
                counts.addOutput(token);
                expected.merge(token, 1, Integer::sum);
            } else {
                counts.addPrompt(token);
                expected.putIfAbsent(token, 0);
            }
        }
        Map<Integer, Integer> actual = new HashMap<>();
        for (int slot = 0; slot < counts.distinct(); slot++) {
            actual.put(counts.token(slot), counts.outputCount(slot));
        }
        assertThat(actual)
                .as("repeat with -Dtest=TokenCountsTest -Dtandem.seed=%d", seed)
                .isEqualTo(expected);
    }
}
