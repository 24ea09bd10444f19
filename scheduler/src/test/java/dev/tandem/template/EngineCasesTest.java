package dev.tandem.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// Small templates over the whole language, each as Python's jinja2 3.1.6 rendered it in the environment of the goldens:
/// the first line of the file holds the variables, each other line a template with its output or the kind of its error.
final class EngineCasesTest {
    @TestFactory
    Stream<DynamicTest> renderAsPythonDoes() {
        List<JsonNode> lines = TestCases.lines("engine_cases.jsonl");
        Map<String, Object> variables = JsonValues.object(lines.getFirst().get("variables"));
        assertThat(lines).hasSizeGreaterThan(600);
        return lines.stream()
                .skip(1)
                .map(
                        expected ->
                                dynamicTest(
                                        expected.get("template").asText(),
                                        () -> check(variables, expected)));
    }

    private static void check(Map<String, Object> variables, JsonNode expected) {
        String output = null;
        String kind = null;
        String message = null;
        try {
            output =
                    ChatTemplate.compile(expected.get("template").asText())
                            .render(variables, TestCases.clock("2025-07-10T12:00:00"));
        } catch (TemplateException failure) {
            kind = failure.kind().name().toLowerCase(Locale.ROOT);
            message = failure.getMessage();
        }
        if (expected.has("output")) {
            assertThat(message).isNull();
            assertThat(output).isEqualTo(expected.get("output").asText());
        } else {
            assertThat(output).as("Python: " + expected.get("error")).isNull();
            assertThat(kind).as(message).isEqualTo(expected.get("error").get("kind").asText());
        }
    }
}
