package dev.tandem.api;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tandem.core.SamplingParameters;
import dev.tandem.text.ModelFolder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The fields that both endpoints share: sampling, stops and what the answer holds.
final class SamplingParser {
    private static final int STOP_STRINGS_MAX = 16;
    private static final int STOP_CHARS_MAX = 1024;
    private static final int STOP_IDS_MAX = 1024;
    private static final int BIASES_MAX = 1024;
    static final int TOP_LOGPROBS_MAX = 20;

    private final ModelFolder folder;

    SamplingParser(ModelFolder folder) {
        this.folder = folder;
    }

    /// Whether and how many log-probabilities a request asks for; the endpoints spell it differently.
    record Logprobs(boolean wanted, int top) {}

    /// @param vocabulary token ids are below this
    SamplingParameters sampling(Fields fields, Logprobs logprobs, int vocabulary) {
        int topK = fields.integer("top_k", Math.round(standard("top_k", 0)), -1, Integer.MAX_VALUE);
        return new SamplingParameters(
                fields.number("temperature", standard("temperature", 1), 0, 2, false),
                Math.max(topK, 0),
                fields.number("top_p", standard("top_p", 1), 0, 1, true),
                fields.number("min_p", standard("min_p", 0), 0, 1, false),
                fields.number(
                        "repetition_penalty",
                        standard("repetition_penalty", 1),
                        0,
                        Float.MAX_VALUE,
                        true),
                fields.number("presence_penalty", 0, -2, 2, false),
                fields.number("frequency_penalty", 0, -2, 2, false),
                fields.longInteger("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE),
                logitBias(fields, vocabulary),
                logprobs.wanted(),
                logprobs.top());
    }

    OutputOptions output(Fields fields, Logprobs logprobs, int vocabulary) {
        boolean stream = fields.bool("stream", false);
        Fields streamOptions = fields.object("stream_options");
        if (streamOptions != null && !stream) {
            throw ApiException.invalidValue(
                    "stream_options", "'stream_options' is only allowed when 'stream' is true.");
        }
        Set<Integer> endOfSequence =
                fields.bool("ignore_eos", false) ? Set.of() : Set.copyOf(folder.eosTokenIds());
        Set<Integer> stopIds = stopTokenIds(fields, vocabulary);
        stopIds.addAll(endOfSequence);
        return new OutputOptions(
                stream,
                streamOptions != null && streamOptions.bool("include_usage", false),
                fields.bool("return_token_ids", false),
                fields.bool("skip_special_tokens", true),
                stopStrings(fields),
                fields.bool("include_stop_str_in_output", false),
                logprobs.wanted(),
                logprobs.top(),
                Set.copyOf(stopIds),
                endOfSequence);
    }

    /// What OpenAI's or vLLM's clients may send, would change the output, and is not served: better refused than ignored.
    void refuseUnsupported(Fields fields) {
        Fields format = fields.object("response_format");
        if (format != null && !"text".equals(format.string("type"))) {
            throw ApiException.unsupported(
                    "response_format",
                    "response_format of type '%s' is not supported; only 'text' is."
                            .formatted(excerptOrNull(format.node("type"))));
        }
        if (fields.bool("use_beam_search", false)) {
            throw notSupported("use_beam_search");
        }
        if (fields.integer("min_tokens", 0, 0, Integer.MAX_VALUE) > 0) {
            throw notSupported("min_tokens");
        }
        JsonNode badWords = fields.array("bad_words");
        if (badWords != null && !badWords.isEmpty()) {
            throw notSupported("bad_words");
        }
        for (String name :
                List.of(
                        "prompt_logprobs",
                        "structured_outputs",
                        "guided_json",
                        "guided_regex",
                        "guided_choice",
                        "guided_grammar",
                        "allowed_token_ids",
                        "functions",
                        "audio")) {
            if (fields.has(name)) {
                throw notSupported(name);
            }
        }
    }

    static ApiException notSupported(String name) {
        return ApiException.unsupported(name, "'" + name + "' is not supported.");
    }

    private static String excerptOrNull(@Nullable JsonNode value) {
        return value == null ? "null" : value.isTextual() ? value.textValue() : value.toString();
    }

    private float standard(String name, double otherwise) {
        return folder.samplingDefaults().getOrDefault(name, otherwise).floatValue();
    }

    private static List<String> stopStrings(Fields fields) {
        JsonNode stop = fields.node("stop");
        if (stop == null) {
            return List.of();
        }
        var strings = new ArrayList<String>();
        if (stop.isTextual()) {
            strings.add(stop.textValue());
        } else if (stop.isArray()) {
            for (JsonNode each : stop) {
                if (!each.isTextual()) {
                    throw fields.wrongType("stop", each, "a string or an array of strings");
                }
                strings.add(each.textValue());
            }
        } else {
            throw fields.wrongType("stop", stop, "a string or an array of strings");
        }
        if (strings.size() > STOP_STRINGS_MAX) {
            throw tooMany("stop", STOP_STRINGS_MAX, strings.size());
        }
        for (String each : strings) {
            if (each.isEmpty() || each.length() > STOP_CHARS_MAX) {
                throw ApiException.invalidValue(
                        "stop",
                        "Every string of 'stop' must have 1 to %d characters, got %d."
                                .formatted(STOP_CHARS_MAX, each.length()));
            }
            Fields.requireWellFormed(each, "stop");
        }
        return List.copyOf(strings);
    }

    private static Set<Integer> stopTokenIds(Fields fields, int vocabulary) {
        JsonNode ids = fields.array("stop_token_ids");
        var found = new HashSet<Integer>();
        if (ids == null) {
            return found;
        }
        if (ids.size() > STOP_IDS_MAX) {
            throw tooMany("stop_token_ids", STOP_IDS_MAX, ids.size());
        }
        for (JsonNode id : ids) {
            found.add((int) Fields.longInteger(id, "stop_token_ids", 0, vocabulary - 1L));
        }
        return found;
    }

    private static Map<Integer, Float> logitBias(Fields fields, int vocabulary) {
        Fields biases = fields.object("logit_bias");
        if (biases == null) {
            return Map.of();
        }
        if (biases.object().size() > BIASES_MAX) {
            throw tooMany("logit_bias", BIASES_MAX, biases.object().size());
        }
        var byToken = new HashMap<Integer, Float>();
        for (var entry : biases.object().properties()) {
            float bias = Fields.number(entry.getValue(), "logit_bias");
            if (bias < -100 || bias > 100) {
                throw ApiException.invalidValue(
                        "logit_bias",
                        "Values of 'logit_bias' must be from -100 to 100, got %s."
                                .formatted(Fields.excerpt(entry.getValue())));
            }
            byToken.put(tokenId(entry.getKey(), vocabulary), bias);
        }
        return byToken;
    }

    private static int tokenId(String key, int vocabulary) {
        if (key.matches("[0-9]{1,9}") && Integer.parseInt(key) < vocabulary) {
            return Integer.parseInt(key);
        }
        String shown = key.length() > 20 ? key.substring(0, 20) + "..." : key;
        throw ApiException.invalidValue(
                "logit_bias",
                "Keys of 'logit_bias' must be token ids from 0 to %d, got '%s'."
                        .formatted(vocabulary - 1, shown));
    }

    private static ApiException tooMany(String name, int most, int got) {
        return ApiException.invalidValue(
                name, "'%s' may have at most %d entries, got %d.".formatted(name, most, got));
    }
}
