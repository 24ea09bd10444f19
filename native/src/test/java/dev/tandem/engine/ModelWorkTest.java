package dev.tandem.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.model.Architecture;
import dev.tandem.model.ModelConfig;
import dev.tandem.model.RopeScaling;

import org.junit.jupiter.api.Test;

import java.util.Collections;

/// What a model costs, against the published size of Llama 3.1 8B: 8,030,261,248 parameters, of which 525,336,576 are the
/// embedding table (no product) and 266,240 norms.
class ModelWorkTest {
    @Test
    void llamaCostsWhatItsParametersSay() {
        var config =
                new ModelConfig(
                        Architecture.LLAMA,
                        128_256,
                        4_096,
                        14_336,
                        32,
                        32,
                        8,
                        128,
                        1e-5f,
                        131_072,
                        false,
                        false,
                        false,
                        false,
                        false,
                        Collections.nCopies(32, 0),
                        500_000,
                        new RopeScaling.None());
        ModelWork work = ModelWork.of(config, 2);
        double matrices = 8_030_261_248.0 - 525_336_576 - 266_240;
        assertThat(work.weightBytes()).isEqualTo(2 * matrices);
        assertThat(work.flopsPerToken())
                .isEqualTo(2 * (matrices - 525_336_576)); // but for the head
        assertThat(work.flopsPerPair()).isEqualTo(4.0 * 32 * 32 * 128);
    }
}
