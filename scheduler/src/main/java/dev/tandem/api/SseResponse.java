package dev.tandem.api;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A stream of server-sent events at the speed of its reader: [#flush] returns when the socket has taken what was
/// written. Owned by the request's thread.
final class SseResponse {
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

    private static final ResponseHeaders HEADERS =
            ResponseHeaders.builder(HttpStatus.OK)
                    .contentType(MediaType.EVENT_STREAM.withCharset(StandardCharsets.UTF_8))
                    .set(HttpHeaderNames.CACHE_CONTROL, "no-cache")
                    .set("x-accel-buffering", "no") // nginx would collect the events
                    .build();

    private final HttpResponseWriter writer = HttpResponse.streaming();
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

    SseResponse() {
        writer.write(HEADERS);
    }

    /// What the server sends; the events follow by themselves.
    HttpResponse response() {
        return writer;
    }

    /// Adds an event to what the next [#flush] sends.
    void event(byte[] json) {
        pending.writeBytes(DATA);
        pending.writeBytes(json);
        pending.writeBytes(END);
    }

    /// OpenAI's last event.
    void done() {
        event(DONE);
    }

    /// Sends the events added and waits until they are taken.
    ///
    /// @param waitNanosMax nanoseconds
    /// @return false when the client is gone
    /// @throws TimeoutException the client did not read in time
    boolean flush(long waitNanosMax) throws InterruptedException, TimeoutException {
        if (pending.size() == 0) {
            return true;
        }
        boolean written = writer.tryWrite(HttpData.wrap(pending.toByteArray()));
        pending.reset();
        if (!written) {
            return false;
        }
        try {
            CompletableFuture.anyOf(writer.whenConsumed(), writer.whenComplete())
                    .get(waitNanosMax, TimeUnit.NANOSECONDS);
            return writer.isOpen();
        } catch (ExecutionException e) {
            return false; // the stream was aborted: the client is gone, whatever the reason
        }
    }

    /// The answer is complete; what was added is sent as the client reads it.
    void close() {
        if (pending.size() > 0) {
            var _ = writer.tryWrite(HttpData.wrap(pending.toByteArray())); // false: nobody reads it
            pending.reset();
        }
        writer.close();
    }

    /// Breaks the stream off, so that the client can tell it from a complete one.
    void abort() {
        writer.abort();
    }
}
