package dev.tandem.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Makes the JSON bodies of the requests, one after the other. The same seed gives the same bodies. Not thread-safe.
final class RequestBodies {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PROMPTS_MAX = 1_000_000;

    /// Tokens of one of a trace's prefix blocks (Mooncake's number).
    private static final int BLOCK_TOKENS = 512;

    /// Words that are one token with their leading space in the vocabularies of real models.
    private static final String[] WORDS =
            (" the of and to in is that for it as was with be by on not he his but at are this have"
                 + " from or had an they which one you were all her she there would their we him"
                 + " been has when who will no more if out so up said what its about than into them"
                 + " can only other time new some could these two may first then do any like my now"
                 + " over such our man me even most made")
                    .strip()
                    .split(" ");

    private final LoadOptions options;
    private final String model;
    private final SplittableRandom random;
    private final List<JsonNode> prompts;
    private int nextPrompt;

    /// @param model the name to ask for
    /// @throws IOException the file of prompts can't be read; the message names file and line
    RequestBodies(LoadOptions options, String model) throws IOException {
        this.options = options;
        this.model = model;
        this.random = new SplittableRandom(options.seed());
        this.prompts =
                switch (options.prompts()) {
                    case LoadOptions.Prompts.FromFile from ->
                            readPrompts(from.file(), options.endpoint());
                    case LoadOptions.Prompts.Synthetic synthetic -> List.of();
                };
    }

    byte[] next() {
        return switch (options.prompts()) {
            case LoadOptions.Prompts.FromFile from ->
                    fromFile(prompts.get(nextPrompt++ % prompts.size()));
            case LoadOptions.Prompts.Synthetic synthetic ->
                    withText(words(random.split(), synthetic.tokens()), options.maxTokens());
        };
    }

    /// For a replay: as long as the trace's row says, and with text that is equal where its blocks are.
    byte[] next(TraceFile.Row row) {
        int tokens =
                options.prompts() instanceof LoadOptions.Prompts.Synthetic limit
                        ? Math.min(row.inputTokens(), limit.tokens())
                        : row.inputTokens();
        int outputMax =
                options.maxTokens() == 0
                        ? row.outputTokens()
                        : Math.min(row.outputTokens(), options.maxTokens());
        var text = new StringBuilder();
        int left = tokens;
        for (int i = 0; i < row.prefixBlocks().size() && left > 0; i++) {
            int count = Math.min(left, BLOCK_TOKENS);
            long blockSeed = options.seed() * 0x9E3779B97F4A7C15L + row.prefixBlocks().get(i);
            text.append(text.isEmpty() ? "" : " ")
                    .append(words(new SplittableRandom(blockSeed), count));
            left -= count;
        }
        if (left > 0) {
            text.append(text.isEmpty() ? "" : " ").append(words(random.split(), left));
        }
        return withText(text.toString(), outputMax);
    }

    private byte[] withText(String text, int maxTokens) {
        ObjectNode body = JSON.createObjectNode().put("model", model);
        switch (options.endpoint()) {
            case CHAT ->
                    body.putArray("messages").addObject().put("role", "user").put("content", text);
            case COMPLETIONS -> body.put("prompt", text);
        }
        return finished(body, maxTokens);
    }

    private byte[] fromFile(JsonNode line) {
        ObjectNode body = JSON.createObjectNode().put("model", model);
        switch (options.endpoint()) {
            case CHAT -> {
                if (line.has("messages")) {
                    body.set("messages", line.get("messages"));
                } else {
                    body.putArray("messages")
                            .addObject()
                            .put("role", "user")
                            .set("content", line.get("prompt"));
                }
            }
            case COMPLETIONS -> body.set("prompt", line.get("prompt"));
        }
        return finished(body, line.path("max_tokens").asInt(options.maxTokens()));
    }

    private byte[] finished(ObjectNode body, int maxTokens) {
        if (maxTokens > 0) {
            body.put("max_tokens", maxTokens);
        }
        if (options.ignoreEos()) {
            body.put("ignore_eos", true);
        }
        body.put("stream", true).putObject("stream_options").put("include_usage", true);
        try {
            return JSON.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // a tree of our own is always JSON
        }
    }

    private static String words(SplittableRandom random, int count) {
        var text = new StringBuilder(count * 5);
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }

    private static List<JsonNode> readPrompts(Path file, LoadOptions.Endpoint endpoint)
            throws IOException {
        List<JsonNode> prompts = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (line.isBlank()) {
                    continue;
                }
                JsonNode prompt = readLine(file, number, line);
                boolean chat = endpoint == LoadOptions.Endpoint.CHAT;
                if (!prompt.has("prompt") && !(chat && prompt.path("messages").isArray())) {
                    String needed = chat ? "messages or a prompt" : "a prompt";
                    throw new IOException(file + ", line " + number + ": needs " + needed);
                }
                prompts.add(prompt);
                if (prompts.size() > PROMPTS_MAX) {
                    throw new IOException(file + ": more than " + PROMPTS_MAX + " prompts");
                }
            }
        }
        if (prompts.isEmpty()) {
            throw new IOException(file + ": no prompts");
        }
        return prompts;
    }

    private static JsonNode readLine(Path file, int number, String line) throws IOException {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new IOException(
                    file + ", line " + number + ": broken JSON: " + e.getOriginalMessage(), e);
        }
    }
}
