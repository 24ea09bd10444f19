package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Clients that leave and processes that die while answers stream: two prefill and two decode workers, any of which may
/// be killed without a client noticing more than a pause.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(300)
class LifeTest {
    private static final long SEED = Long.getLong("tandem.seed", 20261124L);
    private static final String REPEAT = "repeat with -Dtest=LifeTest -Dtandem.seed=" + SEED;
    private static final int STREAMS = 8;
    private static final int PROMPT_TOKENS = 1_200;
    private static final int OUTPUT_TOKENS = 160;
    private static final int KILLS_MAX = 5;
    private static final long AWAIT_SECONDS_MAX = 60;
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final String RUNNING = "vllm:num_requests_running{model_name=\"tandem-tiny\"}";
    private static final String ABORTED =
            "vllm:request_success_total{finished_reason=\"abort\",model_name=\"tandem-tiny\"}";
    private static final List<ObjectNode> BODIES = new ArrayList<>();
    private static final List<List<Integer>> UNDISTURBED = new ArrayList<>();

    private static ServeProcess serve;
    private static ApiClient client;
    private static int salts;

    @BeforeAll
    static void start() throws Exception {
        serve = ServeProcess.start("--prefill-workers", "2", "--decode-workers", "2");
        client = new ApiClient(serve.url());
        Random random = new Random(SEED);
        for (int i = 0; i < STREAMS; i++) {
            BODIES.add(request(random, i));
        }
        for (TokenStream stream : openAll()) {
            UNDISTURBED.add(stream.awaitEnd());
            stream.close();
        }
        assertThat(UNDISTURBED).allSatisfy(tokens -> assertThat(tokens).hasSize(OUTPUT_TOKENS));
    }

    @AfterAll
    static void stop() throws Exception {
        if (serve != null) {
            serve.close();
        }
    }

    @Test
    void aClientThatLeavesFreesEverything() throws Exception {
        double aborted = client.metric(ABORTED);
        for (int i = 0; i < 3; i++) {
            ObjectNode endless = BODIES.get(i).deepCopy().put("max_tokens", 2_800);
            try (TokenStream stream = new TokenStream(serve.url(), endless)) {
                stream.awaitTokens(5);
                assertThat(stream.isOver()).isFalse();
            }
        }
        awaitMetric(RUNNING, 0);
        client.awaitIdle();
        assertThat(client.metric(ABORTED) - aborted)
                .as("streams that ended because their client had left")
                .isEqualTo(3);
    }

    /// Tokens have begun to flow on some streams while other prompts are still being computed or moved.
    @ParameterizedTest
    @ValueSource(strings = {"prefill-0", "decode-1"})
    void aKilledWorkerIsNotNoticedByAnyStream(String name) throws Exception {
        double recomputes = client.metric("tandem_recomputes_total");
        for (int kills = 0; client.metric("tandem_recomputes_total") == recomputes; kills++) {
            assertThat(kills)
                    .as("kills of %s that hit no sequence, %s", name, REPEAT)
                    .isLessThan(KILLS_MAX);
            List<TokenStream> streams = openAll();
            if (name.startsWith("prefill")) {
                streams.getFirst().awaitTokens(1);
            } else {
                for (TokenStream stream : streams) {
                    stream.awaitTokens(3);
                }
            }
            ProcessHandle old = serve.worker(name);
            assertThat(old.destroyForcibly()).isTrue();
            for (int i = 0; i < STREAMS; i++) {
                assertThat(streams.get(i).awaitEnd())
                        .as("tokens of stream %d, %s", i, REPEAT)
                        .isEqualTo(UNDISTURBED.get(i));
                streams.get(i).close();
            }
            awaitMetric("tandem_workers{role=\"prefill\"}", 2);
            awaitMetric("tandem_workers{role=\"decode\"}", 2);
            assertThat(serve.worker(name).pid()).isNotEqualTo(old.pid());
            awaitMetric(RUNNING, 0);
            client.awaitIdle();
        }
    }

    @Test
    void killingServeLeavesNoProcessBehind() throws Exception {
        ServeProcess other = ServeProcess.start("--prefill-workers", "0");
        List<ProcessHandle> children = other.children();
        assertThat(children).hasSize(2).allMatch(ProcessHandle::isAlive);
        try (TokenStream stream = new TokenStream(other.url(), BODIES.getFirst())) {
            stream.awaitTokens(5);
            other.kill();
            for (ProcessHandle child : children) {
                child.onExit().get(AWAIT_SECONDS_MAX, TimeUnit.SECONDS);
            }
        }
        assertThat(client.get("/health").statusCode()).as("another serve beside it").isEqualTo(200);
    }

    /// The last one: the server of this class is gone then.
    @Test
    @Order(Integer.MAX_VALUE)
    void sigtermLetsAStreamFinishAndEndsWithCode0() throws Exception {
        List<ProcessHandle> children = serve.children();
        assertThat(children).hasSize(5);
        ObjectNode body = BODIES.getFirst().deepCopy().put("max_tokens", 1_000);
        try (TokenStream stream = new TokenStream(serve.url(), body)) {
            stream.awaitTokens(5);
            serve.terminate();
            assertThat(stream.awaitEnd())
                    .as(REPEAT)
                    .hasSize(1_000)
                    .startsWith(UNDISTURBED.getFirst().toArray(Integer[]::new));
        }
        assertThat(serve.awaitExit()).isZero();
        assertThat(children).noneMatch(ProcessHandle::isAlive);
    }

    /// Every round computes its prompts anew: the salt keeps them out of each other's prefix caches.
    private static List<TokenStream> openAll() throws Exception {
        salts++;
        List<TokenStream> streams = new ArrayList<>();
        for (ObjectNode body : BODIES) {
            streams.add(
                    new TokenStream(
                            serve.url(), body.deepCopy().put("cache_salt", "round " + salts)));
        }
        return streams;
    }

    private static void awaitMetric(String series, double value) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(AWAIT_SECONDS_MAX);
        while (client.metric(series) != value) {
            assertThat(System.nanoTime())
                    .as("%s is not %s in time:%n%s", series, value, client.get("/metrics").body())
                    .isLessThan(deadline);
            LockSupport.parkNanos(POLL_NANOS); // the servers need the cores
        }
    }

    private static ObjectNode request(Random random, int index) {
        int[] prompt = random.ints(PROMPT_TOKENS + 16 * index, 4, 1_000).toArray();
        return ApiClient.body(
                Map.of(
                        "prompt",
                        prompt,
                        "max_tokens",
                        OUTPUT_TOKENS,
                        "temperature",
                        index % 2 == 0 ? 0.0 : 0.9,
                        "seed",
                        index,
                        "ignore_eos",
                        true));
    }
}
