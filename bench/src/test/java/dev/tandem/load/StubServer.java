package dev.tandem.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// A real HTTP server that answers as told: request n as `behaviours[n % behaviours.length]`.
final class StubServer implements AutoCloseable {
    enum Behaviour {
        /// Five tokens in three chunks with text (and one without), then usage.
        ANSWER,
        /// The same without usage.
        ANSWER_WITHOUT_USAGE,
        OVERLOADED,
        BROKEN,
        NOT_A_STREAM,
        ERROR_IN_STREAM,
        CUT_OFF,
        SILENT
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    final List<JsonNode> bodies = new CopyOnWriteArrayList<>();
    final List<String> authorizations = new CopyOnWriteArrayList<>();
    final AtomicInteger inFlightMax = new AtomicInteger();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicInteger requests = new AtomicInteger();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Behaviour[] behaviours;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer server;

    StubServer(Behaviour... behaviours) throws IOException {
        this.behaviours = behaviours;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        server.setExecutor(threads);
        server.createContext(
                "/v1/models",
                exchange -> {
                    reply(
                            exchange,
                            200,
                            "application/json",
                            "{\"data\":[{\"id\":\"stub\"},{\"id\":\"other\"}]}");
                });
        server.createContext("/v1/chat/completions", exchange -> generate(exchange, true));
        server.createContext("/v1/completions", exchange -> generate(exchange, false));
        server.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.close();
    }

    private void generate(HttpExchange exchange, boolean chat) throws IOException {
        inFlightMax.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
        try {
            bodies.add(JSON.readTree(exchange.getRequestBody()));
            authorizations.add(
                    String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            Behaviour behaviour = behaviours[requests.getAndIncrement() % behaviours.length];
            switch (behaviour) {
                case OVERLOADED ->
                        reply(
                                exchange,
                                429,
                                "application/json",
                                "{\"error\":{\"code\":\"queue_full\",\"type\":\"capacity\"}}");
                case BROKEN -> reply(exchange, 500, "text/plain", "oh no");
                case NOT_A_STREAM -> reply(exchange, 200, "application/json", "{}");
                case SILENT -> awaitClosing();
                case ANSWER, ANSWER_WITHOUT_USAGE, ERROR_IN_STREAM, CUT_OFF ->
                        stream(exchange, chat, behaviour);
            }
        } finally {
            inFlight.decrementAndGet();
            exchange.close();
        }
    }

    private static void stream(HttpExchange exchange, boolean chat, Behaviour behaviour)
            throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            event(out, choice(chat, "", "null"));
            event(out, choice(chat, "one two", "null"));
            event(out, choice(chat, " three four", "null"));
            if (behaviour == Behaviour.ERROR_IN_STREAM) {
                event(out, "{\"error\":{\"code\":\"worker_lost\",\"message\":\"x\"}}");
                return;
            }
            if (behaviour == Behaviour.CUT_OFF) {
                return;
            }
            event(out, choice(chat, " five", "\"stop\""));
            if (behaviour == Behaviour.ANSWER) {
                event(
                        out,
                        "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5}}");
            }
            event(out, "[DONE]");
        }
    }

    private static String choice(boolean chat, String text, String finish) {
        String content =
                chat ? "\"delta\":{\"content\":\"" + text + "\"}" : "\"text\":\"" + text + "\"";
        return "{\"choices\":[{\"index\":0,"
                + content
                + ",\"finish_reason\":"
                + finish
                + "}],\"usage\":null}";
    }

    private static void event(OutputStream out, String data) throws IOException {
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void reply(HttpExchange exchange, int status, String type, String body)
            throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    private void awaitClosing() {
        try {
            closing.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
