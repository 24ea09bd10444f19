package dev.tandem.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

final class ChatRendererTest {
    /// ChatML as the project's own model has it.
    private static final String CHATML =
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n"
                    + "' + message['content'] + '<|im_end|>' + '\\n"
                    + "' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n"
                    + "' }}{% endif %}";

    private static String render(String template, String messages) {
        return render(template, messages, null, null);
    }

    private static String render(
            String template, String messages, @Nullable String tools, @Nullable String arguments) {
        ChatRenderer renderer = new ChatRenderer(ChatTemplate.compile(template), "<s>", "</s>");
        return renderer.render(
                new ChatRenderer.Chat(
                        TestCases.json(messages),
                        tools == null ? null : TestCases.json(tools),
                        null,
                        arguments == null ? null : TestCases.json(arguments),
                        true));
    }

    @Test
    void rendersTextMessages() {
        assertThat(render(CHATML, "[{\"role\":\"user\",\"content\":\"Hi {{ x }}\"}]"))
                .isEqualTo("<|im_start|>user\nHi {{ x }}<|im_end|>\n<|im_start|>assistant\n");
    }

    @Test
    void joinsTextPartsUnlessTheTemplateWalksThem() {
        String parts =
                "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]";
        assertThat(render(CHATML, parts)).contains("user\na\nb<|im_end|>");
        String walking =
                "{% for m in messages %}{% for part in m.content %}[{{ part.text }}]{% endfor %}{%"
                        + " endfor %}";
        assertThat(render(walking, parts)).isEqualTo("[a][b]");
        String assigned =
                "{% for m in messages %}{% set c = m['content'] %}{% for part in c %}[{{ part.text"
                        + " }}]{% endfor %}{% endfor %}";
        assertThat(render(assigned, parts)).isEqualTo("[a][b]");
    }

    @Test
    void refusesPartsThatAreNotText() {
        String image =
                "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]";
        assertThatThrownBy(() -> render(CHATML, image))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("messages[0].content");
    }

    @Test
    void nullContentIsNoneOnlyForTemplatesThatAskForIt() {
        String messages = "[{\"role\":\"assistant\",\"content\":null}]";
        assertThat(render("[{{ messages[0].content }}]", messages)).isEqualTo("[]");
        assertThat(
                        render(
                                "{% for m in messages %}{% if m.content is none %}none{% endif %}{%"
                                        + " endfor %}",
                                messages))
                .isEqualTo("none");
    }

    @Test
    void parsesToolArgumentsKeepingTheirOrderAndNumbers() {
        String messages =
                "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"z\\\":"
                    + " 1, \\\"a\\\": 1.0, \\\"b\\\": 123456789012345678901234567890}\"}}]}]";
        assertThat(render("{{ messages[0].tool_calls[0].function.arguments | tojson }}", messages))
                .isEqualTo("{\"z\": 1, \"a\": 1.0, \"b\": 123456789012345678901234567890}");
    }

    @Test
    void saysWhichArgumentsAreMalformed() {
        String messages =
                "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{oops\"}}]}]";
        assertThatThrownBy(() -> render(CHATML, messages))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "messages[0].tool_calls[0].function.arguments is not valid JSON");
    }

    @Test
    void templateArgumentsAreVariablesAndEmptyToolsAreNone() {
        String template =
                "{{ tools is none }} {{ enable_thinking }} {{ bos_token }}{{ eos_token }}";
        assertThat(
                        render(
                                template,
                                "[{\"role\":\"user\",\"content\":\"\"}]",
                                "[]",
                                "{\"enable_thinking\":false}"))
                .isEqualTo("True False <s></s>");
    }

    @Test
    void refusesWhatIsNoChat() {
        for (String messages :
                new String[] {"{}", "[]", "[1]", "[{\"content\":\"x\"}]", "[{\"role\":1}]"}) {
            assertThatThrownBy(() -> render(CHATML, messages))
                    .as(messages)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /// An OpenAI client's form of a conversation with tools must give the prompt that the plain form gives: wherever the
    /// template can render that one. Templates that tell None from empty content by design are left out.
    @TestFactory
    Stream<DynamicTest> openAiFormRendersAsThePlainForm() {
        Map<String, String> plain = new HashMap<>();
        for (JsonNode golden : TestCases.lines("goldens.jsonl")) {
            if (golden.get("conversation").asText().equals("tools") && golden.has("output")) {
                plain.put(golden.get("template").asText(), golden.get("output").asText());
            }
        }
        return TestCases.lines("goldens.jsonl").stream()
                .filter(golden -> golden.get("conversation").asText().equals("tools_openai_form"))
                .filter(golden -> plain.containsKey(golden.get("template").asText()))
                .filter(
                        golden ->
                                !TestCases.template(golden.get("template").asText())
                                        .contentUse()
                                        .testedForNone())
                .map(
                        golden -> {
                            String name = golden.get("template").asText();
                            return dynamicTest(
                                    name,
                                    () -> assertThat(render(golden)).isEqualTo(plain.get(name)));
                        });
    }

    private static String render(JsonNode golden) {
        ChatRenderer renderer =
                new ChatRenderer(
                        TestCases.template(golden.get("template").asText()),
                        golden.get("bos_token").asText(),
                        golden.get("eos_token").asText(),
                        TestCases.clock(golden.get("now").asText()));
        return renderer.render(
                new ChatRenderer.Chat(
                        golden.get("messages"),
                        golden.get("tools"),
                        golden.get("documents"),
                        null,
                        golden.get("add_generation_prompt").asBoolean()));
    }

    @TestFactory
    Stream<DynamicTest> referenceModels() throws IOException {
        Path models = Path.of(System.getProperty("tandem.data", "none"), "models");
        Assumptions.assumeTrue(Files.isDirectory(models), "no folder of models: " + models);
        try (Stream<Path> folders = Files.list(models.resolve("reference"))) {
            return folders.filter(Files::isDirectory).sorted().toList().stream()
                    .map(
                            folder ->
                                    dynamicTest(
                                            folder.getFileName().toString(),
                                            () -> checkModel(folder)));
        }
    }

    private static void checkModel(Path folder) throws IOException {
        JsonNode chat =
                TestCases.JSON.readTree(folder.resolve("expected.json").toFile()).get("chat");
        JsonNode config = TestCases.JSON.readTree(folder.resolve("tokenizer_config.json").toFile());
        ChatRenderer renderer =
                new ChatRenderer(
                        ChatTemplate.compile(TemplateLines.source(folder)),
                        config.path("bos_token").asText(""),
                        config.path("eos_token").asText(""));
        String rendered =
                renderer.render(
                        new ChatRenderer.Chat(
                                chat.get("messages"),
                                null,
                                null,
                                null,
                                chat.get("add_generation_prompt").asBoolean()));
        assertThat(rendered).isEqualTo(chat.get("rendered").asText());
    }

    @Test
    void theProjectsOwnModel() throws IOException {
        Path folder = Path.of(System.getProperty("tandem.data", "none"), "models", "tandem-tiny");
        Assumptions.assumeTrue(Files.isDirectory(folder), "no model at " + folder);
        assertThat(
                        render(
                                TemplateLines.source(folder),
                                "[{\"role\":\"user\",\"content\":\"Hello\"}]"))
                .isEqualTo("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
    }
}
