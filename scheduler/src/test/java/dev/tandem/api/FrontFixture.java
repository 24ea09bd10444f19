package dev.tandem.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tandem.text.ModelFolder;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A running front over a [ScriptedService], and a client of it. The chat template is one line a message.
final class FrontFixture implements AutoCloseable {
    static final String MODEL = "lab/byte-model";
    static final int CONTEXT_TOKENS = 200;
    static final String METRICS = "# TYPE up gauge\nup 1\n";
    static final ObjectMapper JSON = new ObjectMapper();

    final ScriptedService service = new ScriptedService();
    final HttpFront front;
    final int port;
    final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    FrontFixture() {
        this(options(), CONTEXT_TOKENS);
    }

    FrontFixture(FrontOptions options, int contextTokensMax) {
        var folder =
                new ModelFolder(
                        Path.of("byte-model"),
                        "byte-model",
                        contextTokensMax,
                        null,
                        "<s>",
                        "</s>",
                        List.of(ByteTokenizer.END),
                        Map.of("top_k", 50.0, "temperature", 0.5));
        front =
                new HttpFront(
                        options,
                        service,
                        new ByteTokenizer(),
                        FrontFixture::render,
                        folder,
                        () -> METRICS);
        port = front.start();
    }

    static FrontOptions options() {
        return FrontOptions.defaults("127.0.0.1", 0, MODEL, "1.2.3").withBodyBytesMax(1 << 20);
    }

    private static String render(JsonNode chat) {
        var text = new StringBuilder();
        for (JsonNode message : chat.get("messages")) {
            if (message.get("content").asText().equals("raise")) {
                throw new dev.tandem.template.TemplateException(
                        dev.tandem.template.TemplateException.Kind.RAISE_EXCEPTION,
                        "raised by the template");
            }
            text.append(message.get("role").asText().charAt(0));
            text.append(':').append(message.get("content").asText()).append('\n');
        }
        return text + (chat.get("add_generation_prompt").asBoolean() ? "a:" : "");
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return client.send(request(path, body), BodyHandlers.ofString());
    }

    HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(uri(path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    /// Posts and expects 200.
    JsonNode answer(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /// The events of a stream, without the `data: ` before each. `[DONE]` stays as it is.
    List<String> events(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        return events(response.body());
    }

    static List<String> events(String stream) {
        if (!stream.endsWith("\n\n")) {
            throw new AssertionError("the stream ends within an event: " + stream);
        }
        var events = new ArrayList<String>();
        for (String event : stream.split("\n\n")) {
            if (!event.startsWith("data: ") || event.contains("\n")) {
                throw new AssertionError("not an event: " + event);
            }
            events.add(event.substring("data: ".length()));
        }
        return events;
    }

    /// All events but the last, which must be `[DONE]`, as JSON.
    List<JsonNode> chunks(String path, String body) throws IOException, InterruptedException {
        List<String> events = events(path, body);
        if (!events.getLast().equals("[DONE]")) {
            throw new AssertionError("the last event is " + events.getLast());
        }
        var chunks = new ArrayList<JsonNode>();
        for (String event : events.subList(0, events.size() - 1)) {
            chunks.add(JSON.readTree(event));
        }
        return chunks;
    }

    @Override
    public void close() throws InterruptedException {
        front.close();
        service.close();
        client.close();
    }
}
