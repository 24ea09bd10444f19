package dev.tandem.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A garbage collection is a pause of all sequences at once: a steady step gives it nothing to do. Counted over 10,000
/// steps of ten cores.
class StepAllocationTest {
    private static final int CORES = 10;

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 256})
    void aSteadyStepAllocatesNothing(int sequences) {
        assertThat(StepAllocation.bytesPerStep(sequences, CORES))
                .as("bytes per step, %d sequences", sequences)
                .isZero();
    }
}
