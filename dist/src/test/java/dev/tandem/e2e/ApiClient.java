package dev.tandem.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A plain HTTP client of a running server.
final class ApiClient {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final long IDLE_SECONDS_MAX = 30;
    private static final long POLL_MILLIS = 20;

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI url;

    ApiClient(URI url) {
        this.url = url;
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(url.resolve(path)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /// @param headers further ones: name, value, name, value
    HttpResponse<String> post(String path, byte[] body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(url.resolve(path))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /// Posts and expects 200.
    JsonNode ask(String path, ObjectNode body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, JSON.writeValueAsBytes(body));
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /// The value of one series of the metrics page, its labels written as on the page or left out.
    double metric(String series) throws IOException, InterruptedException {
        for (String line : get("/metrics").body().split("\n")) {
            if (line.startsWith(series + " ")) {
                return Double.parseDouble(line.substring(series.length() + 1));
            }
        }
        throw new AssertionError("no series " + series + " in\n" + get("/metrics").body());
    }

    /// Waits until no worker holds a KV block; the page follows the core with a delay.
    void awaitIdle() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(IDLE_SECONDS_MAX);
        while (metric("tandem_kv_blocks_used{role=\"prefill\"}") > 0
                || metric("tandem_kv_blocks_used{role=\"decode\"}") > 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("blocks still in use:\n" + get("/metrics").body());
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    static List<Integer> tokenIds(JsonNode choice) {
        List<Integer> ids = new ArrayList<>();
        choice.path("token_ids").forEach(id -> ids.add(id.asInt()));
        return ids;
    }

    static ObjectNode body(Map<String, ?> fields) {
        return JSON.valueToTree(fields);
    }
}
