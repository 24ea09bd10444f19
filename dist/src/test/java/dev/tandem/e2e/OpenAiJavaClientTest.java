package dev.tandem.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionTokenLogprob;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.completions.CompletionUsage;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// OpenAI's own Java client against the real server. It checks every answer against its schema on the way.
@ExtendWith(ServeProcess.PrintOnFailure.class)
@Timeout(300)
class OpenAiJavaClientTest {
    private static final String MODEL = "tandem-tiny";
    private static final String QUESTION = "Add 7 and 8.";
    private static final String ANSWER = "007+008: 7+8+0=15, 0+0+1=01, 0+0+0=00. The answer is 15.";
    private static final int PROMPT_TOKENS = 16;
    private static final int ANSWER_TOKENS = 46; // with the final <|im_end|>
    private static final ChatCompletionStreamOptions WITH_USAGE =
            ChatCompletionStreamOptions.builder().includeUsage(true).build();

    private static ServeProcess serve;
    private static OpenAIClient openai;

    @BeforeAll
    static void start() throws Exception {
        serve = ServeProcess.start();
        openai =
                OpenAIOkHttpClient.builder()
                        .baseUrl(serve.url() + "/v1")
                        .apiKey("unused")
                        .maxRetries(0)
                        .responseValidation(true)
                        .build();
    }

    @AfterAll
    static void stop() throws Exception {
        if (openai != null) {
            openai.close();
        }
        if (serve != null) {
            serve.close();
        }
    }

    @Test
    void listsTheModel() {
        assertThat(openai.models().list().data())
                .singleElement()
                .satisfies(
                        model -> {
                            assertThat(model.id()).isEqualTo(MODEL);
                            assertThat(model.ownedBy()).isEqualTo("tandem");
                            assertThat(openai.models().retrieve(MODEL)).isEqualTo(model);
                        });
    }

    @Test
    void answersAChat() {
        ChatCompletion completion = openai.chat().completions().create(chat().build());
        assertThat(completion.id()).startsWith("chatcmpl-");
        assertThat(completion.model()).isEqualTo(MODEL);
        assertThat(completion.choices()).hasSize(1);
        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(choice.message().content()).hasValue(ANSWER);
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(choice.logprobs()).isEmpty();
        requireUsage(completion.usage().orElseThrow(), PROMPT_TOKENS, ANSWER_TOKENS);
    }

    @Test
    void streamsAChat() {
        List<ChatCompletionChunk> chunks = new ArrayList<>();
        var accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                openai.chat()
                        .completions()
                        .createStreaming(chat().streamOptions(WITH_USAGE).build())) {
            stream.stream().map(accumulator::accumulate).forEach(chunks::add);
        }
        ChatCompletion.Choice choice = accumulator.chatCompletion().choices().getFirst();
        assertThat(choice.message().content()).hasValue(ANSWER);
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(chunks).extracting(ChatCompletionChunk::id).containsOnly(chunks.getFirst().id());
        assertThat(chunks.getFirst().choices().getFirst().delta().role())
                .hasValue(ChatCompletionChunk.Choice.Delta.Role.ASSISTANT);
        assertThat(chunks.size()).as("the answer comes in pieces").isGreaterThan(3);
        ChatCompletionChunk last = chunks.removeLast();
        assertThat(last.choices()).isEmpty();
        requireUsage(last.usage().orElseThrow(), PROMPT_TOKENS, ANSWER_TOKENS);
        assertThat(chunks).allSatisfy(chunk -> assertThat(chunk.usage()).isEmpty());
    }

    @Test
    void streamsNoUsageUnasked() {
        try (StreamResponse<ChatCompletionChunk> stream =
                openai.chat().completions().createStreaming(chat().build())) {
            assertThat(stream.stream())
                    .isNotEmpty()
                    .allSatisfy(chunk -> assertThat(chunk.choices()).hasSize(1))
                    .allSatisfy(chunk -> assertThat(chunk.usage()).isEmpty());
        }
    }

    @Test
    void reportsLogProbabilitiesOfAChat() {
        ChatCompletion completion =
                openai.chat().completions().create(chat().logprobs(true).topLogprobs(3).build());
        ChatCompletion.Choice choice = completion.choices().getFirst();
        List<ChatCompletionTokenLogprob> tokens =
                choice.logprobs().orElseThrow().content().orElseThrow();
        assertThat(tokens).hasSize(ANSWER_TOKENS);
        var bytes = new ByteArrayOutputStream();
        for (ChatCompletionTokenLogprob token : tokens) {
            assertThat(token.logprob()).isBetween(-1.0, 0.0); // the margins are large
            assertThat(token.topLogprobs()).hasSize(3);
            assertThat(token.topLogprobs().getFirst().token()).isEqualTo(token.token());
            assertThat(token.topLogprobs().getFirst().logprob()).isEqualTo(token.logprob());
            assertThat(token.topLogprobs().get(1).logprob()).isLessThan(token.logprob());
            token.bytes().orElseThrow().forEach(each -> bytes.write(each.intValue()));
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(ANSWER + "<|im_end|>");
    }

    @Test
    void givesTwoChoicesAndTheSameOnesForTheSameSeed() {
        ChatCompletionCreateParams.Builder two = chat().temperature(2.0).seed(11).n(2);
        List<String> first = contents(openai.chat().completions().create(two.build()));
        List<String> again = contents(openai.chat().completions().create(two.build()));
        List<String> alone = contents(openai.chat().completions().create(two.n(1).build()));
        List<String> other = contents(openai.chat().completions().create(two.seed(12).build()));
        assertThat(first).hasSize(2).doesNotHaveDuplicates();
        assertThat(again).isEqualTo(first);
        assertThat(alone).containsExactly(first.getFirst());
        assertThat(other).isNotEqualTo(alone);
    }

    @Test
    void stopsAtStringsAndAtTheLimit() {
        ChatCompletion stopped = openai.chat().completions().create(chat().stop(", 0+0+1").build());
        assertThat(contents(stopped)).containsExactly("007+008: 7+8+0=15");
        assertThat(stopped.choices().getFirst().finishReason())
                .isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        ChatCompletion cut =
                openai.chat().completions().create(chat().maxCompletionTokens(7).build());
        assertThat(contents(cut)).containsExactly("007+008");
        assertThat(cut.choices().getFirst().finishReason())
                .isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
        requireUsage(cut.usage().orElseThrow(), PROMPT_TOKENS, 7);
    }

    @Test
    void completesTokenIdsAsTheGoldenAnswerSays() throws Exception {
        JsonNode golden =
                ApiClient.JSON
                        .readTree(
                                TestCluster.defaultModel().resolve("expected_greedy.json").toFile())
                        .path(0);
        List<Long> prompt = new ArrayList<>();
        golden.path("prompt_ids").forEach(id -> prompt.add(id.asLong()));
        List<Integer> expected = new ArrayList<>();
        golden.path("output_ids").forEach(id -> expected.add(id.asInt()));
        Completion completion =
                openai.completions()
                        .create(
                                completion()
                                        .promptOfArrayOfTokens(prompt)
                                        .maxTokens(expected.size())
                                        .putAdditionalBodyProperty(
                                                "ignore_eos", JsonValue.from(true))
                                        .putAdditionalBodyProperty(
                                                "return_token_ids", JsonValue.from(true))
                                        .build());
        CompletionChoice choice = completion.choices().getFirst();
        JsonValue ids = requireNonNull(choice._additionalProperties().get("token_ids"));
        List<Integer> got = ids.convert(new TypeReference<List<Integer>>() {});
        assertThat(got).isEqualTo(expected);
        assertThat(choice.finishReason()).isEqualTo(CompletionChoice.FinishReason.LENGTH);
        requireUsage(completion.usage().orElseThrow(), prompt.size(), expected.size());
    }

    @Test
    void streamsACompletionEqualToTheWholeOne() {
        CompletionCreateParams params = completion().streamOptions(WITH_USAGE).build();
        var text = new StringBuilder();
        List<Completion> chunks = new ArrayList<>();
        // A chunk's finish_reason is null until the last one, which this client's schema does not
        // know.
        OpenAIClient lenient = openai.withOptions(options -> options.responseValidation(false));
        try (StreamResponse<Completion> stream = lenient.completions().createStreaming(params)) {
            stream.stream().forEach(chunks::add);
        }
        Completion last = chunks.removeLast();
        assertThat(last.choices()).isEmpty();
        for (Completion chunk : chunks) {
            assertThat(chunk.usage()).isEmpty();
            text.append(chunk.choices().getFirst().text());
        }
        assertThat(chunks.getLast().choices().getFirst().finishReason())
                .isEqualTo(CompletionChoice.FinishReason.STOP);
        assertThat(text.toString()).isEqualTo(ANSWER);
        requireUsage(last.usage().orElseThrow(), PROMPT_TOKENS, ANSWER_TOKENS);
        Completion whole = openai.completions().create(completion().build());
        assertThat(whole.choices().getFirst().text()).isEqualTo(ANSWER);
    }

    @Test
    void completesWithChoicesStopAndLogProbabilities() {
        Completion completion =
                openai.completions()
                        .create(
                                completion()
                                        .temperature(0.5)
                                        .seed(5)
                                        .n(2)
                                        .stop(" The")
                                        .logprobs(2)
                                        .build());
        assertThat(completion.choices())
                .extracting(CompletionChoice::index)
                .containsExactly(0L, 1L);
        for (CompletionChoice choice : completion.choices()) {
            assertThat(choice.text()).startsWith("007+008").doesNotContain("The");
            assertThat(choice.finishReason()).isEqualTo(CompletionChoice.FinishReason.STOP);
            CompletionChoice.Logprobs logprobs = choice.logprobs().orElseThrow();
            List<String> tokens = logprobs.tokens().orElseThrow();
            assertThat(String.join("", tokens)).startsWith(choice.text());
            assertThat(logprobs.tokenLogprobs().orElseThrow())
                    .hasSameSizeAs(tokens)
                    .allSatisfy(each -> assertThat(each).isLessThanOrEqualTo(0));
            assertThat(logprobs.topLogprobs().orElseThrow()).hasSameSizeAs(tokens);
            assertThat(logprobs.textOffset().orElseThrow()).startsWith(0L, 1L, 2L);
        }
    }

    @Test
    void mapsErrorsToItsExceptions() {
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> openai.chat().completions().create(chat().model("gpt-9").build()))
                .satisfies(e -> assertThat(e.code()).hasValue("model_not_found"))
                .withMessageContaining("'gpt-9' does not exist");
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> openai.models().retrieve("gpt-9"));
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> openai.chat().completions().create(chat().temperature(3).build()))
                .satisfies(e -> assertThat(e.param()).hasValue("temperature"))
                .satisfies(e -> assertThat(e.type()).hasValue("invalid_request_error"))
                .withMessageContaining("at most 2");
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(
                        () -> {
                            try (var stream =
                                    openai.completions()
                                            .createStreaming(completion().maxTokens(-1).build())) {
                                stream.stream().forEach(chunk -> {});
                            }
                        })
                .satisfies(e -> assertThat(e.param()).hasValue("max_tokens"));
    }

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addUserMessage(QUESTION)
                .temperature(0);
    }

    /// The same question in the model's own chat form.
    private static CompletionCreateParams.Builder completion() {
        return CompletionCreateParams.builder()
                .model(MODEL)
                .prompt("<|im_start|>user\n" + QUESTION + "<|im_end|>\n<|im_start|>assistant\n")
                .maxTokens(100)
                .temperature(0);
    }

    private static List<String> contents(ChatCompletion completion) {
        return completion.choices().stream()
                .map(choice -> choice.message().content().orElseThrow())
                .toList();
    }

    private static void requireUsage(CompletionUsage usage, int prompt, int completion) {
        assertThat(usage.promptTokens()).isEqualTo(prompt);
        assertThat(usage.completionTokens()).isEqualTo(completion);
        assertThat(usage.totalTokens()).isEqualTo(prompt + completion);
    }
}
