package dev.tandem.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

class ModelConfigTest {
    private static final String SIZES =
            """
            "vocab_size": 100, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096
            """;

    @Test
    void bothSpellingsOfRopeGiveTheSame() throws Exception {
        ModelConfig old =
                read(
                        "LlamaForCausalLM",
                        """
                        "rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 4}
                        """);
        ModelConfig five =
                read(
                        "LlamaForCausalLM",
                        """
                        "rope_parameters": {"rope_theta": 5e5, "rope_type": "linear", "factor": 4}
                        """);
        assertThat(five).isEqualTo(old);
        assertThat(old.ropeTheta()).isEqualTo(5e5);
        assertThat(old.ropeScaling()).isEqualTo(new RopeScaling.Linear(4));
    }

    @Test
    void architecturesDifferInBiasesNormsAndWindows() throws Exception {
        String window = "\"sliding_window\": 8, \"max_window_layers\": 1";
        ModelConfig llama = read("LlamaForCausalLM", window);
        assertThat(llama.windows()).containsExactly(0, 0, 0);
        assertThat(llama.queryKeyValueBias()).isFalse();
        assertThat(read("MistralForCausalLM", window).windows()).containsExactly(8, 8, 8);
        ModelConfig qwen2 = read("Qwen2ForCausalLM", window);
        assertThat(qwen2.windows()).containsExactly(0, 0, 0);
        assertThat(qwen2.queryKeyValueBias()).isTrue();
        assertThat(qwen2.outputBias()).isFalse();
        assertThat(read("Qwen2ForCausalLM", window + ", \"use_sliding_window\": true").windows())
                .containsExactly(0, 8, 8);
        ModelConfig qwen3 = read("Qwen3ForCausalLM", "\"head_dim\": 48, \"attention_bias\": true");
        assertThat(qwen3.headNorm()).isTrue();
        assertThat(qwen3.outputBias()).isTrue();
        assertThat(qwen3.queryWidth()).isEqualTo(192);
        assertThat(
                        read(
                                        "MistralForCausalLM",
                                        """
                                        "sliding_window": 8,
                                        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]
                                        """)
                                .windows())
                .containsExactly(8, 0, 8);
    }

    @Test
    void linearScalingDividesEveryFrequency() {
        RopeFrequencies plain = RopeFrequencies.of(10000, 8, new RopeScaling.None());
        assertThat(plain.inverse()).containsExactly(1, 0.1f, 0.01f, 0.001f);
        RopeFrequencies scaled = RopeFrequencies.of(10000, 8, new RopeScaling.Linear(4));
        assertThat(scaled.inverse()).containsExactly(0.25f, 0.025f, 0.0025f, 0.00025f);
    }

    /// Worked by hand from the paper's formulas: with theta 10000, D = 64 and 4096 trained positions, dimension
    /// 64 ln(4096 / (2 pi r)) / (2 ln 10000) is 10.47 for r = 32 and 22.51 for r = 1, so the ramp runs from 10 to 23.
    @Test
    void yarnKeepsShortWavesInterpolatesLongOnesAndRampsBetween() throws Exception {
        ModelConfig config =
                read(
                        "LlamaForCausalLM",
                        """
                        "head_dim": 64, "rope_scaling":
                        {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 4096}
                        """);
        RopeFrequencies yarn =
                RopeFrequencies.of(config.ropeTheta(), config.headDim(), config.ropeScaling());
        assertThat((double) yarn.attentionFactor()).isCloseTo(0.1 * Math.log(4) + 1, within(1e-7));
        for (int i = 0; i < 32; i++) {
            double plain = Math.pow(10000, -i / 32.0);
            double ramp = Math.clamp((i - 10) / 13.0, 0, 1);
            double expected = plain / 4 * ramp + plain * (1 - ramp);
            assertThat((double) yarn.inverse()[i])
                    .as("pair " + i)
                    .isCloseTo(expected, within(1e-6 * expected));
        }
    }

    @Test
    void yarnTakesAGivenAttentionFactorOrTheRatioOfMagnitudes() throws Exception {
        String yarn = "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 40, %s}";
        assertThat(
                        read("LlamaForCausalLM", yarn.formatted("\"attention_factor\": 1.5"))
                                .ropeScaling())
                .extracting(s -> ((RopeScaling.Yarn) s).attentionFactor())
                .isEqualTo(1.5);
        String both = yarn.formatted("\"mscale\": 1.0, \"mscale_all_dim\": 0.707");
        double ratio = (0.1 * Math.log(40) + 1) / (0.1 * 0.707 * Math.log(40) + 1);
        var scaling = (RopeScaling.Yarn) read("LlamaForCausalLM", both).ropeScaling();
        assertThat(scaling.attentionFactor()).isCloseTo(ratio, within(1e-12));
    }

    private static ModelConfig read(String architecture, String more) throws Exception {
        String json = "{\"architectures\": [\"%s\"], %s, %s}".formatted(architecture, SIZES, more);
        return ModelConfigReader.read(
                Path.of("config.json"), json.getBytes(StandardCharsets.UTF_8));
    }
}
