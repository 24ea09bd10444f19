package dev.tandem.model;

import com.fasterxml.jackson.databind.JsonNode;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Reads config.json in both spellings: `rope_theta` + `rope_scaling`, as most published checkpoints have them, and
/// `rope_parameters` of transformers 5. Whatever would change the result and can't be computed is refused.
final class ModelConfigReader {
    private static final int SIZE_MAX = 1 << 24;
    private static final int LAYERS_MAX = 1024;

    private final Path file;
    private final JsonNode json;

    private ModelConfigReader(Path file, JsonNode json) {
        this.file = file;
        this.json = json;
    }

    static ModelConfig read(Path file, byte[] content) throws ModelFormatException {
        return new ModelConfigReader(file, Json.object(file, content, "is not a JSON object"))
                .read();
    }

    private ModelConfig read() throws ModelFormatException {
        Architecture architecture = architecture();
        JsonNode activation = json.path("hidden_act");
        if (!activation.asText("silu").equals("silu")) {
            throw problem("hidden_act is " + activation + ", only \"silu\" can be run");
        }
        int hidden = size("hidden_size", SIZE_MAX);
        int heads = size("num_attention_heads", SIZE_MAX);
        int kvHeads = has("num_key_value_heads") ? size("num_key_value_heads", SIZE_MAX) : heads;
        if (heads % kvHeads != 0) {
            throw problem(
                    "num_attention_heads %d is not a multiple of num_key_value_heads %d"
                            .formatted(heads, kvHeads));
        }
        int layers = size("num_hidden_layers", LAYERS_MAX);
        int headDim = headDim(architecture, hidden, heads);
        if ((long) heads * headDim > SIZE_MAX) {
            throw problem("%d heads of %d dimensions are too many".formatted(heads, headDim));
        }
        int context = size("max_position_embeddings", SIZE_MAX);
        boolean attentionBias = flag("attention_bias", false);
        boolean qwen2 = architecture == Architecture.QWEN2;
        boolean biases = architecture == Architecture.LLAMA || architecture == Architecture.QWEN3;
        JsonNode rope = ropeNode();
        return new ModelConfig(
                architecture,
                size("vocab_size", SIZE_MAX),
                hidden,
                size("intermediate_size", SIZE_MAX),
                layers,
                heads,
                kvHeads,
                headDim,
                (float) positive(json, "rms_norm_eps", 1e-6),
                context,
                flag("tie_word_embeddings", false),
                qwen2 || (biases && attentionBias),
                biases && attentionBias,
                architecture == Architecture.LLAMA && flag("mlp_bias", false),
                architecture == Architecture.QWEN3,
                windows(architecture, layers),
                ropeTheta(rope),
                ropeScaling(rope, context));
    }

    private Architecture architecture() throws ModelFormatException {
        String name = json.path("architectures").path(0).asText("");
        var known = new ArrayList<String>();
        for (Architecture architecture : Architecture.values()) {
            if (architecture.className().equals(name)) {
                return architecture;
            }
            known.add(architecture.className());
        }
        throw problem(
                "architecture \"%s\" is not known; known are %s"
                        .formatted(name, String.join(", ", known)));
    }

    private int headDim(Architecture architecture, int hidden, int heads)
            throws ModelFormatException {
        int headDim;
        if (has("head_dim")) {
            headDim = size("head_dim", 1 << 16);
        } else if (architecture == Architecture.QWEN3) {
            headDim = 128; // the default of Qwen3's configuration class
        } else if (hidden % heads == 0) {
            headDim = hidden / heads;
        } else {
            throw problem(
                    "head_dim is absent and hidden_size %d is not a multiple of num_attention_heads %d"
                            .formatted(hidden, heads));
        }
        if (headDim % 2 != 0) {
            throw problem("head_dim %d is odd, rotary positions need pairs".formatted(headDim));
        }
        return headDim;
    }

    private List<Integer> windows(Architecture architecture, int layers)
            throws ModelFormatException {
        int window = has("sliding_window") ? size("sliding_window", Integer.MAX_VALUE) : 0;
        boolean qwen =
                switch (architecture) {
                    case QWEN2, QWEN3 -> true;
                    case LLAMA, MISTRAL -> false;
                };
        if (architecture == Architecture.LLAMA || (qwen && !flag("use_sliding_window", false))) {
            window = 0;
        }
        JsonNode types = json.path("layer_types");
        // 28 is the default of the Qwen configuration classes.
        int fullLayers =
                qwen && has("max_window_layers")
                        ? count("max_window_layers", Integer.MAX_VALUE)
                        : (qwen ? 28 : 0);
        if (types.isArray() && types.size() != layers) {
            throw problem(
                    "layer_types has %d entries for %d layers".formatted(types.size(), layers));
        }
        var windows = new ArrayList<Integer>(layers);
        for (int layer = 0; layer < layers; layer++) {
            boolean sliding = layer >= fullLayers;
            if (types.isArray()) {
                String type = types.get(layer).asText("");
                sliding = type.equals("sliding_attention");
                if (!sliding && !type.equals("full_attention")) {
                    throw problem("layer type \"%s\" is not known".formatted(type));
                }
            }
            windows.add(sliding ? window : 0);
        }
        return windows;
    }

    /// The node that carries the rope settings; transformers 5 writes `rope_parameters`.
    private JsonNode ropeNode() throws ModelFormatException {
        JsonNode node = has("rope_parameters") ? json.get("rope_parameters") : null;
        if (node == null && has("rope_scaling")) {
            node = json.get("rope_scaling");
        }
        if (node == null) {
            return json.path("rope_scaling"); // absent or null: every look-up is missing
        }
        if (!node.isObject()) {
            throw problem("rope_parameters or rope_scaling is not an object");
        }
        return node;
    }

    private double ropeTheta(JsonNode rope) throws ModelFormatException {
        JsonNode holder = rope.hasNonNull("rope_theta") ? rope : json;
        double theta = positive(holder, "rope_theta", 10000);
        if (theta <= 1) {
            throw problem("rope_theta %s is not greater than 1".formatted(theta));
        }
        for (JsonNode node : List.of(rope, json)) {
            if (node.hasNonNull("partial_rotary_factor")
                    && node.get("partial_rotary_factor").asDouble() != 1) {
                throw problem("partial_rotary_factor other than 1 can't be run");
            }
        }
        return theta;
    }

    private RopeScaling ropeScaling(JsonNode rope, int context) throws ModelFormatException {
        String type = rope.path("rope_type").asText(rope.path("type").asText("default"));
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(required(rope, "factor"));
            case "llama3" -> llama3(rope);
            case "yarn" -> yarn(rope, context);
            default ->
                    throw problem(
                            "rope_type \"%s\" is not known; known are default, linear, llama3, yarn"
                                    .formatted(type));
        };
    }

    private RopeScaling llama3(JsonNode rope) throws ModelFormatException {
        double low = required(rope, "low_freq_factor");
        double high = required(rope, "high_freq_factor");
        if (high <= low) {
            throw problem("high_freq_factor is not greater than low_freq_factor");
        }
        return new RopeScaling.Llama3(
                required(rope, "factor"),
                low,
                high,
                required(rope, "original_max_position_embeddings"));
    }

    private RopeScaling yarn(JsonNode rope, int context) throws ModelFormatException {
        double factor = required(rope, "factor");
        double attention;
        if (rope.hasNonNull("attention_factor")) {
            attention = required(rope, "attention_factor");
        } else if (rope.path("mscale").asDouble() != 0
                && rope.path("mscale_all_dim").asDouble() != 0) {
            attention =
                    magnitude(factor, required(rope, "mscale"))
                            / magnitude(factor, required(rope, "mscale_all_dim"));
        } else {
            attention = magnitude(factor, 1);
        }
        return new RopeScaling.Yarn(
                factor,
                positive(rope, "beta_fast", 32),
                positive(rope, "beta_slow", 1),
                positive(rope, "original_max_position_embeddings", context),
                attention,
                rope.path("truncate").asBoolean(true));
    }

    private static double magnitude(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * StrictMath.log(factor) + 1;
    }

    private boolean has(String key) {
        return json.hasNonNull(key);
    }

    private boolean flag(String key, boolean absent) throws ModelFormatException {
        @Nullable JsonNode node = json.get(key);
        if (node == null || node.isNull()) {
            return absent;
        }
        if (!node.isBoolean()) {
            throw problem("%s is %s, not true or false".formatted(key, node));
        }
        return node.booleanValue();
    }

    private int size(String key, int max) throws ModelFormatException {
        int value = count(key, max);
        if (value < 1) {
            throw problem("%s is %d, not between 1 and %d".formatted(key, value, max));
        }
        return value;
    }

    private int count(String key, int max) throws ModelFormatException {
        JsonNode node = json.path(key);
        if (!node.isIntegralNumber()
                || !node.canConvertToInt()
                || node.intValue() < 0
                || node.intValue() > max) {
            throw problem(
                    node.isMissingNode()
                            ? key + " is missing"
                            : "%s is %s, not a whole number up to %d".formatted(key, node, max));
        }
        return node.intValue();
    }

    private double required(JsonNode holder, String key) throws ModelFormatException {
        if (!holder.hasNonNull(key)) {
            throw problem(key + " is missing in the rope settings");
        }
        return positive(holder, key, 0);
    }

    private double positive(JsonNode holder, String key, double absent)
            throws ModelFormatException {
        if (!holder.hasNonNull(key)) {
            return absent;
        }
        JsonNode node = holder.get(key);
        double value = node.isNumber() ? node.doubleValue() : Double.NaN;
        if (!(value > 0) || Double.isInfinite(value)) {
            throw problem("%s is %s, not a positive number".formatted(key, node));
        }
        return value;
    }

    private ModelFormatException problem(String problem) {
        return new ModelFormatException(file, problem);
    }
}
