package dev.tandem.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tandem.api.ScriptedService.Running;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// Pages, draining, clients that leave, read slowly or are too many.
class HttpFrontLifeTest {
    private static final String COMPLETIONS = "/v1/completions";

    @Test
    void servesItsPages() throws Exception {
        try (var fixture = new FrontFixture()) {
            assertThat(fixture.get("/health").statusCode()).isEqualTo(200);
            HttpResponse<String> metrics = fixture.get("/metrics");
            assertThat(metrics.headers().firstValue("content-type").orElseThrow())
                    .startsWith("text/plain; version=0.0.4");
            assertThat(metrics.body()).isEqualTo(FrontFixture.METRICS);
            assertThat(fixture.get("/version").body()).isEqualTo("{\"version\":\"1.2.3\"}");
            JsonNode models = FrontFixture.JSON.readTree(fixture.get("/v1/models").body());
            assertThat(models.at("/object").asText()).isEqualTo("list");
            assertThat(models.at("/data/0/id").asText()).isEqualTo(FrontFixture.MODEL);
            assertThat(models.at("/data/0/max_model_len").asInt())
                    .isEqualTo(FrontFixture.CONTEXT_TOKENS);
            JsonNode model =
                    FrontFixture.JSON.readTree(
                            fixture.get("/v1/models/" + FrontFixture.MODEL).body());
            assertThat(model).isEqualTo(models.at("/data/0"));
            assertThat(fixture.get("/v1/models/lab%2Fbyte-model").statusCode()).isEqualTo(200);
            HttpResponse<String> unknown = fixture.get("/v1/models/other");
            assertThat(unknown.statusCode()).isEqualTo(404);
            assertThat(unknown.body()).contains("model_not_found");
        }
    }

    @Test
    void answersHeadWithoutABody() throws Exception {
        try (var fixture = new FrontFixture()) {
            var request = HttpRequest.newBuilder(fixture.uri("/health")).HEAD().build();
            HttpResponse<String> response = fixture.client.send(request, BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEmpty();
        }
    }

    @Test
    void isUnhealthyUntilAWorkerIsThere() throws Exception {
        try (var fixture = new FrontFixture()) {
            fixture.service.ready = false;
            assertThat(fixture.get("/health").statusCode()).isEqualTo(503);
            fixture.service.ready = true;
            assertThat(fixture.get("/health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void echoesAUsableRequestIdAndReplacesAnother() throws Exception {
        try (var fixture = new FrontFixture()) {
            assertThat(requestId(fixture, "abc-123")).isEqualTo("abc-123");
            assertThat(requestId(fixture, "x".repeat(200))).startsWith("req-");
        }
    }

    @Test
    void servesHttp2AndTheUpgradeToIt() throws Exception {
        try (var fixture = new FrontFixture();
                var http2 = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            String prompt = "y".repeat(150);
            for (int i = 0; i < 2; i++) { // the upgrade, then the upgraded connection
                HttpResponse<String> response =
                        http2.send(
                                fixture.request(
                                        COMPLETIONS,
                                        "{\"prompt\":\"" + prompt + "\",\"stream\":true}"),
                                BodyHandlers.ofString());
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(FrontFixture.events(response.body()).getLast()).isEqualTo("[DONE]");
            }
        }
    }

    @Test
    void drainsWithoutTakingNewRequests() throws Exception {
        try (var fixture = new FrontFixture()) {
            fixture.service.paced = true;
            CompletableFuture<HttpResponse<String>> running =
                    fixture.client.sendAsync(
                            fixture.request(COMPLETIONS, "{\"prompt\":\"a\"}"),
                            BodyHandlers.ofString());
            fixture.service.submitted.take();

            fixture.front.beginDrain();

            assertThat(fixture.get("/health").statusCode()).isEqualTo(404);
            HttpResponse<String> refused = fixture.post(COMPLETIONS, "{\"prompt\":\"a\"}");
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.headers().firstValue("retry-after")).isPresent();
            assertThat(fixture.front.awaitIdle(0)).isFalse();
            fixture.service.pace.release(100);
            assertThat(running.join().statusCode()).isEqualTo(200);
            assertThat(fixture.front.awaitIdle(60_000)).isTrue();
        }
    }

    @Test
    void closingEndsWhatIsInWorkWithAnError() throws Exception {
        var fixture = new FrontFixture();
        fixture.service.paced = true;
        CompletableFuture<HttpResponse<String>> running =
                fixture.client.sendAsync(
                        fixture.request(COMPLETIONS, "{\"prompt\":\"a\"}"),
                        BodyHandlers.ofString());
        Running sequence = fixture.service.submitted.take();

        fixture.front.close();

        sequence.cancelled.await();
        assertThat(running.join().statusCode()).isEqualTo(503);
        fixture.close();
    }

    @Test
    void refusesMoreRequestsThanItTakes() throws Exception {
        try (var fixture =
                new FrontFixture(limits(60_000, 60_000, 1), FrontFixture.CONTEXT_TOKENS)) {
            fixture.service.paced = true;
            CompletableFuture<HttpResponse<String>> running =
                    fixture.client.sendAsync(
                            fixture.request(COMPLETIONS, "{\"prompt\":\"a\"}"),
                            BodyHandlers.ofString());
            fixture.service.submitted.take();

            HttpResponse<String> refused = fixture.post(COMPLETIONS, "{\"prompt\":\"a\"}");

            assertThat(refused.statusCode()).isEqualTo(429);
            assertThat(refused.headers().firstValue("retry-after-ms")).isPresent();
            fixture.service.pace.release(100);
            assertThat(running.join().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aRequestThatTakesTooLongFailsAndIsCancelled() throws Exception {
        try (var fixture = new FrontFixture(limits(60_000, 100, 8), FrontFixture.CONTEXT_TOKENS)) {
            fixture.service.paced = true; // and no token ever comes
            HttpResponse<String> response = fixture.post(COMPLETIONS, "{\"prompt\":\"a\"}");

            assertThat(response.statusCode()).isEqualTo(504);
            assertThat(response.body()).contains("\"code\":\"timeout\"");
            fixture.service.submitted.take().cancelled.await();
        }
    }

    @Test
    void aBodyThatNeverEndsIsGivenUp() throws Exception {
        try (var fixture = new FrontFixture(limits(100, 60_000, 1), FrontFixture.CONTEXT_TOKENS);
                var socket = new Socket("127.0.0.1", fixture.port)) {
            byte[] request = rawRequest("{\"prompt\":\"a\"}");
            socket.getOutputStream().write(request, 0, request.length - 3);

            readUntil(socket.getInputStream(), "HTTP/1.1 408 ");

            assertThat(fixture.front.awaitIdle(60_000)).isTrue();
        }
    }

    @Test
    void aServiceThatSendsMoreThanAskedForFailsTheRequest() throws Exception {
        try (var fixture = new FrontFixture()) {
            fixture.service.overrun = true;

            HttpResponse<String> response =
                    fixture.post(
                            COMPLETIONS, "{\"prompt\":\"a\",\"max_tokens\":1,\"ignore_eos\":true}");

            assertThat(response.statusCode()).isEqualTo(500);
            assertThat(response.body()).contains("internal_error").doesNotContain("Exception");
            fixture.service.submitted.take().cancelled.await();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesCancelsAllItsChoices(boolean stream) throws Exception {
        try (var fixture = new FrontFixture()) {
            fixture.service.paced = true;
            String body =
                    "{\"prompt\":\"a\",\"n\":2,\"max_tokens\":100,\"ignore_eos\":true,\"stream\":"
                            + stream
                            + "}";
            try (var socket = new Socket("127.0.0.1", fixture.port)) {
                socket.getOutputStream().write(rawRequest(body));
                if (stream) {
                    fixture.service.pace.release(6);
                    readUntil(socket.getInputStream(), "data: ");
                }
                Running first = fixture.service.submitted.take();
                Running second = fixture.service.submitted.take();
                socket.close();

                first.cancelled.await();
                second.cancelled.await();
                assertThat(first.generated()).isLessThan(100);
            }
            fixture.service.paced = false;
            fixture.service.pace.release(1000);
            assertThat(fixture.front.awaitIdle(60_000)).isTrue();
            assertThat(fixture.answer(COMPLETIONS, "{\"prompt\":\"a\"}").has("usage")).isTrue();
        }
    }

    @Test
    void aClientThatResetsItsHttp2StreamCancels() throws Exception {
        try (var fixture = new FrontFixture();
                var http2 = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            http2.send(
                    HttpRequest.newBuilder(fixture.uri("/health")).build(),
                    BodyHandlers.ofString()); // the upgrade
            fixture.service.paced = true;
            fixture.service.pace.release(3);
            HttpResponse<InputStream> response =
                    http2.send(
                            fixture.request(
                                    COMPLETIONS,
                                    "{\"prompt\":\"a\",\"ignore_eos\":true,\"stream\":true}"),
                            BodyHandlers.ofInputStream());
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            Running sequence = fixture.service.submitted.take();

            response.body().close();

            sequence.cancelled.await();
            fixture.service.pace.release(100);
        }
    }

    @Test
    void aReaderThatDoesNotReadGetsAllLaterInFewChunks() throws Exception {
        int tokens = 200_000;
        try (var fixture = new FrontFixture(FrontFixture.options(), tokens + 10)) {
            fixture.service.endless = true;
            fixture.service.scripts = _ -> ByteTokenizer.bytesOf("0123456789");
            HttpResponse<InputStream> response =
                    fixture.client.send(
                            fixture.request(
                                    COMPLETIONS,
                                    "{\"prompt\":\"a\",\"stream\":true,\"max_tokens\":"
                                            + tokens
                                            + "}"),
                            BodyHandlers.ofInputStream());
            fixture.service.submitted.take().ended.await();

            List<String> events =
                    FrontFixture.events(
                            new String(response.body().readAllBytes(), StandardCharsets.UTF_8));

            var text = new StringBuilder();
            for (String event : events.subList(0, events.size() - 1)) {
                text.append(FrontFixture.JSON.readTree(event).at("/choices/0/text").asText());
            }
            assertThat(text.toString()).isEqualTo("0123456789".repeat(tokens / 10));
            assertThat(events).hasSizeLessThan(tokens / 2);
        }
    }

    private static FrontOptions limits(long bodyMillisMax, long requestMillisMax, int requestsMax) {
        FrontOptions defaults = FrontFixture.options();
        return new FrontOptions(
                defaults.host(),
                defaults.port(),
                defaults.modelName(),
                defaults.version(),
                defaults.bodyBytesMax(),
                bodyMillisMax,
                requestMillisMax,
                requestsMax,
                8,
                8);
    }

    private static String requestId(FrontFixture fixture, String given) throws Exception {
        var request =
                HttpRequest.newBuilder(fixture.uri("/health"))
                        .header("X-Request-Id", given)
                        .build();
        return fixture.client
                .send(request, BodyHandlers.discarding())
                .headers()
                .firstValue("x-request-id")
                .orElseThrow();
    }

    private static byte[] rawRequest(String body) {
        return ("POST /v1/completions HTTP/1.1\r\n"
                        + "Host: localhost\r\n"
                        + "Content-Type: application/json\r\n"
                        + "Content-Length: "
                        + body.length()
                        + "\r\n\r\n"
                        + body)
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static void readUntil(InputStream in, String start) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        String line = lines.readLine();
        while (line != null && !line.startsWith(start)) {
            line = lines.readLine();
        }
        assertThat(line).isNotNull();
    }
}
