package dev.tandem.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A garbage collection is a pause of all sequences at once: a steady step gives it nothing to do. Counted over 10,000
/// steps of ten cores.
class StepAllocationTest {
    private static final int CORES = 10;

    /// The JVM itself allocates now and then, some 64 bytes when it gives up compiled code. A step that allocates by what
    /// it does would show hundreds of times: blocks fill up in a sixteenth of the steps of even a single sequence.
    private static final int BY_THE_JVM_MAX = 3;

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 256})
    void aSteadyStepAllocatesNothing(int sequences) {
        StepAllocation counted = StepAllocation.count(sequences, CORES);
        assertThat(counted.steps()).isEqualTo(10_000);
        assertThat(counted.allocating()).as("%s", counted).isLessThanOrEqualTo(BY_THE_JVM_MAX);
    }
}
