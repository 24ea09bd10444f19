package dev.tandem.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;

import dev.tandem.load.LoadOptions.Arrivals;
import dev.tandem.load.LoadOptions.Endpoint;
import dev.tandem.load.LoadOptions.Prompts;
import dev.tandem.load.StubServer.Behaviour;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

class LoadGeneratorTest {
    private static final Prompts SHORT = new Prompts.Synthetic(12);

    private final ByteArrayOutputStream progress = new ByteArrayOutputStream();

    @TempDir Path folder;

    @Test
    void aClosedLoopCountsEveryRequestOnce() throws Exception {
        try (var server = new StubServer(Behaviour.ANSWER)) {
            LoadReport report =
                    run(options(server.url(), new Arrivals.ClosedLoop(4), SHORT, 20, 3, null));
            LoadReport.Figures f = report.figures();
            assertThat(server.bodies).hasSize(23); // three of warm-up
            assertThat(server.inFlightMax.get()).isBetween(1, 4);
            assertThat(f.started()).isEqualTo(20);
            assertThat(f.completed()).isEqualTo(20);
            assertThat(f.failed()).isZero();
            assertThat(f.outputTokens()).as("usage, not chunks").isEqualTo(100);
            assertThat(f.promptTokens()).isEqualTo(140);
            assertThat(f.countedByChunks()).isZero();
            assertThat(f.ttft().count()).isEqualTo(20);
            assertThat(f.tpot().count()).isEqualTo(20);
            assertThat(f.itl().count()).as("three chunks with text each").isEqualTo(40);
            assertThat(f.endToEnd().count()).isEqualTo(20);
            assertThat(f.outputTokensPerSecond()).isPositive();
            assertThat(report.model()).isEqualTo("stub");
            assertThat(report.exitCode()).isZero();
            assertThat(report.table())
                    .contains("20 completed, 0 failed", "TTFT", "TPOT", "ITL", "end to end");
        }
    }

    @Test
    void bodiesAskForAStreamWithUsage() throws Exception {
        try (var server = new StubServer(Behaviour.ANSWER)) {
            run(options(server.url(), new Arrivals.ClosedLoop(1), SHORT, 1, 0, null));
            JsonNode body = server.bodies.getFirst();
            assertThat(body.path("model").asText()).isEqualTo("stub");
            assertThat(body.path("stream").asBoolean()).isTrue();
            assertThat(body.path("stream_options").path("include_usage").asBoolean()).isTrue();
            assertThat(body.path("max_tokens").asInt()).isEqualTo(5);
            assertThat(body.path("ignore_eos").asBoolean()).isTrue();
            assertThat(text(body).split(" ")).hasSize(12);
        }
    }

    @Test
    void errorsAreCountedByKind() throws Exception {
        try (var server =
                new StubServer(
                        Behaviour.ANSWER,
                        Behaviour.OVERLOADED,
                        Behaviour.BROKEN,
                        Behaviour.NOT_A_STREAM,
                        Behaviour.ERROR_IN_STREAM,
                        Behaviour.CUT_OFF)) {
            LoadReport report =
                    run(options(server.url(), new Arrivals.ClosedLoop(1), SHORT, 12, 0, null));
            assertThat(report.figures().completed()).isEqualTo(2);
            assertThat(report.figures().failed()).isEqualTo(10);
            assertThat(report.figures().errors())
                    .isEqualTo(
                            Map.of(
                                    "http 429 (queue_full)", 2L,
                                    "http 500", 2L,
                                    "not an event stream", 2L,
                                    "error in the stream (worker_lost)", 2L,
                                    "incomplete stream", 2L));
            assertThat(report.exitCode()).isZero();
            assertThat(report.table()).contains("http 429 (queue_full): 2");
        }
    }

    @Test
    void aSilentServerEndsInTimeouts() throws Exception {
        try (var server = new StubServer(Behaviour.SILENT)) {
            LoadReport report =
                    run(options(server.url(), new Arrivals.ClosedLoop(2), SHORT, 2, 0, null, 300));
            assertThat(report.figures().errors()).isEqualTo(Map.of("timeout", 2L));
            assertThat(report.exitCode()).isEqualTo(1);
            assertThat(report.table()).containsPattern("TTFT +- +-");
        }
    }

    @Test
    void nobodyListeningIsAnErrorNotAHang() throws Exception {
        URI nobody;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = URI.create("http://127.0.0.1:" + socket.getLocalPort());
        }
        assertThatThrownBy(
                        () -> run(options(nobody, new Arrivals.ClosedLoop(1), SHORT, 3, 0, null)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no answer from " + nobody);
        LoadReport report = run(options(nobody, new Arrivals.ClosedLoop(1), SHORT, 3, 0, "given"));
        assertThat(report.figures().errors()).isEqualTo(Map.of("no connection", 3L));
        assertThat(report.exitCode()).isEqualTo(1);
    }

    @Test
    void withoutUsageChunksAreCountedAndItIsSaid() throws Exception {
        try (var server = new StubServer(Behaviour.ANSWER_WITHOUT_USAGE)) {
            LoadReport report =
                    run(options(server.url(), new Arrivals.ClosedLoop(1), SHORT, 4, 0, null));
            assertThat(report.figures().outputTokens()).isEqualTo(12);
            assertThat(report.figures().countedByChunks()).isEqualTo(4);
            assertThat(report.table()).contains("chunks counted");
        }
    }

    @Test
    void theSameSeedAsksTheSame() throws Exception {
        List<String> first = textsOfARun(new Arrivals.OpenLoop(2_000), 7);
        assertThat(textsOfARun(new Arrivals.OpenLoop(2_000), 7))
                .containsExactlyInAnyOrderElementsOf(first);
        assertThat(textsOfARun(new Arrivals.OpenLoop(2_000), 8)).doesNotContainAnyElementsOf(first);
    }

    @Test
    void anOpenLoopStartsAllWithinItsBound() throws Exception {
        try (var server = new StubServer(Behaviour.ANSWER)) {
            LoadReport report =
                    run(options(server.url(), new Arrivals.OpenLoop(1_000), SHORT, 50, 0, null));
            assertThat(report.figures().completed()).isEqualTo(50);
            assertThat(server.inFlightMax.get()).isLessThanOrEqualTo(16);
        }
    }

    /// The first request holds the only slot until its time is up; the others were due within milliseconds of it, so the
    /// wait is theirs, however fast they are answered then.
    @Test
    void waitingForAStalledServerCountsAsLatency() throws Exception {
        try (var server = new StubServer(Behaviour.SILENT, Behaviour.ANSWER, Behaviour.ANSWER)) {
            LoadReport report =
                    run(
                            new LoadOptions(
                                    server.url(),
                                    Endpoint.CHAT,
                                    "stub",
                                    null,
                                    new Arrivals.OpenLoop(1_000),
                                    SHORT,
                                    3,
                                    0,
                                    5,
                                    false,
                                    0,
                                    400,
                                    1,
                                    1,
                                    false,
                                    null));
            assertThat(report.figures().errors()).isEqualTo(Map.of("timeout", 1L));
            assertThat(report.figures().completed()).isEqualTo(2);
            assertThat(report.figures().ttft().p50Millis()).isGreaterThan(300);
            assertThat(report.figures().startsLateMillisMax()).isGreaterThan(300);
        }
    }

    @Test
    void aReplayTakesLengthsAndSharedPrefixesFromTheTrace() throws Exception {
        Path trace = folder.resolve("trace.jsonl");
        Files.writeString(
                trace,
                """
                {"timestamp": 0, "input_length": 600, "output_length": 3, "hash_ids": [1, 2]}
                {"timestamp": 1000, "input_length": 700, "output_length": 400, "hash_ids": [1, 3]}
                {"timestamp": 2000, "input_length": 20, "output_length": 4, "hash_ids": [4]}
                """);
        try (var server = new StubServer(Behaviour.ANSWER)) {
            var arrivals = new Arrivals.Replay(trace, 1e6);
            LoadReport report =
                    run(
                            options(
                                    server.url(),
                                    arrivals,
                                    new Prompts.Synthetic(Integer.MAX_VALUE),
                                    0,
                                    1,
                                    null));
            assertThat(report.figures().completed()).isEqualTo(3);
            Map<Integer, JsonNode> byLength = new TreeMap<>();
            server.bodies
                    .subList(1, 4)
                    .forEach(body -> byLength.put(text(body).split(" ").length, body));
            assertThat(byLength.keySet()).containsExactly(20, 600, 700);
            JsonNode six = byLength.getOrDefault(600, MissingNode.getInstance());
            JsonNode seven = byLength.getOrDefault(700, MissingNode.getInstance());
            assertThat(six.path("max_tokens").asInt()).isEqualTo(3);
            assertThat(seven.path("max_tokens").asInt()).as("at most max_tokens").isEqualTo(5);
            List<String> one = List.of(text(six).split(" "));
            List<String> other = List.of(text(seven).split(" "));
            assertThat(one.subList(0, 512)).isEqualTo(other.subList(0, 512));
            assertThat(one.subList(512, 600)).isNotEqualTo(other.subList(512, 600));
            assertThat(List.of(text(server.bodies.getFirst()).split(" ")))
                    .as("warm-up")
                    .hasSize(600)
                    .isNotEqualTo(one);
        }
    }

    @Test
    void promptsComeFromAFileInTurn() throws Exception {
        Path file = folder.resolve("prompts.jsonl");
        Files.writeString(
                file,
                "{\"prompt\": \"first\"}\n\n"
                        + "{\"messages\": [{\"role\": \"user\", \"content\": \"second\"}],"
                        + " \"max_tokens\": 2}\n");
        try (var server = new StubServer(Behaviour.ANSWER)) {
            run(
                    options(
                            server.url(),
                            new Arrivals.ClosedLoop(1),
                            new Prompts.FromFile(file),
                            3,
                            0,
                            null));
            assertThat(server.bodies)
                    .extracting(LoadGeneratorTest::text)
                    .containsExactly("first", "second", "first");
            assertThat(server.bodies)
                    .extracting(body -> body.path("max_tokens").asInt())
                    .containsExactly(5, 2, 5);
        }
        Files.writeString(file, "{\"prompt\": \"a\"}\n{\"text\": \"b\"}\n");
        assertThatThrownBy(
                        () ->
                                run(
                                        options(
                                                URI.create("http://127.0.0.1:9"),
                                                new Arrivals.ClosedLoop(1),
                                                new Prompts.FromFile(file),
                                                1,
                                                0,
                                                "m")))
                .hasMessageContaining("line 2: needs messages or a prompt");
    }

    @Test
    void completionsWithAKeyAndAJsonReport() throws Exception {
        Path json = folder.resolve("report.json");
        try (var server = new StubServer(Behaviour.ANSWER)) {
            var options =
                    new LoadOptions(
                            URI.create(server.url() + "/v1/"),
                            Endpoint.COMPLETIONS,
                            "other",
                            "secret",
                            new Arrivals.ClosedLoop(2),
                            SHORT,
                            5,
                            60,
                            5,
                            false,
                            0,
                            10_000,
                            16,
                            99,
                            true,
                            json);
            run(options);
            assertThat(server.authorizations).containsOnly("Bearer secret");
            assertThat(server.bodies.getFirst().path("prompt").asText()).isNotEmpty();
            assertThat(server.bodies.getFirst().has("ignore_eos")).isFalse();
            assertThat(options.toString()).doesNotContain("secret");
        }
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.path("seed").asLong()).isEqualTo(99);
        assertThat(report.path("model").asText()).isEqualTo("other");
        assertThat(report.path("requests").path("completed").asInt()).isEqualTo(5);
        assertThat(report.path("ttft_ms").path("count").asInt()).isEqualTo(5);
        assertThat(report.path("e2e_ms").has("p99")).isTrue();
        assertThat(Files.readString(json)).doesNotContain("secret");
        assertThat(progress.toString(StandardCharsets.UTF_8)).contains("done 5  in flight 0");
    }

    @Test
    void wrongOptionsAreRefused() {
        assertThatThrownBy(() -> new Arrivals.ClosedLoop(0)).hasMessageContaining("concurrency");
        assertThatThrownBy(() -> new Arrivals.OpenLoop(Double.NaN)).hasMessageContaining("rate");
        assertThatThrownBy(() -> LoadOptions.of(URI.create("localhost:8000")))
                .hasMessageContaining("http://HOST");
        assertThatThrownBy(
                        () ->
                                options(
                                        URI.create("http://x"),
                                        new Arrivals.OpenLoop(1),
                                        SHORT,
                                        0,
                                        0,
                                        null))
                .hasMessageContaining("requests or of seconds");
    }

    private List<String> textsOfARun(Arrivals arrivals, long seed) throws Exception {
        try (var server = new StubServer(Behaviour.ANSWER)) {
            LoadOptions o = options(server.url(), arrivals, new Prompts.Synthetic(30), 10, 0, null);
            run(
                    new LoadOptions(
                            o.url(),
                            o.endpoint(),
                            o.model(),
                            o.apiKey(),
                            arrivals,
                            o.prompts(),
                            10,
                            0,
                            5,
                            true,
                            0,
                            60_000,
                            16,
                            seed,
                            false,
                            null));
            return server.bodies.stream().map(LoadGeneratorTest::text).toList();
        }
    }

    private LoadReport run(LoadOptions options) throws IOException, InterruptedException {
        return LoadGenerator.run(options, new PrintStream(progress, true, StandardCharsets.UTF_8));
    }

    private static LoadOptions options(
            URI url,
            Arrivals arrivals,
            Prompts prompts,
            int requests,
            int warmUp,
            @Nullable String model) {
        return options(url, arrivals, prompts, requests, warmUp, model, 60_000);
    }

    private static LoadOptions options(
            URI url,
            Arrivals arrivals,
            Prompts prompts,
            int requests,
            int warmUp,
            @Nullable String model,
            long requestMillisMax) {
        return new LoadOptions(
                url,
                Endpoint.CHAT,
                model,
                null,
                arrivals,
                prompts,
                requests,
                0,
                5,
                true,
                warmUp,
                requestMillisMax,
                16,
                1,
                false,
                null);
    }

    private static String text(JsonNode body) {
        return body.path("messages").path(0).path("content").asText();
    }
}
