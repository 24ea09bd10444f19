package dev.tandem.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.template.TemplateException.Kind;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Every recorded rendering, compared byte for byte with what Python gave.
final class ChatTemplateGoldenTest {
    private static final String NOW_OF_CASES = "2025-07-10T12:00:00";

    /// The text, or what was thrown instead of it.
    private record Outcome(@Nullable String output, @Nullable TemplateException failure) {
        /// Fails unless the rendering failed in this way.
        void assertFailed(Kind kind, @Nullable String message) {
            assertThat(output).isNull();
            assertThat(failure).isNotNull().extracting(TemplateException::kind).isEqualTo(kind);
            if (message != null) {
                assertThat(failure).hasMessage(message);
            }
        }
    }

    private static Outcome outcome(
            ChatTemplate template, Map<String, Object> variables, String now) {
        try {
            return new Outcome(template.render(variables, TestCases.clock(now)), null);
        } catch (TemplateException failure) {
            return new Outcome(null, failure);
        }
    }

    @TestFactory
    Stream<DynamicTest> realTemplates() {
        return TestCases.lines("goldens.jsonl").stream()
                .map(
                        golden -> {
                            String name = golden.get("template").asText();
                            String test = name + " / " + golden.get("conversation").asText();
                            return dynamicTest(test, () -> check(golden, TestCases.template(name)));
                        });
    }

    private static void check(JsonNode golden, ChatTemplate template) {
        Map<String, Object> variables = new LinkedHashMap<>();
        for (String name :
                List.of(
                        "messages",
                        "tools",
                        "documents",
                        "add_generation_prompt",
                        "bos_token",
                        "eos_token")) {
            variables.put(name, JsonValues.of(golden.get(name)));
        }
        Outcome outcome = outcome(template, variables, golden.get("now").asText());
        if (golden.has("output")) {
            assertThat(outcome.failure()).isNull();
            assertThat(outcome.output()).isEqualTo(golden.get("output").asText());
            return;
        }
        JsonNode error = golden.get("error");
        if (error.get("kind").asText().equals("raise_exception")) {
            outcome.assertFailed(Kind.RAISE_EXCEPTION, error.get("message").asText());
        } else {
            outcome.assertFailed(Kind.RUNTIME, null);
        }
    }

    @TestFactory
    Stream<DynamicTest> engineCases() {
        Map<String, JsonNode> inputs = new HashMap<>();
        for (String file :
                List.of(
                        "hf_jinja_unit_cases.jsonl",
                        "hf_jinja_e2e_cases.jsonl",
                        "llamacpp_chat_template_cases.jsonl")) {
            for (JsonNode input : TestCases.lines(file)) {
                inputs.put(file + "/" + input.get("name").asText(), input);
            }
        }
        return TestCases.lines("python_renderings_of_cases.jsonl").stream()
                .map(
                        expected -> {
                            String name =
                                    expected.get("file").asText()
                                            + "/"
                                            + expected.get("name").asText();
                            return dynamicTest(name, () -> checkCase(inputs.get(name), expected));
                        });
    }

    private static void checkCase(@Nullable JsonNode input, JsonNode expected) {
        if (input == null) {
            throw new IllegalStateException("no such case");
        }
        String source = input.path(input.has("template") ? "template" : "chat_template").asText();
        JsonNode variables = input.has("context") ? input.get("context") : input.path("data");
        if (input.has("messages")) { // the cases of llama.cpp
            ObjectNode own = TestCases.JSON.createObjectNode();
            own.setAll((ObjectNode) input);
            own.retain("messages", "add_generation_prompt", "bos_token", "eos_token");
            variables = own;
        }
        Outcome outcome =
                outcome(ChatTemplate.compile(source), JsonValues.object(variables), NOW_OF_CASES);
        if (expected.has("output")) {
            assertThat(outcome.failure()).isNull();
            assertThat(outcome.output()).isEqualTo(expected.get("output").asText());
            return;
        }
        JsonNode error = expected.get("error");
        if (error.get("type").asText().equals("TemplateError")) {
            outcome.assertFailed(Kind.RAISE_EXCEPTION, error.get("message").asText());
        } else {
            outcome.assertFailed(Kind.RUNTIME, null);
        }
    }

    @Test
    void theRecordsAreAllThere() {
        List<String> kinds = new ArrayList<>();
        for (JsonNode golden : TestCases.lines("goldens.jsonl")) {
            kinds.add(golden.has("output") ? "output" : golden.get("error").get("kind").asText());
        }
        assertThat(kinds).filteredOn("output"::equals).hasSize(231);
        assertThat(kinds).filteredOn("raise_exception"::equals).hasSize(8);
        assertThat(kinds).filteredOn("runtime"::equals).hasSize(41);
        assertThat(TestCases.lines("python_renderings_of_cases.jsonl")).hasSize(239);
    }
}
