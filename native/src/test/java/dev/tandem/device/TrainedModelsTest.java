package dev.tandem.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tandem.device.ModelDriver.Sequence;
import dev.tandem.kernel.TestSeed;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;

/// Trained models that lie outside the project, against greedy paths computed in float32. All prompts of a model run
/// in one batch, each path to its end.
class TrainedModelsTest {
    /// An expected token may be the second best only where the two are this close.
    private static final float MARGIN_TOLERANCE = 2e-3f;

    @Test
    void tandemTiny() throws Exception {
        Path folder = TestFolders.data("models/tandem-tiny");
        check(folder, folder.resolve("expected_greedy.json"));
    }

    @Test
    void minimind2Small() throws Exception {
        Path folder = TestFolders.data("models/minimind2-small");
        check(folder, folder.resolve("expected_greedy_chat.json"));
    }

    @Test
    void stories15M() throws Exception {
        Path folder = TestFolders.data("models/stories15M");
        check(folder.resolve("hf"), folder.resolve("expected_greedy.json"));
    }

    private static void check(Path folder, Path expectedFile) throws Exception {
        JsonNode prompts = new ObjectMapper().readTree(expectedFile.toFile());
        try (OpenedModel model = Backends.open(folder, "auto", 0, 16);
                var driver = new ModelDriver(model.backend(), 256, TestSeed.random())) {
            var sequences = new ArrayList<Sequence>();
            var outputs = new ArrayList<int[]>();
            for (JsonNode prompt : prompts) {
                int[] ids = ReferenceModelsTest.ints(prompt.path("prompt_ids"));
                int[] output = outputIds(prompt, ids.length);
                outputs.add(output);
                sequences.add(driver.sequence(ids, ids.length + output.length));
            }
            assertThat(sequences).isNotEmpty();
            int tokensChecked = 0;
            for (int step = 0; !sequences.isEmpty(); step++) {
                float[][] logits = driver.step(sequences);
                if (step == 0) {
                    checkFirst(prompts, logits);
                }
                for (int i = logits.length - 1; i >= 0; i--) {
                    int[] output = outputs.get(i);
                    if (step >= output.length) {
                        sequences.remove(i);
                        outputs.remove(i);
                        continue;
                    }
                    float best = logits[i][ModelDriver.argmax(logits[i])];
                    assertThat(best - logits[i][output[step]])
                            .as("sequence %d of those left, step %d", i, step)
                            .isLessThanOrEqualTo(MARGIN_TOLERANCE);
                    sequences.get(i).append(output[step]);
                    tokensChecked++;
                }
            }
            assertThat(tokensChecked).isGreaterThan(100);
        }
    }

    /// The stories give prompt and output in one list.
    private static int[] outputIds(JsonNode prompt, int promptTokens) {
        if (prompt.has("output_ids")) {
            return ReferenceModelsTest.ints(prompt.path("output_ids"));
        }
        int[] all = ReferenceModelsTest.ints(prompt.path("token_ids"));
        return Arrays.copyOfRange(all, promptTokens, all.length);
    }

    private static void checkFirst(JsonNode prompts, float[][] logits) {
        for (int i = 0; i < logits.length; i++) {
            JsonNode top = prompts.get(i).path("first_token_top5_logits");
            assertThat(top.size()).isEqualTo(5);
            for (JsonNode pair : top) {
                assertThat((double) logits[i][pair.get(0).asInt()])
                        .as("prompt " + i)
                        .isCloseTo(pair.get(1).asDouble(), within(2e-4));
            }
        }
    }
}
