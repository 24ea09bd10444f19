package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.admission.Lane;
import dev.tandem.admission.TenantLimits;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.core.CoreOptions;
import dev.tandem.sim.cluster.OptionKeys;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// The policies as a client meets them: tenants, lanes, deadlines, output caps and refusals, through the HTTP front. One
/// worker that runs one sequence at a time, kept busy by an endless stream while the others queue up.
@Timeout(300)
class PolicyTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final String WAITING = "vllm:num_requests_waiting{model_name=\"tandem-tiny\"}";
    private static final long AWAIT_SECONDS_MAX = 60;
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int OUTPUT_TOKENS = 32;

    private static CoreOptions oneAtATime() {
        CoreOptions options = CoreOptions.defaults().withSteps(512, 1, 2);
        options = OptionKeys.with(options, "batching.cap", "fixed");
        return OptionKeys.with(options, "admission.rules", "tenant-budget,queue-limit,deadline");
    }

    private static TestCluster cluster(CoreOptions options) throws Exception {
        return new TestCluster(
                TestCluster.Spec.disaggregated().withWorkers(0, 1).withCore(options));
    }

    private static ObjectNode body(int outputTokens) {
        return ApiClient.body(
                Map.of(
                        "prompt",
                        new int[] {5, 6, 7, 8},
                        "max_tokens",
                        outputTokens,
                        "temperature",
                        0,
                        "ignore_eos",
                        true,
                        "return_token_ids",
                        true));
    }

    /// Occupies the worker until it is closed.
    private static TokenStream endless(TestCluster cluster) throws Exception {
        var stream = new TokenStream(cluster.url(), body(3_000));
        stream.awaitTokens(1);
        return stream;
    }

    private static void awaitWaiting(ApiClient client, int sequences) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(AWAIT_SECONDS_MAX);
        while (client.metric(WAITING) != sequences) {
            assertThat(System.nanoTime())
                    .as("%d waiting sequences:%n%s", sequences, client.get("/metrics").body())
                    .isLessThan(deadline);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /// Asks in the background and notes the name when the answer is complete.
    private static Future<?> ask(
            ExecutorService threads,
            ApiClient client,
            ObjectNode body,
            List<String> answered,
            String name,
            String... headers) {
        return threads.submit(
                () -> {
                    byte[] bytes = ApiClient.JSON.writeValueAsBytes(body);
                    HttpResponse<String> response = client.post(COMPLETIONS, bytes, headers);
                    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
                    answered.add(name);
                    return null;
                });
    }

    private static JsonNode error(HttpResponse<String> response) throws Exception {
        return ApiClient.JSON.readTree(response.body()).path("error");
    }

    private static long count(List<String> names, String name) {
        return names.stream().filter(name::equals).count();
    }

    @Test
    void underSaturationTenantsAreServedByTheirWeights() throws Exception {
        CoreOptions options = oneAtATime();
        options =
                options.withPolicies(
                        options.batching(),
                        options.placement(),
                        options.routing(),
                        options.admission()
                                .withTenants(
                                        List.of(
                                                new TenantLimits(
                                                        "heavy", 3, 0, 0, Lane.INTERACTIVE),
                                                new TenantLimits(
                                                        "light", 1, 0, 0, Lane.INTERACTIVE))));
        try (TestCluster cluster = cluster(options);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ApiClient client = new ApiClient(cluster.url());
            List<String> answered = Collections.synchronizedList(new ArrayList<>());
            List<Future<?>> calls = new ArrayList<>();
            try (TokenStream busy = endless(cluster)) {
                assertThat(busy.isOver()).isFalse();
                for (int i = 0; i < 16; i++) {
                    for (String tenant : List.of("heavy", "light")) {
                        calls.add(
                                ask(
                                        threads,
                                        client,
                                        body(OUTPUT_TOKENS),
                                        answered,
                                        tenant,
                                        "X-Tandem-Tenant",
                                        tenant));
                    }
                }
                awaitWaiting(client, calls.size());
            }
            for (Future<?> call : calls) {
                call.get();
            }
            // 3 : 1 by weight is 12 : 4; one more or less at either end.
            assertThat(count(answered.subList(0, 16), "heavy"))
                    .as("answers to the heavy tenant among the first 16: %s", answered)
                    .isBetween(10L, 14L);
        }
    }

    @Test
    void batchWorkWaitsBehindInteractiveWork() throws Exception {
        try (TestCluster cluster = cluster(oneAtATime());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ApiClient client = new ApiClient(cluster.url());
            List<String> answered = Collections.synchronizedList(new ArrayList<>());
            List<Future<?>> calls = new ArrayList<>();
            try (TokenStream busy = endless(cluster)) {
                assertThat(busy.isOver()).isFalse();
                for (int i = 0; i < 5; i++) {
                    ObjectNode batch = body(OUTPUT_TOKENS).put("priority", 1);
                    calls.add(ask(threads, client, batch, answered, "batch"));
                }
                awaitWaiting(client, 5);
                for (int i = 0; i < 5; i++) {
                    ObjectNode urgent = body(OUTPUT_TOKENS).put("service_tier", "priority");
                    calls.add(ask(threads, client, urgent, answered, "interactive"));
                }
                awaitWaiting(client, 10);
            }
            for (Future<?> call : calls) {
                call.get();
            }
            // Batch is guaranteed a seventh of what the two lanes share.
            assertThat(count(answered.subList(0, 5), "interactive"))
                    .as("interactive among the first 5 answers: %s", answered)
                    .isGreaterThanOrEqualTo(4);
        }
    }

    @Test
    void whatCantBeDoneInTimeFailsAtOnceAndIsNotToBeRepeated() throws Exception {
        try (TestCluster cluster = cluster(oneAtATime())) {
            ApiClient client = new ApiClient(cluster.url());
            byte[] bytes = ApiClient.JSON.writeValueAsBytes(body(200));
            HttpResponse<String> late =
                    client.post(COMPLETIONS, bytes, "X-Request-Timeout-Ms", "1");
            assertThat(late.statusCode()).as(late.body()).isEqualTo(504);
            assertThat(error(late).path("code").asText())
                    .isIn("deadline_unreachable", "deadline_exceeded");
            assertThat(late.headers().firstValue("x-should-retry")).hasValue("false");
            assertThat(late.headers().firstValue("retry-after")).isEmpty();
            HttpResponse<String> inTime =
                    client.post(COMPLETIONS, bytes, "X-Request-Timeout-Ms", "86400000");
            assertThat(inTime.statusCode()).as(inTime.body()).isEqualTo(200);
            client.awaitIdle();
        }
    }

    @Test
    void aFullQueueSaysWhenToComeBack() throws Exception {
        CoreOptions options = OptionKeys.with(oneAtATime(), "admission.queued-sequences-max", "3");
        try (TestCluster cluster = cluster(options);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ApiClient client = new ApiClient(cluster.url());
            List<String> answered = Collections.synchronizedList(new ArrayList<>());
            List<Future<?>> calls = new ArrayList<>();
            try (TokenStream busy = endless(cluster)) {
                assertThat(busy.isOver()).isFalse();
                for (int i = 0; i < 3; i++) {
                    calls.add(ask(threads, client, body(OUTPUT_TOKENS), answered, "queued"));
                }
                awaitWaiting(client, 3);
                HttpResponse<String> refused =
                        client.post(COMPLETIONS, ApiClient.JSON.writeValueAsBytes(body(8)));
                assertThat(refused.statusCode()).as(refused.body()).isEqualTo(429);
                assertThat(error(refused).path("code").asText()).isEqualTo("rate_limit_exceeded");
                long millis = header(refused, "retry-after-ms");
                assertThat(millis).isBetween(1_000L, 60_000L);
                assertThat(header(refused, "retry-after")).isEqualTo(Math.ceilDiv(millis, 1000));
                awaitMetric(client, "tandem_requests_refused_total", 1);
            }
            for (Future<?> call : calls) {
                call.get();
            }
            assertThat(answered).hasSize(3);
        }
    }

    private static long header(HttpResponse<String> response, String name) {
        return Long.parseLong(response.headers().firstValue(name).orElseThrow());
    }

    private static void awaitMetric(ApiClient client, String series, double value)
            throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(AWAIT_SECONDS_MAX);
        while (client.metric(series) != value) {
            assertThat(System.nanoTime()).as(series).isLessThan(deadline);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Test
    void aClassCapsTheOutputOfItsRouteAndOfThoseThatNameIt() throws Exception {
        CoreOptions options = oneAtATime();
        options =
                options.withPolicies(
                        options.batching(),
                        options.placement(),
                        options.routing(),
                        options.admission()
                                .withClasses(
                                        List.of(
                                                new WorkloadClass(
                                                        "terse",
                                                        List.of(COMPLETIONS),
                                                        Lane.DEFAULT,
                                                        0,
                                                        0,
                                                        5,
                                                        5),
                                                new WorkloadClass(
                                                        "long",
                                                        List.of(),
                                                        Lane.DEFAULT,
                                                        0,
                                                        0,
                                                        7,
                                                        7))));
        try (TestCluster cluster = cluster(options)) {
            ApiClient client = new ApiClient(cluster.url());
            byte[] bytes = ApiClient.JSON.writeValueAsBytes(body(50));
            JsonNode byRoute = choice(client.post(COMPLETIONS, bytes));
            assertThat(ApiClient.tokenIds(byRoute)).hasSize(5);
            assertThat(byRoute.path("finish_reason").asText()).isEqualTo("length");
            JsonNode byName = choice(client.post(COMPLETIONS, bytes, "X-Tandem-Class", "long"));
            assertThat(ApiClient.tokenIds(byName)).hasSize(7);
            String metrics = client.get("/metrics").body();
            assertThat(metrics)
                    .contains("tandem_worker_sequences_max{worker=\"decode-0\"}")
                    .contains("tandem_worker_queue_seconds{worker=\"decode-0\"}")
                    .contains("tandem_worker_slowness{worker=\"decode-0\"}");
        }
    }

    private static JsonNode choice(HttpResponse<String> response) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return ApiClient.JSON.readTree(response.body()).path("choices").path(0);
    }
}
