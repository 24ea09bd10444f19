package dev.tandem.model;

import java.util.List;

/// What config.json says about a decoder, with the defaults of its architecture filled in and every size checked.
///
/// @param hidden width of the residual stream
/// @param intermediate width of the MLP
/// @param heads query heads; `heads / kvHeads` of them share one KV head
/// @param headDim even; need not be `hidden / heads`
/// @param contextTokensMax `max_position_embeddings`
/// @param tiedEmbeddings the LM head is the embedding table
/// @param queryKeyValueBias q, k and v projections have biases
/// @param outputBias the attention's output projection has one
/// @param mlpBias gate, up and down projections have biases
/// @param headNorm queries and keys are RMS-normalised per head before the rotation
/// @param windows per layer: how many keys a query sees, itself included; 0 = all before it
public record ModelConfig(
        Architecture architecture,
        int vocabulary,
        int hidden,
        int intermediate,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        float normEpsilon,
        int contextTokensMax,
        boolean tiedEmbeddings,
        boolean queryKeyValueBias,
        boolean outputBias,
        boolean mlpBias,
        boolean headNorm,
        List<Integer> windows,
        double ropeTheta,
        RopeScaling ropeScaling) {

    public ModelConfig {
        windows = List.copyOf(windows);
    }

    /// Width of all query heads together.
    public int queryWidth() {
        return heads * headDim;
    }

    /// Width of all key heads (or value heads) together.
    public int kvWidth() {
        return kvHeads * headDim;
    }
}
