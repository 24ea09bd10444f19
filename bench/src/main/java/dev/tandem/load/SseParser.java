package dev.tandem.load;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/// Server-sent events from bytes as they come (WHATWG HTML, section 9.2): only `data` matters here. Not thread-safe.
final class SseParser {
    private static final int EVENT_BYTES_MAX = 16 << 20;

    private final Consumer<String> events;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
    private final StringBuilder data = new StringBuilder();
    private boolean hasData;
    private boolean afterCarriageReturn;

    /// @param events gets the data of each event, as soon as its closing empty line is there
    SseParser(Consumer<String> events) {
        this.events = events;
    }

    /// @throws IllegalStateException an event is larger than 16 MiB
    void push(byte[] bytes) {
        for (byte b : bytes) {
            if (b == '\n' && afterCarriageReturn) {
                afterCarriageReturn = false; // CR LF is one line end
                continue;
            }
            afterCarriageReturn = b == '\r';
            if (b == '\n' || b == '\r') {
                endLine();
            } else {
                line.write(b);
                if (line.size() + data.length() > EVENT_BYTES_MAX) {
                    throw new IllegalStateException(
                            "an event of more than " + EVENT_BYTES_MAX + " bytes");
                }
            }
        }
    }

    private void endLine() {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        if (text.isEmpty()) {
            if (hasData) {
                String event = data.toString();
                data.setLength(0);
                hasData = false;
                events.accept(event);
            }
            return;
        }
        if (text.startsWith("data:")) {
            if (hasData) {
                data.append('\n');
            }
            data.append(text, text.startsWith("data: ") ? 6 : 5, text.length());
            hasData = true;
        }
    }
}
