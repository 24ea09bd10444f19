package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.core.CoreOptions;
import dev.tandem.kv.tier.TierOptions;
import dev.tandem.sim.cluster.OptionKeys;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Prefixes that are cached somewhere else than where the prompt is computed: on another worker, or evicted from the pool
/// into a tier. The tokens are the same as without.
@Timeout(300)
class CachedPrefixTest {
    private static final int PROMPT_TOKENS = 900;

    /// A block of the shipped model: 16 tokens, 4 layers, keys and values, 2 heads of 32 floats.
    private static final long BLOCK_BYTES = 16L * 4 * 2 * 2 * 32 * 4;

    private static ObjectNode body(long seed) {
        int[] prompt = new SplittableRandom(seed).ints(PROMPT_TOKENS, 3, 1024).toArray();
        return ApiClient.body(
                Map.of(
                        "prompt",
                        prompt,
                        "max_tokens",
                        8,
                        "temperature",
                        0,
                        "ignore_eos",
                        true,
                        "return_token_ids",
                        true));
    }

    private static List<Integer> ask(ApiClient client, long seed) throws Exception {
        return ApiClient.tokenIds(
                client.ask("/v1/completions", body(seed)).path("choices").path(0));
    }

    @Test
    void aPrefillWorkerFetchesWhatAnotherWorkerHas() throws Exception {
        CoreOptions options = TestCluster.patient();
        options = OptionKeys.with(options, "placement.local-prefill-tokens-max", "0");
        options = OptionKeys.with(options, "placement.predict-local", "false");
        options = OptionKeys.with(options, "routing.prefill-policy", "weighted-round-robin");
        try (TestCluster cluster =
                new TestCluster(
                        TestCluster.Spec.disaggregated().withWorkers(2, 1).withCore(options))) {
            ApiClient client = new ApiClient(cluster.url());
            for (long prompt = 1; prompt <= 3; prompt++) {
                List<Integer> computed = ask(client, prompt);
                for (int again = 0; again < 3; again++) {
                    assertThat(ask(client, prompt)).isEqualTo(computed);
                }
            }
            assertThat(client.metric("tandem_prefix_fetched_tokens_total")).isPositive();
            client.awaitIdle();
        }
    }

    private static void evictedPrefixesComeBack(TierOptions tier) throws Exception {
        TestCluster.Spec spec =
                TestCluster.Spec.disaggregated()
                        .withWorkers(0, 1)
                        .withKvBytes(80 * BLOCK_BYTES)
                        .withTier(tier);
        try (TestCluster cluster = new TestCluster(spec)) {
            ApiClient client = new ApiClient(cluster.url());
            List<Integer> first = ask(client, 1);
            List<Integer> second = ask(client, 2);
            ask(client, 3);
            assertThat(client.metric("tandem_tier_stored_blocks_total")).isPositive();
            assertThat(ask(client, 1)).isEqualTo(first);
            assertThat(ask(client, 2)).isEqualTo(second);
            assertThat(client.metric("tandem_tier_loaded_tokens_total")).isPositive();
            client.awaitIdle();
        }
    }

    @Test
    void evictedBlocksComeBackFromHostMemory() throws Exception {
        evictedPrefixesComeBack(new TierOptions(1000 * BLOCK_BYTES, null, 0));
    }

    @Test
    void evictedBlocksComeBackFromDisk(@TempDir Path folder) throws Exception {
        evictedPrefixesComeBack(new TierOptions(0, folder, 1000 * (BLOCK_BYTES + 4096)));
    }
}
