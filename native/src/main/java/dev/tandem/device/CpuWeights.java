package dev.tandem.device;

import dev.tandem.kernel.PackedMatrix;
import dev.tandem.model.Checkpoint;
import dev.tandem.model.ModelConfig;
import dev.tandem.model.ModelFormatException;
import dev.tandem.model.Tensor;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/// All weights in the form the kernels read: matrices packed, vectors as arrays, the embedding table as it is stored
/// (a row is widened when its token comes by). Projections of the same input are packed as one matrix.
///
/// @param embedding `[vocabulary, hidden]`, mapped
record CpuWeights(Tensor embedding, List<Layer> layers, float[] finalNorm, PackedMatrix head) {

    /// One decoder layer; biases and head norms are null where the architecture has none.
    ///
    /// @param queryKeyValue `[(heads + 2 kvHeads) * headDim, hidden]`
    /// @param gateUp `[2 * intermediate, hidden]`
    record Layer(
            float[] attentionNorm,
            PackedMatrix queryKeyValue,
            float @Nullable [] queryKeyValueBias,
            float @Nullable [] queryNorm,
            float @Nullable [] keyNorm,
            PackedMatrix output,
            float @Nullable [] outputBias,
            float[] mlpNorm,
            PackedMatrix gateUp,
            float @Nullable [] gateUpBias,
            PackedMatrix down,
            float @Nullable [] downBias) {}

    static CpuWeights load(Checkpoint checkpoint, Arena arena) throws ModelFormatException {
        return new Loader(checkpoint, arena).load();
    }

    private record Loader(Checkpoint checkpoint, Arena arena) {
        CpuWeights load() throws ModelFormatException {
            ModelConfig config = checkpoint.config();
            var layers = new ArrayList<Layer>(config.layers());
            Tensor embedding =
                    checkpoint.tensor(
                            "model.embed_tokens.weight", config.vocabulary(), config.hidden());
            for (int layer = 0; layer < config.layers(); layer++) {
                layers.add(layer(config, "model.layers." + layer + "."));
            }
            float[] finalNorm = vector("model.norm.weight", config.hidden());
            PackedMatrix head =
                    config.tiedEmbeddings()
                            ? pack(List.of(embedding))
                            : matrix(config.hidden(), "lm_head.weight", config.vocabulary());
            return new CpuWeights(embedding, List.copyOf(layers), finalNorm, head);
        }

        private Layer layer(ModelConfig config, String prefix) throws ModelFormatException {
            int hidden = config.hidden();
            int kv = config.kvWidth();
            int inner = config.intermediate();
            String attention = prefix + "self_attn.";
            String mlp = prefix + "mlp.";
            List<Tensor> queryKeyValue =
                    List.of(
                            weight(attention + "q_proj", config.queryWidth(), hidden),
                            weight(attention + "k_proj", kv, hidden),
                            weight(attention + "v_proj", kv, hidden));
            List<Tensor> gateUp =
                    List.of(
                            weight(mlp + "gate_proj", inner, hidden),
                            weight(mlp + "up_proj", inner, hidden));
            return new Layer(
                    vector(prefix + "input_layernorm.weight", hidden),
                    pack(queryKeyValue),
                    config.queryKeyValueBias() ? biases(queryKeyValue) : null,
                    headNorm(attention + "q_norm.weight"),
                    headNorm(attention + "k_norm.weight"),
                    matrix(config.queryWidth(), attention + "o_proj.weight", hidden),
                    config.outputBias() ? vector(attention + "o_proj.bias", hidden) : null,
                    vector(prefix + "post_attention_layernorm.weight", hidden),
                    pack(gateUp),
                    config.mlpBias() ? biases(gateUp) : null,
                    matrix(inner, mlp + "down_proj.weight", hidden),
                    config.mlpBias() ? vector(mlp + "down_proj.bias", hidden) : null);
        }

        private Tensor weight(String module, int outputs, int inputs) throws ModelFormatException {
            return checkpoint.tensor(module + ".weight", outputs, inputs);
        }

        private PackedMatrix matrix(int inputs, String name, int outputs)
                throws ModelFormatException {
            return pack(List.of(checkpoint.tensor(name, outputs, inputs)));
        }

        private float[] vector(String name, int width) throws ModelFormatException {
            return checkpoint.tensor(name, width).toFloats();
        }

        private float @Nullable [] headNorm(String name) throws ModelFormatException {
            ModelConfig config = checkpoint.config();
            return config.headNorm() ? vector(name, config.headDim()) : null;
        }

        /// The biases that belong to the weights, one after the other.
        private float[] biases(List<Tensor> weights) throws ModelFormatException {
            float[] all = new float[weights.stream().mapToInt(Tensor::rows).sum()];
            int at = 0;
            for (Tensor weight : weights) {
                String name = weight.name().replaceAll("weight$", "bias");
                checkpoint.tensor(name, weight.rows()).readRow(0, all, at);
                at += weight.rows();
            }
            return all;
        }

        /// Packs matrices of the same input as one, the outputs one after the other.
        private PackedMatrix pack(List<Tensor> parts) {
            int outputs = parts.stream().mapToInt(Tensor::rows).sum();
            return PackedMatrix.pack(
                    arena,
                    outputs,
                    parts.getFirst().columns(),
                    (row, destination) -> {
                        int at = row;
                        for (Tensor part : parts) {
                            if (at < part.rows()) {
                                part.readRow(at, destination, 0);
                                return;
                            }
                            at -= part.rows();
                        }
                        throw new IndexOutOfBoundsException(row);
                    });
        }
    }
}
