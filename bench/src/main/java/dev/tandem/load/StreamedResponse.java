package dev.tandem.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.linecorp.armeria.client.ResponseTimeoutException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.ResponseHeaders;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.util.function.Consumer;

/// Takes one answer off the wire and its times. Runs on the connection's event loop; ends with exactly one result.
final class StreamedResponse implements Subscriber<HttpObject> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ERROR_BYTES_MAX = 64 << 10;

    private final long dueNanos;
    private final long startNanos;
    private final LoadStatistics statistics;
    private final Consumer<RequestResult> done;
    private final SseParser parser = new SseParser(this::onEvent);

    private final ByteArrayOutputStream errorBody = new ByteArrayOutputStream();
    private int status;
    private long nowNanos;
    private long firstNanos;
    private long lastNanos;
    private long chunks;
    private long promptTokens;
    private long completionTokens = -1;
    private boolean finished;
    private boolean ended;
    private @Nullable String error;

    /// @param statistics told of every chunk, for the inter-token latencies and the live view
    /// @param done called once
    StreamedResponse(
            long dueNanos,
            long startNanos,
            LoadStatistics statistics,
            Consumer<RequestResult> done) {
        this.dueNanos = dueNanos;
        this.startNanos = startNanos;
        this.statistics = statistics;
        this.done = done;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        subscription.request(Long.MAX_VALUE); // chunks are consumed at once
    }

    @Override
    public void onNext(HttpObject part) {
        nowNanos = System.nanoTime(); // before any parsing
        if (part instanceof ResponseHeaders headers) {
            if (!headers.status().isInformational()) {
                status = headers.status().code();
                if (status == 200
                        && !headers.get(HttpHeaderNames.CONTENT_TYPE, "")
                                .startsWith("text/event-stream")) {
                    error = "not an event stream";
                }
            }
        } else if (part instanceof HttpData data) {
            if (status == 200 && error == null) {
                try {
                    parser.push(data.array());
                } catch (IllegalStateException e) {
                    error = "oversized event";
                }
            } else if (errorBody.size() < ERROR_BYTES_MAX) {
                errorBody.writeBytes(data.array());
            }
        }
    }

    @Override
    public void onError(Throwable cause) {
        end(error == null ? kind(cause) : error);
    }

    @Override
    public void onComplete() {
        if (status != 200) {
            end("http " + status + detail());
        } else if (error == null && !finished) {
            end("incomplete stream");
        } else {
            end(error);
        }
    }

    private void onEvent(String data) {
        if (data.equals("[DONE]")) {
            finished = true;
            return;
        }
        JsonNode event;
        try {
            event = JSON.readTree(data);
        } catch (JsonProcessingException e) {
            error = "broken JSON in the stream";
            return;
        }
        if (event.has("error")) {
            error = "error in the stream" + code(event.get("error"));
            return;
        }
        JsonNode usage = event.path("usage");
        if (usage.path("completion_tokens").isNumber()) {
            promptTokens = usage.path("prompt_tokens").asLong();
            completionTokens = usage.path("completion_tokens").asLong();
        }
        JsonNode choice = event.path("choices").path(0);
        if (choice.hasNonNull("finish_reason")) {
            finished = true;
        }
        if (carriesTokens(choice)) {
            onChunk();
        }
    }

    private void onChunk() {
        if (chunks++ == 0) {
            firstNanos = nowNanos;
            statistics.firstChunk();
        } else {
            statistics.nextChunk(nowNanos - lastNanos);
        }
        lastNanos = nowNanos;
    }

    private static boolean carriesTokens(JsonNode choice) {
        JsonNode delta = choice.path("delta");
        return !choice.path("text").asText("").isEmpty()
                || !delta.path("content").asText("").isEmpty()
                || !delta.path("reasoning_content").asText("").isEmpty()
                || !delta.path("tool_calls").isEmpty()
                || !choice.path("token_ids").isEmpty();
    }

    private void end(@Nullable String problem) {
        if (!ended) {
            ended = true;
            boolean byChunks = completionTokens < 0;
            done.accept(
                    new RequestResult(
                            dueNanos,
                            startNanos,
                            firstNanos,
                            lastNanos,
                            System.nanoTime(),
                            promptTokens,
                            byChunks ? chunks : completionTokens,
                            byChunks,
                            problem));
        }
    }

    /// The code or type of an OpenAI error body, if there is one.
    private String detail() {
        try {
            return code(JSON.readTree(errorBody.toByteArray()).path("error"));
        } catch (IOException e) {
            return ""; // not JSON; the status says enough
        }
    }

    private static String code(JsonNode problem) {
        for (String key : new String[] {"code", "type"}) {
            if (problem.path(key).isTextual()) {
                return " (" + problem.path(key).textValue() + ")";
            }
        }
        return "";
    }

    private static String kind(Throwable cause) {
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof ResponseTimeoutException) {
                return "timeout";
            }
            if (t instanceof ConnectException) {
                return "no connection";
            }
        }
        return "connection lost (" + cause.getClass().getSimpleName() + ")";
    }
}
