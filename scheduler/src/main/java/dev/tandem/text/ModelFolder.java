package dev.tandem.text;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What the front needs to know of a Hugging Face model folder: never the weights.
///
/// @param name the served model's default name: the folder's name
/// @param contextTokensMax config.json's `max_position_embeddings`
/// @param chatTemplate source of the template (tokenizer_config.json or chat_template.jinja), null if there is none
/// @param bosToken text, empty if there is none; likewise eosToken
/// @param eosTokenIds generation_config.json's list, else config.json's
/// @param samplingDefaults generation_config.json's `temperature`, `top_k`, `top_p`, `min_p`, `repetition_penalty`
///     where present, used for what a request leaves open (vLLM's behaviour)
public record ModelFolder(
        Path path,
        String name,
        int contextTokensMax,
        @Nullable String chatTemplate,
        String bosToken,
        String eosToken,
        List<Integer> eosTokenIds,
        Map<String, Double> samplingDefaults) {}
