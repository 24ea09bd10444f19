package dev.tandem.core;

import java.util.Arrays;
import java.util.Set;

/// Stop tokens as sorted arrays. Most requests bring the same ones, the model's: those share one array, which then stays in
/// the processor's cache. Not thread-safe; owned by the core.
final class StopTokens {
    private int[] latest = {};

    /// @return not to be changed
    int[] of(Set<Integer> tokens) {
        int[] array = new int[tokens.size()];
        int i = 0;
        for (int token : tokens) {
            array[i++] = token;
        }
        Arrays.sort(array);
        if (!Arrays.equals(array, latest)) {
            latest = array;
        }
        return latest;
    }
}
