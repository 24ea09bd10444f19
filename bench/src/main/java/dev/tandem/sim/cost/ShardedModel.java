package dev.tandem.sim.cost;

/// A model as one replica runs it: over how many devices, in which number formats.
///
/// @param model          the model's sizes
/// @param tensorParallel devices that share every layer (TP degree)
/// @param weightBytes    bytes of one weight: 2 for bfloat16, 1 for fp8; the products run in the same format
/// @param kvBytes        bytes of one KV element: 2 or 1
public record ShardedModel(ModelShape model, int tensorParallel, int weightBytes, int kvBytes) {
    /// @throws IllegalArgumentException the heads don't divide by the TP degree, or a format is neither 1 nor 2 bytes wide
    public ShardedModel {
        if (tensorParallel < 1 || model.heads() % tensorParallel != 0) {
            throw new IllegalArgumentException(
                    model.name()
                            + ": "
                            + model.heads()
                            + " heads don't divide over TP "
                            + tensorParallel);
        }
        if (weightBytes < 1 || weightBytes > 2 || kvBytes < 1 || kvBytes > 2) {
            throw new IllegalArgumentException(
                    model.name()
                            + ": weights and KV have 1 or 2 bytes, not "
                            + weightBytes
                            + " and "
                            + kvBytes);
        }
    }

    /// @return the model in bfloat16 over `tensorParallel` devices
    public static ShardedModel bfloat16(ModelShape model, int tensorParallel) {
        return new ShardedModel(model, tensorParallel, 2, 2);
    }

    /// @return query heads on one device
    public int deviceHeads() {
        return model.heads() / tensorParallel;
    }

    /// @return KV heads on one device; with more devices than KV heads each is held more than once
    public int deviceKvHeads() {
        return Math.max(1, model.kvHeads() / tensorParallel);
    }

    /// @return KV bytes of one token, all devices together (each distinct head counted once)
    public long kvBytesPerToken() {
        return model.kvElementsPerToken() * kvBytes;
    }

    /// @return KV bytes of one token on one device
    public long deviceKvBytesPerToken() {
        return 2L * model.layers() * deviceKvHeads() * model.headDim() * kvBytes;
    }

    /// @return bytes of the weights that a step reads, all devices together: layers and logits matrix, without the embedding
    public long weightBytesPerStep() {
        return (model.layers() * model.layerParameters() + model.logitsParameters()) * weightBytes;
    }

    /// @return KV tokens that fit beside the weights, at least 0
    /// @param device      every one of the replica's devices
    /// @param memoryShare share of its memory that the server may use, 0 to 1
    public long kvTokensMax(Device device, double memoryShare) {
        long embedding = model.logitsParameters() * weightBytes / tensorParallel;
        long free =
                (long) (device.memoryBytes() * memoryShare)
                        - weightBytesPerStep() / tensorParallel
                        - embedding;
        return Math.max(0, free / deviceKvBytesPerToken());
    }
}
