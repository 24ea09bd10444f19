package dev.tandem.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tandem.core.ErrorCategory;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Bad input and failures. After each test the same server must still answer a good request.
class HttpFrontErrorsTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String COMPLETIONS = "/v1/completions";
    private static final String GOOD = "{\"prompt\":\"hi\"}";

    private static FrontFixture fixture;

    @BeforeAll
    static void start() {
        fixture = new FrontFixture();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        fixture.close();
    }

    @AfterEach
    void stillAnswers() throws Exception {
        fixture.service.reset();
        assertThat(fixture.answer(COMPLETIONS, GOOD).at("/choices/0/text").asText())
                .isEqualTo("ok");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "null",
            value = {
                "{                                             | null                | invalid_json"
                        + " | line 1",
                "{\"prompt\":\"a\"} x                          | null                | invalid_json"
                        + " | not valid JSON",
                "[1]                                           | null                | invalid_json"
                        + " | must be a JSON object",
                "``                                            | null                | invalid_json"
                        + " | must be a JSON object",
                "{\"prompt\":\"a\",\"max_tokens\":-1}          | max_tokens          |"
                        + " invalid_value | at least 1, got -1",
                "{\"prompt\":\"a\",\"max_tokens\":0}           | max_tokens          |"
                        + " invalid_value | at least 1, got 0",
                "{\"prompt\":\"a\",\"max_tokens\":\"7\"}       | max_tokens          | invalid_type"
                        + " | must be an integer",
                "{\"prompt\":\"a\",\"max_tokens\":1.5}         | max_tokens          | invalid_type"
                        + " | must be an integer, got 1.5",
                "{\"prompt\":\"a\",\"max_tokens\":99999999999999999999} | max_tokens |"
                        + " invalid_value | must be an integer",
                "{\"prompt\":\"a\",\"max_tokens\":500}         | max_tokens          |"
                    + " context_length_exceeded | maximum context length is 200 tokens. However,"
                    + " you requested 502 tokens (2 in the prompt, 500 in the completion)",
                "{}                                            | prompt              |"
                        + " missing_required_parameter | 'prompt'",
                "{\"prompt\":null}                             | prompt              |"
                        + " missing_required_parameter | 'prompt'",
                "{\"prompt\":7}                                | prompt              | invalid_type"
                        + " | a string",
                "{\"prompt\":[]}                               | prompt              | invalid_type"
                        + " | not empty",
                "{\"prompt\":[[]]}                             | prompt              |"
                        + " invalid_value | must not be empty",
                "{\"prompt\":[1,\"a\"]}                        | prompt              | invalid_type"
                        + " | must be an integer",
                "{\"prompt\":[\"a\",{}]}                       | prompt              | invalid_type"
                        + " | a string",
                "{\"prompt\":[260]}                            | prompt              |"
                        + " invalid_value | from 0 to 259",
                "{\"prompt\":[-1]}                             | prompt              |"
                        + " invalid_value | from 0 to 259",
                "{\"prompt\":\"\\ud800\"}                      | prompt              |"
                        + " invalid_value | surrogate",
                "{\"prompt\":\"a\",\"temperature\":2.1}        | temperature         |"
                        + " invalid_value | at most 2",
                "{\"prompt\":\"a\",\"temperature\":\"hot\"}    | temperature         | invalid_type"
                        + " | must be a number",
                "{\"prompt\":\"a\",\"top_p\":0}                | top_p               |"
                        + " invalid_value | above 0",
                "{\"prompt\":\"a\",\"top_k\":-2}               | top_k               |"
                        + " invalid_value | at least -1",
                "{\"prompt\":\"a\",\"repetition_penalty\":0}   | repetition_penalty  |"
                        + " invalid_value | above 0",
                "{\"prompt\":\"a\",\"presence_penalty\":-2.5}  | presence_penalty    |"
                        + " invalid_value | at least -2",
                "{\"prompt\":\"a\",\"logit_bias\":[]}          | logit_bias          | invalid_type"
                        + " | must be an object",
                "{\"prompt\":\"a\",\"logit_bias\":{\"x\":1}}   | logit_bias          |"
                        + " invalid_value | token ids",
                "{\"prompt\":\"a\",\"logit_bias\":{\"1\":101}} | logit_bias          |"
                        + " invalid_value | from -100 to 100",
                "{\"prompt\":\"a\",\"seed\":\"1\"}             | seed                | invalid_type"
                        + " | must be an integer",
                "{\"prompt\":\"a\",\"stop\":7}                 | stop                | invalid_type"
                        + " | a string or an array",
                "{\"prompt\":\"a\",\"stop\":[\"\"]}            | stop                |"
                        + " invalid_value | 1 to 1024 characters",
                "{\"prompt\":\"a\",\"stop_token_ids\":[999]}   | stop_token_ids      |"
                        + " invalid_value | from 0 to 259",
                "{\"prompt\":\"a\",\"n\":129}                  | n                   |"
                        + " invalid_value | from 1 to 128",
                "{\"prompt\":\"a\",\"stream\":\"yes\"}         | stream              | invalid_type"
                        + " | true or false",
                "{\"prompt\":\"a\",\"stream_options\":{}}      | stream_options      |"
                        + " invalid_value | 'stream' is true",
                "{\"prompt\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":1}} |"
                        + " stream_options.include_usage | invalid_type | true or false",
                "{\"prompt\":\"a\",\"logprobs\":21}            | logprobs            |"
                        + " invalid_value | from 0 to 20",
                "{\"prompt\":\"a\",\"echo\":true}              | echo                |"
                        + " unsupported_parameter | 'echo' is not supported",
                "{\"prompt\":\"a\",\"suffix\":\"b\"}           | suffix              |"
                        + " unsupported_parameter | not supported",
                "{\"prompt\":\"a\",\"best_of\":2}              | best_of             |"
                        + " unsupported_parameter | not supported",
                "{\"prompt\":\"a\",\"response_format\":{\"type\":\"json_object\"}} |"
                        + " response_format | unsupported_parameter | 'json_object'",
                "{\"prompt\":\"a\",\"model\":7}                | model               | invalid_type"
                        + " | a string",
            })
    void refusesABadCompletion(String body, @Nullable String param, String code, String message)
            throws Exception {
        requireError(fixture.post(COMPLETIONS, body), 400, param, code, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                                    | messages               |"
                        + " missing_required_parameter",
                "{\"messages\":[]}                                     | messages               |"
                        + " invalid_value",
                "{\"messages\":\"hi\"}                                 | messages               |"
                        + " invalid_type",
                "{\"messages\":[7]}                                    | messages[0]            |"
                        + " invalid_type",
                "{\"messages\":[{\"content\":\"a\"}]}                  | messages[0].role       |"
                        + " missing_required_parameter",
                "{\"messages\":[{\"role\":\"boss\",\"content\":\"a\"}]} | messages[0].role      |"
                        + " invalid_value",
                "{\"messages\":[{\"role\":\"user\"}]}                  | messages[0].content    |"
                        + " missing_required_parameter",
                "{\"messages\":[{\"role\":\"user\",\"content\":7}]}    | messages[0].content    |"
                        + " invalid_type",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]} |"
                        + " messages[0].content[0].type | unsupported_parameter",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]} |"
                        + " messages[0].content[0].text | missing_required_parameter",
                "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"[1]\"}}]}]}"
                    + " | messages[0].tool_calls[0].function.arguments | invalid_value",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"raise\"}]} | messages          |"
                        + " chat_template_error",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{}]} |"
                        + " tools[0].function | missing_required_parameter",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tool_choice\":\"required\"}"
                    + " | tool_choice | unsupported_parameter",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"top_logprobs\":1} |"
                        + " top_logprobs | invalid_value",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"logprobs\":3} | logprobs |"
                        + " invalid_type",
            })
    void refusesABadChat(String body, String param, String code) throws Exception {
        requireError(fixture.post(CHAT, body), 400, param, code, "");
    }

    @Test
    void refusesAnUnknownModel() throws Exception {
        requireError(
                fixture.post(COMPLETIONS, "{\"model\":\"gpt-9\",\"prompt\":\"a\"}"),
                404,
                "model",
                "model_not_found",
                "'gpt-9' does not exist");
    }

    @Test
    void refusesAPromptLongerThanTheContext() throws Exception {
        String text = "x".repeat(300);

        requireError(
                fixture.post(COMPLETIONS, "{\"prompt\":\"" + text + "\"}"),
                400,
                "prompt",
                "context_length_exceeded",
                "maximum context length is 200 tokens. However, your prompt resulted in 301"
                        + " tokens");
        requireError(
                fixture.post(
                        CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}"),
                400,
                "messages",
                "context_length_exceeded",
                "your messages resulted in 305 tokens");
    }

    @Test
    void refusesInvalidUtf8() throws Exception {
        byte[] body = GOOD.getBytes(StandardCharsets.UTF_8);
        body[body.length - 3] = (byte) 0xc0;

        requireError(send(BodyPublishers.ofByteArray(body)), 400, null, "invalid_json", "UTF-8");
    }

    @Test
    void refusesDeepNestingAndHugeNumbers() throws Exception {
        requireError(
                fixture.post(COMPLETIONS, "{\"a\":" + "[".repeat(100_000)),
                400,
                null,
                "invalid_json",
                "exceeds a limit");
        requireError(
                fixture.post(COMPLETIONS, "{\"max_tokens\":" + "9".repeat(100_000) + "}"),
                400,
                null,
                "invalid_json",
                "exceeds a limit");
    }

    @Test
    void refusesABodyOf50MegabytesWithoutReadingIt() throws Exception {
        try (var socket = new Socket("127.0.0.1", fixture.port)) {
            socket.getOutputStream()
                    .write(
                            ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
                                            + "Content-Type: application/json\r\n"
                                            + "Content-Length: 52428800\r\n\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            String answer = readAll(socket.getInputStream());

            assertThat(answer).startsWith("HTTP/1.1 413 ").contains("request_too_large");
            assertThat(answer).contains("1048576 bytes");
        }
    }

    @Test
    void aClientThatSends50MegabytesGetsItsAnswer() throws Exception {
        byte[] body = new byte[50 << 20];
        Arrays.fill(body, (byte) ' ');

        requireError(
                send(BodyPublishers.ofByteArray(body)), 413, null, "request_too_large", "larger");
    }

    @Test
    void refusesABodyThatTurnsOutTooLarge() throws Exception {
        byte[] body = new byte[2 << 20]; // the length is not announced
        Arrays.fill(body, (byte) ' ');

        requireError(
                send(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))),
                413,
                null,
                "request_too_large",
                "larger");
    }

    @Test
    void anyContentTypeWillDoIfItIsJson() throws Exception {
        var request =
                HttpRequest.newBuilder(fixture.uri(COMPLETIONS))
                        .header("Content-Type", "text/plain")
                        .POST(BodyPublishers.ofString(GOOD))
                        .build();

        assertThat(fixture.client.send(request, BodyHandlers.ofString()).statusCode())
                .isEqualTo(200);
    }

    @Test
    void answersUnknownPathsAndMethodsInOpenAisForm() throws Exception {
        requireError(fixture.get("/v1/nothing"), 404, null, "not_found", "GET /v1/nothing");
        requireError(fixture.get("/"), 404, null, "not_found", "GET /");
        HttpResponse<String> wrong = fixture.get(CHAT);
        requireError(wrong, 405, null, "method_not_allowed", "GET");
        assertThat(wrong.headers().firstValue("allow")).hasValue("POST");
        requireError(fixture.post("/v1/models", "{}"), 405, null, "method_not_allowed", "POST");
    }

    @Test
    void aFailureBeforeTheFirstTokenIsAPlainError() throws Exception {
        fixture.service.failAt = 0;
        for (String stream : List.of("true", "false")) {
            String body = "{\"prompt\":\"a\",\"stream\":" + stream + "}";

            fixture.service.failCategory = ErrorCategory.CAPACITY;
            fixture.service.failCode = "rate_limit_exceeded";
            HttpResponse<String> full = fixture.post(COMPLETIONS, body);
            JsonNode error =
                    requireError(full, 429, null, "rate_limit_exceeded", "the service says no");
            assertThat(error.at("/type").asText()).isEqualTo("requests");
            assertThat(full.headers().firstValue("retry-after")).hasValue("1");
            assertThat(full.headers().firstValue("retry-after-ms")).hasValue("1000");

            fixture.service.failCategory = ErrorCategory.INTERNAL;
            fixture.service.failCode = "worker_lost";
            error = requireError(fixture.post(COMPLETIONS, body), 500, null, "worker_lost", "no");
            assertThat(error.at("/type").asText()).isEqualTo("server_error");
        }
    }

    @Test
    void aFailureWithinAStreamIsItsLastEvent() throws Exception {
        fixture.service.scripts = _ -> ByteTokenizer.bytesOf("abcdef");
        fixture.service.paced = true;
        fixture.service.failAt = 3;
        fixture.service.failCategory = ErrorCategory.INTERNAL;
        fixture.service.failCode = "worker_lost";
        HttpResponse<InputStream> response =
                fixture.client.send(
                        fixture.request(COMPLETIONS, "{\"prompt\":\"a\",\"stream\":true}"),
                        released(1));
        fixture.service.pace.release(100);
        List<String> events =
                FrontFixture.events(
                        new String(response.body().readAllBytes(), StandardCharsets.UTF_8));

        JsonNode last = FrontFixture.JSON.readTree(events.getLast());
        assertThat(last.at("/error/code").asText()).isEqualTo("worker_lost");
        assertThat(last.at("/error/type").asText()).isEqualTo("server_error");
        assertThat(events.getFirst()).contains("\"text\":\"a");
    }

    @Test
    void aFailureOfOneChoiceCancelsTheOthers() throws Exception {
        fixture.service.reset();
        fixture.service.failAt = 2;
        fixture.service.failCategory = ErrorCategory.INTERNAL;
        fixture.service.failCode = "worker_lost";

        requireError(
                fixture.post(COMPLETIONS, "{\"prompt\":\"a\",\"n\":4,\"ignore_eos\":true}"),
                500,
                null,
                "worker_lost",
                "no");

        for (int i = 0; i < 4; i++) {
            fixture.service.submitted.take().cancelled.await();
        }
    }

    @Test
    void answers503WhenNobodyCanServe() throws Exception {
        fixture.service.ready = false;

        HttpResponse<String> response = fixture.post(COMPLETIONS, GOOD);

        JsonNode error = requireError(response, 503, null, "service_unavailable", "No worker");
        assertThat(error.at("/type").asText()).isEqualTo("server_error");
        assertThat(response.headers().firstValue("retry-after")).hasValue("1");
    }

    private static HttpResponse.BodyHandler<InputStream> released(int tokens) {
        fixture.service.pace.release(tokens);
        return BodyHandlers.ofInputStream();
    }

    private static HttpResponse<String> send(HttpRequest.BodyPublisher body) throws Exception {
        return fixture.client.send(
                HttpRequest.newBuilder(fixture.uri(COMPLETIONS)).POST(body).build(),
                BodyHandlers.ofString());
    }

    private static JsonNode requireError(
            HttpResponse<String> response,
            int status,
            @Nullable String param,
            String code,
            String message)
            throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("content-type"))
                .hasValue("application/json; charset=utf-8");
        assertThat(response.headers().firstValue("x-request-id")).isPresent();
        JsonNode error = FrontFixture.JSON.readTree(response.body()).at("/error");
        assertThat(error.at("/message").asText()).isNotBlank().contains(message);
        assertThat(error.at("/code").asText()).as(response.body()).isEqualTo(code);
        assertThat(error.has("param")).isTrue();
        assertThat(error.get("param").textValue()).isEqualTo(param);
        assertThat(error.at("/type").asText())
                .isEqualTo(
                        status == 429
                                ? "requests"
                                : status >= 500 ? "server_error" : "invalid_request_error");
        return error;
    }

    private static String readAll(InputStream in) throws Exception {
        var bytes = new ByteArrayOutputStream();
        in.transferTo(bytes);
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
