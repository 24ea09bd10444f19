package dev.tandem.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// One streamed completion, read as it comes by a thread of its own over a connection of its own. Any thread may call.
final class TokenStream implements AutoCloseable {
    private static final long WAIT_SECONDS_MAX = 120;

    private final HttpClient http;
    private final Thread reader;
    private final List<Integer> tokens = new ArrayList<>();
    private @Nullable InputStream body;
    private @Nullable String finishReason;
    private @Nullable String failure;
    private boolean done;
    private boolean over;
    private boolean closed;

    /// @param fields of a completion; the stream itself and the ids are asked for here
    TokenStream(URI url, ObjectNode fields) throws IOException {
        ObjectNode request = fields.deepCopy().put("stream", true).put("return_token_ids", true);
        http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest post =
                HttpRequest.newBuilder(url.resolve("/v1/completions"))
                        .POST(
                                HttpRequest.BodyPublishers.ofByteArray(
                                        ApiClient.JSON.writeValueAsBytes(request)))
                        .build();
        reader = Thread.ofVirtual().start(() -> read(post));
    }

    private void read(HttpRequest post) {
        try {
            HttpResponse<InputStream> response =
                    http.send(post, HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream bytes = opened(response.body())) {
                if (response.statusCode() != 200) {
                    String text = new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
                    over(response.statusCode() + ": " + text);
                    return;
                }
                var lines =
                        new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8));
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith("data: ")) {
                        event(line.substring(6));
                    }
                }
            }
            over(null);
        } catch (IOException e) {
            over(e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            over(e.toString());
        }
    }

    private synchronized InputStream opened(InputStream bytes) throws IOException {
        body = bytes;
        if (closed) {
            bytes.close();
        }
        return bytes;
    }

    private synchronized void event(String data) throws IOException {
        if (data.equals("[DONE]")) {
            done = true;
            return;
        }
        JsonNode event = ApiClient.JSON.readTree(data);
        if (event.has("error")) {
            failure = data;
        }
        for (JsonNode choice : event.path("choices")) {
            tokens.addAll(ApiClient.tokenIds(choice));
            if (choice.path("finish_reason").isTextual()) {
                finishReason = choice.path("finish_reason").asText();
            }
        }
        notifyAll();
    }

    private synchronized void over(@Nullable String why) {
        if (failure == null) {
            failure = why;
        }
        over = true;
        notifyAll();
    }

    /// Waits until so many tokens have come.
    synchronized void awaitTokens(int count) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
        while (tokens.size() < count && !over) {
            awaitNews(deadline);
        }
        if (tokens.size() < count) {
            throw new AssertionError("ended after %d tokens: %s".formatted(tokens.size(), failure));
        }
    }

    /// Waits for the end, which has to be in order: a finish reason, then `[DONE]`.
    ///
    /// @return all tokens
    synchronized List<Integer> awaitEnd() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
        while (!over) {
            awaitNews(deadline);
        }
        if (failure != null || !done || finishReason == null) {
            throw new AssertionError(
                    "after %d tokens: finish reason %s, [DONE] %s, failure %s"
                            .formatted(tokens.size(), finishReason, done, failure));
        }
        return List.copyOf(tokens);
    }

    private void awaitNews(long deadline) throws InterruptedException {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (millis <= 0) {
            throw new AssertionError("no end in time; %d tokens came".formatted(tokens.size()));
        }
        wait(millis);
    }

    synchronized boolean isOver() {
        return over;
    }

    /// Leaves: closes the connection, whatever may still be on its way.
    @Override
    public void close() throws InterruptedException {
        synchronized (this) {
            closed = true;
            if (body != null) {
                try {
                    body.close();
                } catch (IOException e) {
                    failure = e.toString();
                }
            }
        }
        http.shutdownNow();
        reader.join();
    }
}
