package dev.tandem.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tandem.template.TemplateException.Kind;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Hostile templates and inputs end with an error, whatever they try to use up.
final class TemplateLimitsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% for a in range(100001) %}{% endfor %}",
                "{{ 'x' * 10 ** 12 }}",
                "{{ 'xxxxxxxxxx' * 99999999 }}",
                "{{ [1] * 999999999 }}",
                "{{ 'x'.center(2000000000) }}",
                "{{ '%2000000000d' % 1 }}",
                "{{ '{:2000000000}'.format(1) }}",
                "{{ '%.2000000000f' % 1.5 }}",
                "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
                "{{ ('a' * 5000000) in ('a' * 9999999 + 'b') }}",
                "{{ ('a\\n' * 100000) | indent(100000) }}",
                "{{ [[1]] | tojson(indent=2000000000) }}",
                "{{ [1] | batch(2000000000, 'x') | list }}",
                "{{ [1] | slice(2000000000) | list }}",
                "{{ 10 ** (10 ** 10) }}",
                "{{ 1 | round(2000000000) }}",
                "{% set ns = namespace(x='ab') %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x"
                        + " %}{% endfor %}",
                "{% set ns = namespace(x=[]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x]"
                        + " %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[], y=[]) %}{% for i in range(64) %}{% set ns.x = [ns.x,"
                        + " ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{%"
                        + " endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{%"
                        + " endfor %}{{ ns.x | tojson }}",
                "{% set ns = namespace(x=()) %}{% for i in range(64) %}{% set ns.x = (ns.x, ns.x)"
                        + " %}{% endfor %}{{ {ns.x: 1} }}",
                "{% set ns = namespace(x=1) %}{% for i in range(64) %}{% set ns.x = {'a': ns.x,"
                        + " 'b': ns.x} %}{% endfor %}{{ ns.x | tojson }}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
            })
    void hostileTemplatesFail(String source) {
        assertThatThrownBy(() -> ChatTemplate.compile(source).render(Map.of()))
                .isInstanceOfSatisfying(
                        TemplateException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(Kind.RUNTIME));
    }

    @Test
    void deepSourcesFailToCompile() {
        for (String source :
                List.of(
                        "{{ " + "(".repeat(100_000) + ")".repeat(100_000) + " }}",
                        "{{ " + "[".repeat(100_000),
                        "{{ " + "-".repeat(100_000) + "1 }}",
                        "{{ " + "not ".repeat(100_000) + "1 }}",
                        "{{ 1" + " + 1".repeat(100_000) + " }}",
                        "{{ a" + ".a".repeat(100_000) + " }}",
                        "{{ a" + "|e".repeat(100_000) + " }}",
                        "{{ a" + " if a else a".repeat(100_000) + " }}",
                        "{% if 1 %}".repeat(100_000),
                        "{% set " + "(".repeat(100_000),
                        "x".repeat(ChatTemplate.SOURCE_CHARS_MAX + 1))) {
            assertThatThrownBy(() -> ChatTemplate.compile(source))
                    .as(source.substring(0, 20))
                    .isInstanceOfSatisfying(
                            TemplateException.class,
                            failure -> assertThat(failure.kind()).isEqualTo(Kind.SYNTAX));
        }
    }

    @Test
    void deepInputFails() {
        List<Object> value = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            value = List.of(value);
        }
        List<Object> deep = value;
        assertThatThrownBy(() -> ChatTemplate.compile("{{ x }}").render(Map.of("x", deep)))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("nested");
    }

    @Test
    void theOutputHasItsOwnLimit() {
        ChatTemplate template =
                ChatTemplate.compile("{{ x }}{{ x }}", new TemplateLimits(10, 1000, 1000, 10, 10));
        assertThat(template.render(Map.of("x", "12345"))).isEqualTo("1234512345");
        assertThatThrownBy(() -> template.render(Map.of("x", "123456")))
                .hasMessageContaining("10 characters");
    }

    /// A prompt of a million characters in a thousand messages is no hostile input.
    @Test
    void longChatsRender() {
        List<Object> messages = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            messages.add(
                    Map.of(
                            "role",
                            i % 2 == 0 ? "user" : "assistant",
                            "content",
                            "word ".repeat(200)));
        }
        String prompt =
                TestCases.template("Qwen-Qwen3-0.6B")
                        .render(Map.of("messages", messages, "add_generation_prompt", true));
        assertThat(prompt).hasSizeGreaterThan(1_000_000 - 1000);
    }

    @Test
    void oneTemplateServesManyThreads() throws Exception {
        ChatTemplate template =
                ChatTemplate.compile(
                        "{% set ns = namespace(n=0) %}{% macro f(v) %}<{{ v }}>{% endmacro %}{% for"
                            + " i in range(50) %}{% set ns.n = ns.n + x %}{{ f(ns.n) }}{% endfor"
                            + " %}");
        List<Future<String>> parallel = new ArrayList<>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (long i = 0; i < 64; i++) {
                long x = i;
                Callable<String> task = () -> template.render(Map.of("x", x));
                parallel.add(executor.submit(task));
            }
        }
        for (int i = 0; i < 64; i++) {
            assertThat(parallel.get(i).get()).isEqualTo(template.render(Map.of("x", (long) i)));
        }
    }
}
