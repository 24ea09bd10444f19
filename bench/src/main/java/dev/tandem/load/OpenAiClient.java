package dev.tandem.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/// Sends requests over HTTP/1.1, which every OpenAI-compatible server speaks, one connection a request in flight.
/// Safe for all threads.
final class OpenAiClient implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long RESPONSE_BYTES_MAX = 1L << 30;
    private static final long CONNECT_MILLIS_MAX = 10_000;

    /// Below the 5 s after which common servers close a connection, so that none is lost to that race.
    private static final long IDLE_MILLIS_MAX = 3_000;

    private final LoadOptions options;
    private final ClientFactory factory;
    private final WebClient client;

    OpenAiClient(LoadOptions options) {
        this.options = options;
        this.factory =
                ClientFactory.builder()
                        .connectTimeoutMillis(CONNECT_MILLIS_MAX)
                        .idleTimeoutMillis(IDLE_MILLIS_MAX)
                        .build();
        this.client =
                WebClient.builder(base(options.url()))
                        .factory(factory)
                        .responseTimeoutMillis(options.requestMillisMax())
                        .writeTimeoutMillis(options.requestMillisMax())
                        .maxResponseLength(RESPONSE_BYTES_MAX)
                        .build();
    }

    /// The server's first model.
    ///
    /// @throws IOException no answer, or none with a model
    String firstModel() throws IOException {
        try {
            AggregatedHttpResponse response =
                    client.execute(HttpRequest.of(headers(HttpMethod.GET, "/v1/models").build()))
                            .aggregate()
                            .join();
            if (!response.status().equals(HttpStatus.OK)) {
                throw new IOException(options.url() + "/v1/models answers " + response.status());
            }
            JsonNode id = JSON.readTree(response.content().array()).path("data").path(0).path("id");
            if (!id.isTextual()) {
                throw new IOException(options.url() + "/v1/models names no model");
            }
            return id.textValue();
        } catch (CompletionException e) {
            throw new IOException("no answer from " + options.url() + ": " + e.getCause(), e);
        }
    }

    /// Starts a request and returns at once.
    ///
    /// @param dueNanos when it should have started
    /// @param done called once, on an event loop
    void send(byte[] body, long dueNanos, LoadStatistics statistics, Consumer<RequestResult> done) {
        RequestHeaders headers =
                headers(HttpMethod.POST, options.endpoint().path())
                        .add(HttpHeaderNames.CONTENT_TYPE, "application/json")
                        .add(HttpHeaderNames.ACCEPT, "text/event-stream")
                        .build();
        long startNanos = System.nanoTime();
        client.execute(HttpRequest.of(headers, HttpData.wrap(body)))
                .subscribe(new StreamedResponse(dueNanos, startNanos, statistics, done));
    }

    @Override
    public void close() {
        factory.close();
    }

    private RequestHeadersBuilder headers(HttpMethod method, String path) {
        RequestHeadersBuilder headers = RequestHeaders.builder(method, path);
        if (options.apiKey() != null) {
            headers.add(HttpHeaderNames.AUTHORIZATION, "Bearer " + options.apiKey());
        }
        return headers;
    }

    private static URI base(URI url) {
        String path = url.getRawPath() == null ? "" : url.getRawPath();
        while (path.endsWith("/")) {
            path = path.substring(0, path.length() - 1);
        }
        path = path.endsWith("/v1") ? path.substring(0, path.length() - 3) : path;
        String protocol = "https".equals(url.getScheme()) ? "h1" : "h1c";
        return URI.create(protocol + "://" + url.getRawAuthority() + path);
    }
}
