package dev.tandem.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tandem.device.ModelDriver.Sequence;
import dev.tandem.kernel.TestSeed;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;

/// Seven tiny models of all architectures against what transformers computes in float32 (see expected.json of each).
///
/// Tokens must be equal, always: the smallest margin between the two best logits is 0.0068. Logits may differ by the
/// rounding of sums in another order (seen: up to 4e-5).
class ReferenceModelsTest {
    private static final Logger log = LoggerFactory.getLogger(ReferenceModelsTest.class);
    private static final double LOGIT_TOLERANCE = 1e-4;

    /// Both logits of a margin may be off.
    private static final double LOGPROB_TOLERANCE = 2e-4;

    static Path folder(String name) {
        return TestFolders.resource("models/reference/" + name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama-gqa-tied-bf16",
                "llama-mha-untied-f32",
                "llama-sharded-multi-eos-f16",
                "llama3-rope-tied-multi-eos-bf16",
                "mistral-sliding32-f16",
                "qwen2-bias-sharded-f32",
                "qwen3-qknorm-bf16"
            })
    void everyPromptGivesTheReferenceTokensAndLogits(String name) throws Exception {
        JsonNode expected =
                new ObjectMapper().readTree(folder(name).resolve("expected.json").toFile());
        try (OpenedModel model = Backends.open(folder(name), "cpu", 2, 16);
                var driver = new ModelDriver(model.backend(), 160, TestSeed.random())) {
            var prompts = new ArrayList<JsonNode>();
            expected.path("prompts").forEach(prompts::add);
            assertThat(prompts).hasSize(8);
            var sequences = new ArrayList<Sequence>();
            for (JsonNode prompt : prompts) {
                int[] ids = ints(prompt.path("prompt_ids"));
                sequences.add(driver.sequence(ids, ids.length + 48));
            }
            double worst = 0;
            for (int step = 0; step < 48; step++) {
                float[][] logits = driver.step(sequences);
                for (int i = 0; i < prompts.size(); i++) {
                    worst = Math.max(worst, check(prompts.get(i), step, logits[i]));
                    sequences.get(i).append(prompts.get(i).path("output_ids").get(step).asInt());
                }
            }
            log.info("{}: largest logit difference {}", name, worst);
            promptLogprobs(driver, prompts.getFirst());
        }
    }

    /// Checks one step of one prompt and returns the largest difference of a logit.
    private static double check(JsonNode prompt, int step, float[] logits) {
        String at = prompt.path("name").asText() + " step " + step;
        int token = prompt.path("output_ids").get(step).asInt();
        assertThat(ModelDriver.argmax(logits)).as(at).isEqualTo(token);
        assertThat(ModelDriver.logprob(logits, token))
                .as(at)
                .isCloseTo(prompt.path("logprobs").get(step).asDouble(), within(LOGPROB_TOLERANCE));
        double worst = 0;
        for (JsonNode pair : prompt.path("top10").path(step)) {
            double logit = logits[pair.get(0).asInt()];
            assertThat(logit).as(at).isCloseTo(pair.get(1).asDouble(), within(LOGIT_TOLERANCE));
            worst = Math.max(worst, Math.abs(logit - pair.get(1).asDouble()));
        }
        return worst;
    }

    /// Every prefix of the prompt as a row of its own.
    private static void promptLogprobs(ModelDriver driver, JsonNode prompt) {
        int[] ids = ints(prompt.path("prompt_ids"));
        var prefixes = new ArrayList<Sequence>();
        for (int length = 1; length < ids.length; length++) {
            prefixes.add(driver.sequence(Arrays.copyOf(ids, length), length));
        }
        float[][] logits = driver.step(prefixes);
        JsonNode logprobs = prompt.path("prompt_logprobs");
        assertThat(logprobs.size()).isEqualTo(ids.length);
        for (int i = 1; i < ids.length; i++) {
            assertThat(ModelDriver.logprob(logits[i - 1], ids[i]))
                    .as("prompt token " + i)
                    .isCloseTo(logprobs.get(i).asDouble(), within(LOGPROB_TOLERANCE));
        }
    }

    @Test
    void windowsAreThoseOfTheConfiguration() throws Exception {
        try (OpenedModel model = Backends.open(folder("mistral-sliding32-f16"), "cpu", 1, 16)) {
            assertThat(model.config().windows()).containsExactly(32, 32, 32, 32);
        }
        try (OpenedModel model = Backends.open(folder("qwen2-bias-sharded-f32"), "cpu", 1, 16)) {
            assertThat(model.config().windows()).containsExactly(0, 0, 0, 0);
        }
    }

    static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asInt();
        }
        return values;
    }
}
