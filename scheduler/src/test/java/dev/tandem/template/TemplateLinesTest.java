package dev.tandem.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

final class TemplateLinesTest {
    @TempDir Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(Path template, @Nullable Path input, String stdin) {
        return TemplateLines.run(
                template,
                input,
                new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    private List<JsonNode> answers() {
        List<JsonNode> answers = new ArrayList<>();
        out.toString(StandardCharsets.UTF_8)
                .lines()
                .forEach(line -> answers.add(TestCases.json(line)));
        return answers;
    }

    @Test
    void rendersTheGoldensOfOneTemplate() throws IOException {
        String name = "meta-llama-Llama-3.1-8B-Instruct";
        Path template = folder.resolve("t.jinja");
        Files.writeString(template, TestCases.text("jinja/" + name + ".jinja"));
        Path input = folder.resolve("in.jsonl");
        List<JsonNode> goldens =
                TestCases.lines("goldens.jsonl").stream()
                        .filter(golden -> golden.get("template").asText().equals(name))
                        .toList();
        Files.writeString(
                input, String.join("\n", goldens.stream().map(JsonNode::toString).toList()));
        assertThat(run(template, input, "")).isZero();
        assertThat(answers()).hasSize(7);
        for (int i = 0; i < goldens.size(); i++) {
            assertThat(answers().get(i).get("output")).isEqualTo(goldens.get(i).get("output"));
        }
    }

    @Test
    void aBadLineIsAnErrorLineAndTheRestGoesOn() throws IOException {
        Path template = folder.resolve("t.jinja");
        Files.writeString(
                template,
                "{% if not messages %}{{ raise_exception('empty') }}{% endif %}{{"
                        + " messages[0].content.upper() }}{{ tools is none }}{{ strftime_now('%d %b"
                        + " %Y') }}é");
        String lines =
                """
                {"messages":[{"content":"a"}],"now":"2024-02-29T01:02:03"}
                not json

                [1]
                {"messages":[]}
                {"messages":[{"content":1}]}
                {"messages":[{"content":"b"}],"now":"yesterday"}
                {"messages":[{"content":"c"}],"tools":[],"now":"2025-12-01T00:00:00"}\
                """;
        assertThat(run(template, null, lines)).isZero();
        assertThat(answers())
                .extracting(
                        answer -> answer.path("output").asText(answer.at("/error/kind").asText()))
                .containsExactly(
                        "ATrue29 Feb 2024é",
                        "input",
                        "input",
                        "raise_exception",
                        "runtime",
                        "input",
                        "CFalse01 Dec 2025é");
        assertThat(answers().get(3).at("/error/message").asText()).isEqualTo("empty");
    }

    @Test
    void takesTheTemplateOfAModelFolder() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer_config.json"), "{\"chat_template\":\"from config\"}");
        assertThat(run(folder, null, "{}")).isZero();
        Files.writeString(folder.resolve("chat_template.jinja"), "from file");
        assertThat(run(folder, null, "{}")).isZero();
        assertThat(run(folder.resolve("tokenizer_config.json"), null, "{}")).isZero();
        assertThat(answers())
                .extracting(answer -> answer.path("output").asText())
                .containsExactly("from config", "from file", "from config");
    }

    @Test
    void namedTemplatesHaveADefault() throws IOException {
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(
                config,
                "{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"t\"},{\"name\":\"default\",\"template\":\"d\"}]}");
        assertThat(run(config, null, "{}")).isZero();
        assertThat(answers().getFirst().path("output").asText()).isEqualTo("d");
    }

    @Test
    void whatCannotBeReadIsOneLineAndCodeTwo() throws IOException {
        Path broken = folder.resolve("broken.jinja");
        Files.writeString(broken, "a\n{% if %}");
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, "{}");
        assertThat(run(folder.resolve("absent.jinja"), null, "")).isEqualTo(2);
        assertThat(run(broken, null, "")).isEqualTo(2);
        assertThat(run(config, null, "")).isEqualTo(2);
        assertThat(run(folder, folder.resolve("absent.jsonl"), "")).isEqualTo(2);
        List<String> errors = err.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(errors).hasSize(4);
        assertThat(errors.get(0)).contains("no such file");
        assertThat(errors.get(1)).contains("line 2");
        assertThat(errors.get(2)).contains("chat_template");
        assertThat(out.size()).isZero();
    }
}
