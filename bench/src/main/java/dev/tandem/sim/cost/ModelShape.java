package dev.tandem.sim.cost;

/// The sizes of a decoder-only transformer on which a step's time depends.
///
/// @param name         as its publisher writes it
/// @param layers       decoder layers
/// @param hidden       width of the residual stream
/// @param heads        query heads
/// @param kvHeads      key and value heads; fewer than `heads` with grouped-query attention
/// @param headDim      width of one head
/// @param intermediate width of the feed-forward layer
/// @param gated        whether the feed-forward layer has a gate (three matrices, as in Llama) or not (two, as in OPT)
/// @param vocabulary   rows of the logits matrix
public record ModelShape(
        String name,
        int layers,
        int hidden,
        int heads,
        int kvHeads,
        int headDim,
        int intermediate,
        boolean gated,
        int vocabulary) {
    /// Meta's Llama-3.1-8B.
    public static final ModelShape LLAMA_3_1_8B =
            new ModelShape("Llama-3.1-8B", 32, 4096, 32, 8, 128, 14336, true, 128_256);

    /// Meta's Llama-3.1-70B.
    public static final ModelShape LLAMA_3_1_70B =
            new ModelShape("Llama-3.1-70B", 80, 8192, 64, 8, 128, 28672, true, 128_256);

    /// Meta's OPT-13B, the model of DistServe's worked example.
    public static final ModelShape OPT_13B =
            new ModelShape("OPT-13B", 40, 5120, 40, 40, 128, 20480, false, 50_272);

    /// Alibaba's Qwen3-32B.
    public static final ModelShape QWEN3_32B =
            new ModelShape("Qwen3-32B", 64, 5120, 64, 8, 128, 25600, true, 151_936);

    /// @throws IllegalArgumentException a size is not positive, or the heads don't divide into the KV heads
    public ModelShape {
        if (Math.min(Math.min(layers, hidden), Math.min(heads, kvHeads)) < 1
                || Math.min(Math.min(headDim, intermediate), vocabulary) < 1) {
            throw new IllegalArgumentException(name + ": every size must be at least 1");
        }
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    name + ": " + heads + " heads don't divide into " + kvHeads + " KV heads");
        }
    }

    /// @return the built-in model of this name, letter case ignored
    /// @throws IllegalArgumentException there is none; the message lists those there are
    public static ModelShape named(String name) {
        for (ModelShape model :
                new ModelShape[] {LLAMA_3_1_8B, LLAMA_3_1_70B, OPT_13B, QWEN3_32B}) {
            if (model.name.equalsIgnoreCase(name)) {
                return model;
            }
        }
        throw new IllegalArgumentException(
                "no built-in model '"
                        + name
                        + "'; there are Llama-3.1-8B, Llama-3.1-70B, OPT-13B, Qwen3-32B");
    }

    /// @return parameters of one layer's linear parts: `hidden x (2 heads + 2 kvHeads) x headDim + (2|3) x hidden x intermediate`
    public long layerParameters() {
        return (long) hidden * (2L * heads + 2L * kvHeads) * headDim
                + (gated ? 3L : 2L) * hidden * intermediate;
    }

    /// @return parameters of the logits matrix
    public long logitsParameters() {
        return (long) hidden * vocabulary;
    }

    /// @return KV elements of one token over all layers: `2 x layers x kvHeads x headDim`
    public long kvElementsPerToken() {
        return 2L * layers * kvHeads * headDim;
    }

    /// @return FLOPs of one attention pair over all layers: two products of `heads x headDim`, `4 x layers x heads x headDim`
    public long flopsPerPair() {
        return 4L * layers * heads * headDim;
    }
}
