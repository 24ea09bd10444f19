package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/// `tandem template` as a process, over the default model's own chat template.
@Timeout(300)
class TemplateCommandTest {
    @Test
    void rendersOneLineForEachLine() throws Exception {
        String lines =
                """
                {"messages": [{"role": "user", "content": "Grüße, 世界 😀"}], "add_generation_prompt": true}
                {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}
                not JSON
                """;
        ToolProcess.Result result =
                ToolProcess.run(lines, "template", TestCluster.defaultModel().toString());
        assertThat(result.code()).as(result.errors()).isZero();
        List<String> out = result.output().lines().toList();
        assertThat(out).hasSize(3);
        assertThat(json(out.get(0)).path("output").asText())
                .isEqualTo("<|im_start|>user\nGrüße, 世界 😀<|im_end|>\n<|im_start|>assistant\n");
        assertThat(json(out.get(1)).path("output").asText())
                .isEqualTo(
                        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                                + "<|im_start|>assistant\nHello.<|im_end|>\n");
        assertThat(json(out.get(2)).at("/error/kind").asText()).isEqualTo("input");
        assertThat(json(out.get(2)).at("/error/message").asText()).contains("not valid JSON");
    }

    @Test
    void aFolderWithoutTemplateIsOneLineAndCode2() throws Exception {
        ToolProcess.Result result = ToolProcess.run("", "template", "/nowhere");
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.output()).isEmpty();
        assertThat(result.errors().lines()).singleElement().asString().contains("/nowhere");
    }

    private static JsonNode json(String line) throws Exception {
        return ApiClient.JSON.readTree(line);
    }
}
