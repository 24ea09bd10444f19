package dev.tandem.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/// Renders a chat template for JSON lines: the engine of `tandem template`. A line in holds `messages`, `tools`,
/// `documents`, `add_generation_prompt`, `bos_token`, `eos_token` and `now` (an ISO local date-time that fixes
/// `strftime_now`); a line out is `{"output": ...}` or `{"error": {"kind": ..., "message": ...}}`. The values reach the
/// template as they are: nothing is adapted as [ChatRenderer] does for requests.
public final class TemplateLines {
    /// Of one line in.
    static final int LINE_CHARS_MAX = 64 << 20;

    private static final int OK = 0;
    private static final int USAGE = 2;
    private static final List<String> VARIABLES =
            List.of(
                    "messages",
                    "tools",
                    "documents",
                    "add_generation_prompt",
                    "bos_token",
                    "eos_token");
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private TemplateLines() {}

    /// @param fileOrFolder a `.jinja` file, a `tokenizer_config.json`, or a model folder with a `chat_template.jinja` or
    ///     a `tokenizer_config.json`
    /// @param input the lines in, null to read them from `stdin`
    /// @return the exit code: 0 when all lines were answered, also with errors; 2 when the template or the input can't
    ///     be read, told in one line on `err`
    public static int run(
            Path fileOrFolder,
            @Nullable Path input,
            InputStream stdin,
            PrintStream out,
            PrintStream err) {
        ChatTemplate template;
        try {
            template = ChatTemplate.compile(source(fileOrFolder));
        } catch (TemplateException failure) {
            err.println("tandem template: " + fileOrFolder + ": " + failure.getMessage());
            return USAGE;
        } catch (IOException failure) {
            err.println("tandem template: can't read " + fileOrFolder + ": " + reason(failure));
            return USAGE;
        }
        try (InputStream bytes = input == null ? stdin : Files.newInputStream(input);
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8))) {
            PrintStream utf8 = new PrintStream(out, false, StandardCharsets.UTF_8);
            int code = run(template, lines, utf8);
            utf8.flush();
            return code;
        } catch (IOException failure) {
            err.println(
                    "tandem template: can't read "
                            + (input == null ? "stdin" : input)
                            + ": "
                            + reason(failure));
            return USAGE;
        }
    }

    private static String reason(IOException failure) {
        return switch (failure) {
            case java.nio.file.NoSuchFileException missing -> "no such file: " + missing.getFile();
            case JsonProcessingException malformed ->
                    "not valid JSON: " + malformed.getOriginalMessage();
            default -> String.valueOf(failure.getMessage());
        };
    }

    /// Answers each line in with one line out, empty lines with none.
    ///
    /// @return the exit code, always 0
    public static int run(ChatTemplate template, BufferedReader in, Appendable out)
            throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.isBlank()) {
                out.append(JSON.writeValueAsString(answer(template, line))).append('\n');
            }
        }
        return OK;
    }

    private static ObjectNode answer(ChatTemplate template, String line) {
        try {
            if (line.length() > LINE_CHARS_MAX) {
                throw new IllegalArgumentException(
                        "a line of more than " + LINE_CHARS_MAX + " characters");
            }
            JsonNode node = JSON.readTree(line);
            if (!node.isObject()) {
                throw new IllegalArgumentException("the line is not a JSON object");
            }
            return JSON.createObjectNode()
                    .put("output", template.render(variables(node), clock(node)));
        } catch (TemplateException failure) {
            return error(failure.kind().name().toLowerCase(Locale.ROOT), failure);
        } catch (JsonProcessingException malformed) {
            return error(
                    "input",
                    new IllegalArgumentException(
                            "not valid JSON: " + malformed.getOriginalMessage()));
        } catch (IllegalArgumentException invalid) {
            return error("input", invalid);
        }
    }

    private static ObjectNode error(String kind, Exception failure) {
        ObjectNode error = JSON.createObjectNode();
        error.putObject("error")
                .put("kind", kind)
                .put("message", String.valueOf(failure.getMessage()));
        return error;
    }

    /// Tools and documents are None and the generation prompt off unless the line says otherwise, as in transformers.
    private static Map<String, Object> variables(JsonNode line) {
        Map<String, Object> variables = new LinkedHashMap<>();
        Values.put(variables, "tools", null);
        Values.put(variables, "documents", null);
        variables.put("add_generation_prompt", false);
        for (String name : VARIABLES) {
            if (line.has(name)) {
                Values.put(variables, name, JsonValues.of(line.get(name)));
            }
        }
        return variables;
    }

    private static Supplier<LocalDateTime> clock(JsonNode line) {
        JsonNode now = line.path("now");
        if (now.isMissingNode() || now.isNull()) {
            return LocalDateTime::now;
        }
        try {
            LocalDateTime time = LocalDateTime.parse(now.asText());
            return () -> time;
        } catch (DateTimeParseException malformed) {
            throw new IllegalArgumentException(
                    "now is not a local date-time such as 2025-07-10T12:00:00: " + now.asText());
        }
    }

    /// The template's source from a file or a model folder.
    ///
    /// @throws IOException also when a `tokenizer_config.json` has no template
    static String source(Path fileOrFolder) throws IOException {
        if (Files.isDirectory(fileOrFolder)) {
            Path template = fileOrFolder.resolve("chat_template.jinja");
            return source(
                    Files.exists(template)
                            ? template
                            : fileOrFolder.resolve("tokenizer_config.json"));
        }
        String text = Files.readString(fileOrFolder);
        if (!fileOrFolder.toString().endsWith(".json")) {
            return text;
        }
        JsonNode template = JSON.readTree(text).path("chat_template");
        if (template.isArray()) { // several by name
            for (JsonNode named : template) {
                if (named.path("name").asText().equals("default")) {
                    template = named.path("template");
                    break;
                }
            }
        }
        if (!template.isTextual()) {
            throw new IOException("it has no chat_template");
        }
        return template.textValue();
    }
}
