package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// Bad input of every kind against the real server: a clear refusal in OpenAI's form, and a good question right after it
/// is answered by the same processes.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@Timeout(300)
class BadInputTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String COMPLETIONS = "/v1/completions";
    private static final String GOOD =
            "{\"model\":\"tandem-tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Add 7 and"
                    + " 8.\"}],\"temperature\":0}";

    private static ServeProcess serve;
    private static ApiClient client;
    private static List<Long> processes;

    /// @param part of the error's message
    record Bad(String name, String path, byte[] body, int status, String part) {
        static Bad of(String name, String path, String body, int status, String part) {
            return new Bad(name, path, body.getBytes(StandardCharsets.UTF_8), status, part);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        serve = ServeProcess.start();
        client = new ApiClient(serve.url());
        processes = pids();
    }

    @AfterAll
    static void stop() throws Exception {
        if (serve != null) {
            serve.close();
        }
    }

    @AfterEach
    void aGoodQuestionIsAnswered() throws Exception {
        HttpResponse<String> response = client.post(CHAT, GOOD.getBytes(StandardCharsets.UTF_8));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(
                        ApiClient.JSON
                                .readTree(response.body())
                                .at("/choices/0/message/content")
                                .asText())
                .endsWith("The answer is 15.");
        assertThat(pids()).as("no process was started anew").isEqualTo(processes);
    }

    static Stream<Bad> bodies() {
        byte[] invalidUtf8 = GOOD.getBytes(StandardCharsets.UTF_8);
        invalidUtf8[GOOD.indexOf("Add")] = (byte) 0xc3;
        String longText = "word ".repeat(5_000);
        String longIds = "5,".repeat(4_096) + "5";
        return Stream.of(
                Bad.of("nothing", CHAT, "", 400, "must be a JSON object"),
                Bad.of("broken JSON", CHAT, GOOD.substring(0, 60), 400, "not valid JSON (line 1"),
                Bad.of("two documents", CHAT, GOOD + GOOD, 400, "not valid JSON"),
                Bad.of("an array", CHAT, "[" + GOOD + "]", 400, "must be a JSON object"),
                new Bad("invalid UTF-8", CHAT, invalidUtf8, 400, "not valid UTF-8"),
                Bad.of("deep nesting", CHAT, "{\"a\":" + "[".repeat(1 << 20), 400, "limit"),
                Bad.of(
                        "deep nesting of content",
                        CHAT,
                        "{\"messages\":" + "[".repeat(100) + "]".repeat(100) + "}",
                        400,
                        "messages[0]"),
                Bad.of(
                        "a huge number",
                        COMPLETIONS,
                        with("\"max_tokens\":" + "9".repeat(100_000)),
                        400,
                        "limit"),
                Bad.of(
                        "an unknown model",
                        COMPLETIONS,
                        with("\"model\":\"gpt-9\""),
                        404,
                        "'gpt-9' does not exist"),
                Bad.of(
                        "negative max_tokens",
                        COMPLETIONS,
                        with("\"max_tokens\":-1"),
                        400,
                        "'max_tokens' must be an integer of at least 1, got -1"),
                Bad.of(
                        "more tokens than the context has",
                        COMPLETIONS,
                        with("\"max_tokens\":100000"),
                        400,
                        "maximum context length is 4096 tokens"),
                Bad.of(
                        "a long text",
                        CHAT,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"" + longText + "\"}]}",
                        400,
                        "maximum context length is 4096 tokens"),
                Bad.of(
                        "one token id too many",
                        COMPLETIONS,
                        "{\"prompt\":[" + longIds + "]}",
                        400,
                        "resulted in 4097 tokens"),
                Bad.of(
                        "a token id beyond the vocabulary",
                        COMPLETIONS,
                        "{\"prompt\":[5,1024]}",
                        400,
                        "from 0 to 1023, got 1024"),
                Bad.of("a negative token id", COMPLETIONS, "{\"prompt\":[-1]}", 400, "got -1"),
                Bad.of(
                        "a token id of no int",
                        COMPLETIONS,
                        "{\"prompt\":[4294967297]}",
                        400,
                        "from 0 to 1023"),
                Bad.of("no prompt", COMPLETIONS, "{}", 400, "'prompt'"),
                Bad.of("an empty prompt", COMPLETIONS, "{\"prompt\":[]}", 400, "not empty"),
                Bad.of("a prompt of objects", COMPLETIONS, "{\"prompt\":{}}", 400, "an object"),
                Bad.of(
                        "text as a number",
                        COMPLETIONS,
                        with("\"temperature\":\"hot\""),
                        400,
                        "'temperature' must be a number, got \"hot\""),
                Bad.of(
                        "not a number",
                        COMPLETIONS,
                        with("\"temperature\":NaN"),
                        400,
                        "not valid JSON"),
                Bad.of("a fraction of a choice", COMPLETIONS, with("\"n\":1.5"), 400, "an integer"),
                Bad.of("messages of text", CHAT, "{\"messages\":\"hi\"}", 400, "'messages'"),
                Bad.of(
                        "half a surrogate pair",
                        COMPLETIONS,
                        "{\"prompt\":\"\\ud800\"}",
                        400,
                        "unpaired UTF-16 surrogate"));
    }

    /// A small completion with one more field.
    private static String with(String field) {
        return "{\"prompt\":\"Hi\"," + field + "}";
    }

    @ParameterizedTest
    @MethodSource("bodies")
    void isRefused(Bad bad) throws Exception {
        requireError(client.post(bad.path(), bad.body()), bad.status(), bad.part());
    }

    @Test
    void aBodyOf50MegabytesIsRefused() throws Exception {
        requireError(send("POST", CHAT, large()), 413, "larger than the 33554432 bytes allowed");
    }

    /// Over HTTP/2 the server answers 413 and resets the stream at once, and a client may then see no more than the reset.
    @Test
    void aBodyOf50MegabytesOverHttp2CostsItsOwnStreamOnly() throws Exception {
        try {
            requireError(client.post(CHAT, large()), 413, "larger");
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("RST_STREAM");
        }
    }

    private static byte[] large() {
        byte[] body = new byte[50 << 20];
        Arrays.fill(body, (byte) ' ');
        return body;
    }

    @Test
    void unknownPathsAndWrongMethodsAreNamed() throws Exception {
        requireError(client.get("/v1/nothing"), 404, "GET /v1/nothing");
        requireError(client.post("/v1/embeddings", new byte[0]), 404, "POST /v1/embeddings");
        requireError(client.get(CHAT), 405, "GET");
        requireError(client.post("/v1/models", new byte[2]), 405, "POST");
        requireError(send("DELETE", "/v1/models/tandem-tiny", new byte[0]), 405, "DELETE");
        requireError(client.get("/v1/models/gpt-9"), 404, "'gpt-9' does not exist");
    }

    @Test
    void noHttpAtAllHarmsNobody() throws Exception {
        try (Socket socket = new Socket(serve.url().getHost(), serve.url().getPort())) {
            socket.getOutputStream().write(new byte[] {0, 1, 2, 3, '\r', '\n', '\r', '\n'});
            socket.shutdownOutput();
            socket.getInputStream().readAllBytes(); // ends: the server closes the connection
        }
        try (Socket socket = new Socket(serve.url().getHost(), serve.url().getPort())) {
            String head =
                    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{".formatted(CHAT);
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        } // leaves within its body
    }

    /// Over HTTP/1.1; the other client upgrades to HTTP/2.
    private static HttpResponse<String> send(String method, String path, byte[] body)
            throws Exception {
        try (HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            URI uri = serve.url().resolve(path);
            return http.send(
                    HttpRequest.newBuilder(uri)
                            .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private static void requireError(HttpResponse<String> response, int status, String part)
            throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        JsonNode error = ApiClient.JSON.readTree(response.body()).path("error");
        assertThat(error.path("message").asText()).contains(part);
        assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
        assertThat(error.path("code").asText()).isNotEmpty();
    }

    private static List<Long> pids() {
        return serve.children().stream().map(ProcessHandle::pid).sorted().toList();
    }
}
