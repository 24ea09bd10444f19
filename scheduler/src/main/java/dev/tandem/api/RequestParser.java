package dev.tandem.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.admission.Terms;
import dev.tandem.api.GenerationService.GenerationRequest;
import dev.tandem.api.GenerationService.ServedModel;
import dev.tandem.core.ErrorCategory;
import dev.tandem.core.SamplingParameters;
import dev.tandem.template.TemplateException;
import dev.tandem.text.ModelFolder;
import dev.tandem.text.Tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// From the JSON of either endpoint to a [CompletionRequest]: every field checked, the prompt tokenized and known to fit.
/// Stateless; safe from any thread.
final class RequestParser {
    /// What `/v1/completions` generates when the request does not say, by OpenAI's definition.
    private static final int COMPLETION_TOKENS_DEFAULT = 16;

    private final FrontOptions options;
    private final String modelName;
    private final Tokenizer tokenizer;
    private final PromptRenderer renderer;
    private final ModelFolder folder;
    private final ChatMessages messages;
    private final SamplingParser sampling;

    RequestParser(
            FrontOptions options,
            String modelName,
            Tokenizer tokenizer,
            PromptRenderer renderer,
            ModelFolder folder,
            JsonBodies json) {
        this.options = options;
        this.modelName = modelName;
        this.tokenizer = tokenizer;
        this.renderer = renderer;
        this.folder = folder;
        this.messages = new ChatMessages(json);
        this.sampling = new SamplingParser(folder);
    }

    /// A body of `POST /v1/chat/completions`.
    CompletionRequest chat(ObjectNode json, ServedModel model, Terms terms) {
        var body = new Fields(json, "");
        checkModel(body);
        sampling.refuseUnsupported(body);
        ObjectNode chat = messages.check(body);
        boolean wanted = body.bool("logprobs", false);
        int top = body.integer("top_logprobs", 0, 0, SamplingParser.TOP_LOGPROBS_MAX);
        if (top > 0 && !wanted) {
            throw ApiException.invalidValue(
                    "top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.");
        }
        String limitName =
                body.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        var draft = new Draft(body, new SamplingParser.Logprobs(wanted, top), limitName, 0, model);
        int[] prompt = tokenizer.encode(render(chat), body.bool("add_special_tokens", false));
        return draft.finish(List.of(prompt), "messages", terms);
    }

    /// A body of `POST /v1/completions`.
    CompletionRequest completion(ObjectNode json, ServedModel model, Terms terms) {
        var body = new Fields(json, "");
        checkModel(body);
        sampling.refuseUnsupported(body);
        if (body.bool("echo", false)) {
            throw SamplingParser.notSupported("echo");
        }
        String suffix = body.string("suffix");
        if (suffix != null && !suffix.isEmpty()) {
            throw SamplingParser.notSupported("suffix");
        }
        int choices = body.integer("n", 1, 1, options.choicesMax());
        if (body.integer("best_of", choices, 1, Integer.MAX_VALUE) != choices) {
            throw ApiException.unsupported("best_of", "'best_of' other than 'n' is not supported.");
        }
        int top = body.integer("logprobs", -1, 0, SamplingParser.TOP_LOGPROBS_MAX);
        var draft =
                new Draft(
                        body,
                        new SamplingParser.Logprobs(top >= 0, Math.max(top, 0)),
                        "max_tokens",
                        COMPLETION_TOKENS_DEFAULT,
                        model);
        return draft.finish(prompts(body, choices, model.vocabulary()), "prompt", terms);
    }

    /// Prompt and output together: what the model was made for, and what the workers have room for.
    int contextTokensMax(ServedModel model) {
        return Math.min(folder.contextTokensMax(), model.contextTokensMax());
    }

    private void checkModel(Fields body) {
        String name = body.string("model");
        if (name != null && !name.equals(modelName)) {
            throw modelNotFound(name);
        }
    }

    static ApiException modelNotFound(String name) {
        String shown = name.length() > 200 ? name.substring(0, 200) + "..." : name;
        return new ApiException(
                ErrorCategory.USER,
                "model_not_found",
                "model",
                "The model '%s' does not exist.".formatted(shown));
    }

    private String render(ObjectNode chat) {
        String prompt;
        try {
            prompt = renderer.render(chat);
        } catch (TemplateException e) {
            throw new ApiException(
                    ErrorCategory.USER,
                    "chat_template_error",
                    "messages",
                    "The chat template refused the request: " + e.getMessage());
        }
        return Fields.requireWellFormed(prompt, "messages");
    }

    private List<int[]> prompts(Fields body, int choices, int vocabulary) {
        JsonNode prompt = body.node("prompt");
        if (prompt == null) {
            throw body.missing("prompt");
        }
        boolean special = body.bool("add_special_tokens", true);
        var prompts = new ArrayList<int[]>();
        if (prompt.isTextual()) {
            prompts.add(encode(prompt, special));
            return prompts;
        }
        if (!prompt.isArray() || prompt.isEmpty()) {
            throw wrongPrompt(body, prompt);
        }
        if (prompt.get(0).isNumber()) {
            prompts.add(tokenIds(prompt, vocabulary));
            return prompts;
        }
        if ((long) prompt.size() * choices > options.sequencesMax()) {
            throw ApiException.invalidValue(
                    "prompt",
                    "Prompts times 'n' must be at most %d, got %d."
                            .formatted(options.sequencesMax(), (long) prompt.size() * choices));
        }
        for (JsonNode each : prompt) {
            if (each.isTextual()) {
                prompts.add(encode(each, special));
            } else if (each.isArray()) {
                prompts.add(tokenIds(each, vocabulary));
            } else {
                throw wrongPrompt(body, each);
            }
        }
        return prompts;
    }

    private int[] encode(JsonNode text, boolean special) {
        return tokenizer.encode(Fields.requireWellFormed(text.textValue(), "prompt"), special);
    }

    private static int[] tokenIds(JsonNode ids, int vocabulary) {
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = (int) Fields.longInteger(ids.get(i), "prompt", 0, vocabulary - 1L);
        }
        return tokens;
    }

    private static ApiException wrongPrompt(Fields body, JsonNode got) {
        return body.wrongType(
                "prompt",
                got,
                "a string, an array of strings, an array of token ids or an array of such arrays,"
                        + " and not empty");
    }

    /// Choice i's seed: the request's own for the first, so that n = 1 and the first of many are the same.
    static long choiceSeed(long seed, int choice) {
        if (choice == 0) {
            return seed;
        }
        long mixed = seed + choice * 0x9E3779B97F4A7C15L; // SplitMix64
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    /// All fields of a request but its prompt: read first, so that a wrong field costs no tokenization.
    private final class Draft {
        private final SamplingParameters parameters;
        private final OutputOptions output;
        private final boolean seeded;
        private final int choices;
        private final String limitName;
        private final int maxTokens;
        private final int maxTokensDefault;
        private final String cacheSalt;
        private final int contextTokensMax;

        /// @param limitName the field that bounds the tokens to generate
        /// @param maxTokensDefault when that field is absent; 0 = the rest of the context
        Draft(
                Fields body,
                SamplingParser.Logprobs logprobs,
                String limitName,
                int maxTokensDefault,
                ServedModel model) {
            this.parameters = sampling.sampling(body, logprobs, model.vocabulary());
            this.output = sampling.output(body, logprobs, model.vocabulary());
            this.seeded = body.has("seed");
            this.choices = body.integer("n", 1, 1, options.choicesMax());
            this.limitName = limitName;
            this.maxTokens = body.integer(limitName, 0, 1, Integer.MAX_VALUE);
            this.maxTokensDefault = maxTokensDefault;
            String salt = body.string("cache_salt");
            this.cacheSalt = salt == null ? "" : salt;
            this.contextTokensMax = RequestParser.this.contextTokensMax(model);
        }

        CompletionRequest finish(List<int[]> prompts, String promptName, Terms terms) {
            var sequences = new ArrayList<GenerationRequest>();
            for (int[] prompt : prompts) {
                int limit = tokenLimit(prompt, promptName);
                for (int choice = 0; choice < choices; choice++) {
                    long seed =
                            seeded
                                    ? choiceSeed(parameters.seed(), choice)
                                    : ThreadLocalRandom.current().nextLong();
                    sequences.add(
                            new GenerationRequest(
                                    prompt,
                                    limit,
                                    withSeed(seed),
                                    output.stopTokenIds(),
                                    cacheSalt,
                                    terms));
                }
            }
            return new CompletionRequest(List.copyOf(sequences), choices, output);
        }

        private int tokenLimit(int[] prompt, String promptName) {
            if (prompt.length == 0) {
                throw ApiException.invalidValue(
                        promptName, "'%s' must not be empty.".formatted(promptName));
            }
            int left = contextTokensMax - prompt.length;
            if (left < 1) {
                throw tooLong(
                        promptName,
                        "your %s resulted in %d tokens. Please reduce the length of the %s."
                                .formatted(promptName, prompt.length, promptName));
            }
            if (maxTokens > left) {
                throw tooLong(
                        limitName,
                        "you requested %d tokens (%d in the %s, %d in the completion). Please reduce the length of the %s or completion."
                                .formatted(
                                        (long) prompt.length + maxTokens,
                                        prompt.length,
                                        promptName,
                                        maxTokens,
                                        promptName));
            }
            if (maxTokens > 0) {
                return maxTokens;
            }
            return maxTokensDefault > 0 ? Math.min(maxTokensDefault, left) : left;
        }

        private ApiException tooLong(String param, String however) {
            return new ApiException(
                    ErrorCategory.USER,
                    "context_length_exceeded",
                    param,
                    "This model's maximum context length is %d tokens. However, %s"
                            .formatted(contextTokensMax, however));
        }

        private SamplingParameters withSeed(long seed) {
            return new SamplingParameters(
                    parameters.temperature(),
                    parameters.topK(),
                    parameters.topP(),
                    parameters.minP(),
                    parameters.repetitionPenalty(),
                    parameters.presencePenalty(),
                    parameters.frequencyPenalty(),
                    seed,
                    parameters.logitBias(),
                    parameters.logprobs(),
                    parameters.topLogprobs());
        }
    }
}
