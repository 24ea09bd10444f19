package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.core.CoreOptions;
import dev.tandem.sim.cluster.OptionKeys;
import dev.tandem.transport.ucx.UcxRuntime;
import dev.tandem.wire.TransportKind;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// A token is a pure function of (weights, prefix, seed, position): the same requests give the same tokens alone, in a
/// batch, in chunks of any size, with and without prefix cache, disaggregated and local, with plans in flight or not,
/// preempted, and over every transport.
class InvarianceTest {
    private static final long SEED = Long.getLong("tandem.seed", 20261123L);
    private static final int REQUESTS = 32;
    private static final List<ObjectNode> BODIES = new ArrayList<>();
    private static final List<JsonNode> ALONE = new ArrayList<>();

    record Variant(String name, TestCluster.Spec spec) {
        @Override
        public String toString() {
            return name + ", repeat with -Dtest=InvarianceTest -Dtandem.seed=" + SEED;
        }
    }

    @BeforeAll
    static void oneAfterTheOtherOnOneWorker() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < REQUESTS; i++) {
            BODIES.add(request(random, i));
        }
        // Short ones first: many live side by side before the long ones fill the pool.
        BODIES.sort(Comparator.comparingInt(body -> body.path("prompt").size()));
        TestCluster.Spec local =
                TestCluster.Spec.disaggregated()
                        .withWorkers(0, 1)
                        .withCore(core(512, 1, false, 0, 0));
        try (TestCluster cluster = new TestCluster(local)) {
            ApiClient client = new ApiClient(cluster.url());
            for (ObjectNode body : BODIES) {
                ALONE.add(client.ask("/v1/completions", body).path("choices").path(0));
            }
        }
        for (int i = 0; i < REQUESTS; i++) {
            assertThat(ApiClient.tokenIds(ALONE.get(i)))
                    .hasSize(BODIES.get(i).path("max_tokens").asInt());
        }
    }

    static Stream<Variant> variants() {
        TestCluster.Spec both = TestCluster.Spec.disaggregated();
        TestCluster.Spec local = both.withWorkers(0, 1);
        return Stream.of(
                new Variant("local, batched", local.withCore(core(512, 2, false, 0, 0))),
                new Variant("local, chunks of 16", local.withCore(core(16, 2, true, 0, 0))),
                new Variant(
                        "local, chunks of 64, preempted", local.withCore(core(64, 2, true, 0, 7))),
                new Variant(
                        "local, little KV memory",
                        local.withCore(core(512, 2, true, 0, 0)).withKvBytes(60L * 32 * 1024)),
                new Variant("disaggregated", both.withCore(core(512, 2, true, 0, 0))),
                new Variant(
                        "disaggregated, no prefix cache, run-ahead 1",
                        both.withCore(core(512, 1, false, 0, 0))),
                new Variant(
                        "disaggregated, chunks of 16, over gRPC",
                        both.withCore(core(16, 2, false, 0, 0))
                                .over(TransportKind.TRANSPORT_KIND_GRPC)),
                new Variant(
                        "disaggregated, chunks of 64, over shared memory",
                        both.withCore(core(64, 2, true, 0, 0))
                                .over(TransportKind.TRANSPORT_KIND_SHARED_MEMORY)),
                new Variant(
                        "disaggregated, chunks of 64, over UCX",
                        both.withCore(core(64, 2, true, 0, 0))
                                .over(TransportKind.TRANSPORT_KIND_UCX)),
                new Variant(
                        "disaggregated, chunks of 64, bits flip on the way",
                        both.withCore(core(64, 2, false, 0, 0))
                                .over(TransportKind.TRANSPORT_KIND_SHARED_MEMORY)
                                .withAround(transport -> new FlippingTransport(transport, SEED))),
                new Variant("disaggregated, preempted", both.withCore(core(512, 2, true, 16, 9))),
                new Variant(
                        "two of each, run-ahead 3",
                        both.withWorkers(2, 2).withCore(core(64, 3, true, 16, 0))));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void tokensAreTheSame(Variant variant) throws Exception {
        if (variant.spec().transports().contains(TransportKind.TRANSPORT_KIND_UCX)) {
            assumeUcx();
        }
        try (TestCluster cluster = new TestCluster(variant.spec());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ApiClient client = new ApiClient(cluster.url());
            List<Callable<JsonNode>> calls = new ArrayList<>();
            for (ObjectNode body : BODIES) {
                calls.add(() -> client.ask("/v1/completions", body).path("choices").path(0));
            }
            List<Future<JsonNode>> answers = threads.invokeAll(calls);
            for (int i = 0; i < REQUESTS; i++) {
                assertThat(ApiClient.tokenIds(answers.get(i).get()))
                        .as(
                                "request %d of %d prompt tokens",
                                i, BODIES.get(i).path("prompt").size())
                        .isEqualTo(ApiClient.tokenIds(ALONE.get(i)));
                assertThat(answers.get(i).get().path("logprobs"))
                        .as("log-probabilities of request %d, bit for bit", i)
                        .isEqualTo(ALONE.get(i).path("logprobs"));
            }
            client.awaitIdle();
            checkThatItHappened(variant, client);
        }
    }

    private static void assumeUcx() {
        try {
            UcxRuntime.open().close();
        } catch (IOException e) {
            Assumptions.abort("skipped: " + e.getMessage());
        }
    }

    /// A variant that does not do what its name says proves nothing.
    private static void checkThatItHappened(Variant variant, ApiClient client) throws Exception {
        CoreOptions core = variant.spec().core();
        if (core.preemptEverySteps() > 0 || variant.spec().kvBytesMax() < 16 << 20) {
            assertThat(preemptions(client)).as("preemptions").isPositive();
        }
        if (variant.name().contains("bits flip")) {
            assertThat(client.metric("tandem_kv_handoffs_failed_total")).isPositive();
        }
        if (variant.spec().prefillWorkers() > 0) {
            assertThat(client.metric("tandem_kv_transferred_bytes_total")).isPositive();
        } else {
            assertThat(client.metric("tandem_kv_transferred_bytes_total")).isZero();
        }
    }

    private static double preemptions(ApiClient client) throws Exception {
        return client.metric("vllm:num_preemptions_total{model_name=\"tandem-tiny\"}");
    }

    private static CoreOptions core(
            int stepTokens, int runAhead, boolean prefixCache, int localPrefill, int preemptEvery) {
        CoreOptions defaults = TestCluster.patient();
        return defaults.withSteps(stepTokens, 64, runAhead)
                .withCache(prefixCache, preemptEvery)
                .withPolicies(
                        defaults.batching(),
                        OptionKeys.with(
                                defaults.placement().withLocalPrefill(localPrefill),
                                "predict-local",
                                "false"),
                        defaults.routing(),
                        defaults.admission());
    }

    /// Lengths from 1 to 900 tokens; some share a prefix; greedy and sampled, with and without penalties. Short
    /// prompts get long answers, so that together they outgrow a small pool.
    private static ObjectNode request(Random random, int index) {
        int length =
                switch (index) {
                    case 0 -> 1;
                    case 1 -> 900;
                    case 2 -> 16;
                    case 3 -> 17;
                    default -> 1 + (int) (900 * Math.pow(random.nextDouble(), 2.5));
                };
        int[] prompt = new int[length];
        for (int i = 0; i < length; i++) {
            boolean shared = index % 4 == 3 && i < 64;
            prompt[i] = shared ? 10 + i : 4 + random.nextInt(1000);
        }
        boolean greedy = index % 2 == 0;
        ObjectNode body =
                ApiClient.body(
                        Map.of(
                                "prompt",
                                prompt,
                                "max_tokens",
                                length < 100 ? 240 : 8 + random.nextInt(25),
                                "temperature",
                                greedy ? 0.0 : 0.7 + random.nextDouble(),
                                "seed",
                                index,
                                "ignore_eos",
                                true,
                                "return_token_ids",
                                true,
                                "logprobs",
                                3));
        if (index % 3 == 1) {
            body.put("top_p", 0.9).put("top_k", 50);
            body.put("repetition_penalty", 1.1)
                    .put("frequency_penalty", 0.2)
                    .put("presence_penalty", 0.1);
        }
        return body;
    }
}
