package dev.tandem.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// The recorded renderings of Python's jinja2 in `chat-templates/` (see SOURCE.md there).
final class TestCases {
    static final ObjectMapper JSON = new ObjectMapper();

    private TestCases() {}

    static String text(String file) {
        try (InputStream in = TestCases.class.getResourceAsStream("/chat-templates/" + file)) {
            if (in == null) {
                throw new IllegalStateException("no such test resource: " + file);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<JsonNode> lines(String file) {
        List<JsonNode> nodes = new ArrayList<>();
        for (String line : text(file).split("\n")) {
            nodes.add(json(line));
        }
        return nodes;
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ChatTemplate template(String name) {
        return ChatTemplate.compile(text("jinja/" + name + ".jinja"));
    }

    static Supplier<LocalDateTime> clock(String now) {
        LocalDateTime time = LocalDateTime.parse(now);
        return () -> time;
    }
}
